"""Compiled loops that clean texts of which every character is kept: for tokens that are characters or bytes."""

import numpy as np

from textgen.numba_loops import compiled
from textgen.text.compiled.byte_rules import SPACE
from textgen.text.compiled.text_cutting import CARRIAGE_RETURN, LINE_FEED, SPACE_CODE


@compiled
def clean_texts(
    text: np.ndarray,
    text_starts: np.ndarray,
    text_ends: np.ndarray,
    continued: np.ndarray,
    kinds: np.ndarray,
    mapped: np.ndarray,
    collapses: bool,
    begins: np.ndarray,
    ends: np.ndarray,
    entries: np.ndarray,
    entry_text: np.ndarray,
    entry_edges: np.ndarray,
    entry_characters: np.ndarray,
    cleaned: np.ndarray,
    cleaned_edges: np.ndarray,
    characters: np.ndarray,
) -> None:
    """Cleans texts; the arguments are those of `cut_texts`."""
    c, chunk = 0, 0
    for row in range(len(text_starts)):
        i, last = text_starts[row], text_ends[row]
        row_start, beyond, gap = c, 0, False
        cleaned_edges[row] = c
        while i < last:
            is_space = kinds[text[i]] == SPACE
            if is_space and collapses:
                gap = True
                i += 1
                continue
            if is_space and text[i] == CARRIAGE_RETURN and i + 1 < last and text[i + 1] == LINE_FEED:
                i += 1
                continue
            is_other = chunk < len(begins) and begins[chunk] == i
            size = 1
            if is_other:
                entry = entries[chunk]
                size = entry_edges[entry + 1] - entry_edges[entry]
            if gap and size:
                if c > row_start or continued[row]:
                    cleaned[c] = SPACE_CODE
                    c += 1
                gap = False
            if is_other:
                for k in range(entry_edges[entry], entry_edges[entry + 1]):
                    cleaned[c] = entry_text[k]
                    c += 1
                beyond += size - entry_characters[entry]
                i = ends[chunk]
                chunk += 1
            else:
                cleaned[c] = mapped[text[i]]
                c += 1
                i += 1
        characters[row] = c - row_start - beyond
    cleaned_edges[len(text_starts)] = c
