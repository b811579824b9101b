"""A compiled loop that cleans texts of which every character is kept: for tokens that are characters or bytes."""

import numpy as np

from textgen.numba_loops import WORD_BYTES, compiled, has_byte, inlined, word_at
from textgen.text.compiled.byte_rules import SPACE
from textgen.text.compiled.loop_arrays import ByteTables, CutChunks, PlacedChunks, Texts, WrittenTexts
from textgen.text.compiled.text_cutting import CARRIAGE_RETURN, copy_entry, is_written_space, write_gap


@inlined
def _copy_lines(
    text: np.ndarray, i: int, end: int, mapped: np.ndarray, cleaned: np.ndarray, c: int
) -> tuple[int, int]:
    """Writes text[i:end] up to a carriage return at cleaned[c]; returns the new i and c."""
    stop = i
    while stop + WORD_BYTES <= end and not has_byte(word_at(text, np.uint64(stop)), CARRIAGE_RETURN):
        stop += WORD_BYTES
    while stop < end and text[stop] != CARRIAGE_RETURN:
        stop += 1
    # Unsigned, see `word_at`.
    source, target = np.uint64(i), np.uint64(c)
    for k in range(np.uint64(stop) - source):
        cleaned[target + k] = mapped[text[source + k]]
    return stop, c + stop - i


@inlined
def _copy_words(
    text: np.ndarray, i: int, end: int, rules: ByteTables, follows: bool, gap: bool, cleaned: np.ndarray, c: int
) -> tuple[int, bool]:
    """Writes text[i:end] at cleaned[c], with one space for white space between words.

    Args:
        follows: whether a space may come first.
        gap: whether one is to be written before the next word.

    Returns:
        The new c and gap.
    """
    kinds, mapped = rules.kinds, rules.mapped
    while i < end:
        if kinds[text[i]] == SPACE:
            gap = True
            i += 1
            continue
        c, gap = write_gap(cleaned, c, gap and follows), False
        follows = True
        while i < end and kinds[text[i]] != SPACE:
            cleaned[c] = mapped[text[i]]
            c += 1
            i += 1
    return c, gap


@compiled
def clean_texts(
    texts: Texts, rules: ByteTables, chunks: PlacedChunks, entries: CutChunks, written: WrittenTexts
) -> None:
    """Cleans texts; the arguments are those of `cut_texts`."""
    text, cleaned, mapped = texts.text, written.text, rules.mapped
    c, chunk, count = 0, 0, len(chunks.starts)
    for row in range(len(texts.starts)):
        i, end = texts.starts[row], texts.ends[row]
        row_start, beyond, gap = c, 0, False
        written.edges[row] = c
        while i < end:
            follows = c > row_start or texts.continued[row]
            stop = min(end, chunks.starts[chunk]) if chunk < count else end
            if i == stop:
                entry = chunks.entries[chunk]
                i = chunks.ends[chunk]
                chunk += 1
                size = entries.edges[entry + 1] - entries.edges[entry]
                if size:
                    c, gap = write_gap(cleaned, c, gap and follows), False
                    c = copy_entry(entries, entry, cleaned, c)
                    beyond += size - entries.characters[entry]
            elif rules.collapses:
                c, gap = _copy_words(text, i, stop, rules, follows, gap, cleaned, c)
                i = stop
            else:
                i, c = _copy_lines(text, i, stop, mapped, cleaned, c)
                if i < stop:
                    if is_written_space(text, i, end):
                        cleaned[c] = mapped[text[i]]
                        c += 1
                    i += 1
        written.characters[row] = c - row_start - beyond
    written.edges[len(texts.starts)] = c
