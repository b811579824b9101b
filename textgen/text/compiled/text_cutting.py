"""Compiled loops that clean texts, and find the chunks and tokens in them."""

import numpy as np

from textgen.numba_loops import compiled, inlined
from textgen.text.compiled.byte_rules import MARK, OTHER, QUOTE, SEPARATE, SPACE, STRIP, WORD
from textgen.text.compiled.keys import BASIS, BYTE, PRIME, key_of, string_key

SPACE_CODE, APOSTROPHE, LINE_FEED, CARRIAGE_RETURN = (ord(character) for character in " '\n\r")


@compiled
def find_others(
    text: np.ndarray,
    edges: np.ndarray,
    kinds: np.ndarray,
    mapped: np.ndarray,
    longest_run: int,
    begins: np.ndarray,
    ends: np.ndarray,
    rows: np.ndarray,
) -> int:
    """Finds the chunks that are left to the graph.

    Args:
        text: uint8 [S], texts one after another.
        edges: int64 [B + 1], start of each text in `text`, and the end of the last.
        kinds: uint8 [256]; see `ByteRules`.
        mapped: uint8 [256]; see `ByteRules`.
        longest_run: see `ByteRules`.
        begins: int64 [S], receives the start of each chunk in `text`.
        ends: int64 [S], receives the end of each chunk.
        rows: int64 [S], receives the index of its text.

    Returns:
        The number of chunks.
    """
    count = 0
    for row in range(len(edges) - 1):
        i, last = edges[row], edges[row + 1]
        begin, run, before = i, 0, np.int64(-1)
        while i < last:
            kind = kinds[text[i]]
            if kind == SPACE:
                begin, run, before = i + 1, 0, np.int64(-1)
            elif longest_run:
                byte = np.int64(mapped[text[i]])
                run = run + 1 if byte == before else 1
                before = byte
                if run > longest_run:
                    kind = np.uint8(OTHER)
            if kind != OTHER:
                i += 1
                continue
            while i < last and kinds[text[i]] != SPACE:
                i += 1
            begins[count], ends[count], rows[count] = begin, i, row
            count += 1
    return count


@inlined
def _write_gap(cleaned: np.ndarray, c: int, wanted: bool) -> int:
    """Writes a space at cleaned[c] if it is wanted; returns where to write on."""
    if wanted:
        cleaned[c] = SPACE_CODE
        return c + 1
    return c


@inlined
def _add_token(
    key: np.uint64, begin: int, end: int, keys: np.ndarray, starts: np.ndarray, sizes: np.ndarray, count: int
) -> int:
    """Adds the token cleaned[begin:end]; returns the number of tokens."""
    keys[count], starts[count], sizes[count] = key, begin, end - begin
    return count + 1


@inlined
def _add_word(
    key: np.uint64,
    begin: int,
    end: int,
    cleaned: np.ndarray,
    keys: np.ndarray,
    starts: np.ndarray,
    sizes: np.ndarray,
    count: int,
) -> int:
    """Adds the tokens of the word cleaned[begin:end]: apostrophes at its ends are apart. Returns their number."""
    if cleaned[begin] != APOSTROPHE and cleaned[end - 1] != APOSTROPHE:
        return _add_token(key, begin, end, keys, starts, sizes, count)
    first, last = begin, end
    while first < end and cleaned[first] == APOSTROPHE:
        first += 1
    while last > first and cleaned[last - 1] == APOSTROPHE:
        last -= 1
    # All is before `first` if there are only apostrophes.
    for start, stop in ((begin, first), (first, last), (max(last, first), end)):
        if stop > start:
            count = _add_token(string_key(cleaned, start, stop), start, stop, keys, starts, sizes, count)
    return count


@inlined
def _cut_chunk(
    text: np.ndarray,
    i: int,
    last: int,
    kinds: np.ndarray,
    mapped: np.ndarray,
    separates: bool,
    cleaned: np.ndarray,
    c: int,
    keys: np.ndarray,
    starts: np.ndarray,
    sizes: np.ndarray,
    count: int,
) -> tuple[int, int, int]:
    """Cuts the chunk that starts at text[i], where marks stay; returns the new i, c and count."""
    while i < last:
        kind = kinds[text[i]]
        if kind == SPACE:
            break
        begin, packed, hashed = c, np.uint64(0), BASIS
        while i < last and kind != SPACE and not (separates and kind == MARK):
            byte = mapped[text[i]]
            cleaned[c] = byte
            packed = (packed << BYTE) | np.uint64(byte)
            hashed = (hashed ^ np.uint64(byte)) * PRIME
            c += 1
            i += 1
            kind = kinds[text[i]] if i < last else np.uint8(SPACE)
        if c == begin:
            cleaned[c] = mapped[text[i]]
            count = _add_token(np.uint64(cleaned[c]), c, c + 1, keys, starts, sizes, count)
            c += 1
            i += 1
        elif separates:
            count = _add_word(key_of(packed, hashed, c - begin), begin, c, cleaned, keys, starts, sizes, count)
        else:
            count = _add_token(key_of(packed, hashed, c - begin), begin, c, keys, starts, sizes, count)
    return i, c, count


@inlined
def _cut_stripped(
    text: np.ndarray,
    i: int,
    last: int,
    kinds: np.ndarray,
    mapped: np.ndarray,
    collapses: bool,
    gap: bool,
    follows: bool,
    cleaned: np.ndarray,
    c: int,
    keys: np.ndarray,
    starts: np.ndarray,
    sizes: np.ndarray,
    count: int,
) -> tuple[int, int, int, bool]:
    """Cuts the chunk that starts at text[i], without its marks; returns the new i, c, count and gap."""
    in_marks = False
    while i < last and kinds[text[i]] != SPACE:
        kind = kinds[text[i]]
        if kind == MARK:
            if collapses:
                gap = True
            else:
                c = _write_gap(cleaned, c, not in_marks)
            in_marks = True
        elif kind != QUOTE:
            c, gap, in_marks = _write_gap(cleaned, c, gap and follows), False, False
            begin, packed, hashed = c, np.uint64(0), BASIS
            while i < last and (kinds[text[i]] == WORD or kinds[text[i]] == QUOTE):
                if kinds[text[i]] == WORD:
                    byte = mapped[text[i]]
                    cleaned[c] = byte
                    packed = (packed << BYTE) | np.uint64(byte)
                    hashed = (hashed ^ np.uint64(byte)) * PRIME
                    c += 1
                i += 1
            count = _add_token(key_of(packed, hashed, c - begin), begin, c, keys, starts, sizes, count)
            follows = True
            continue
        i += 1
    return i, c, count, gap


@compiled
def cut_texts(
    text: np.ndarray,
    text_starts: np.ndarray,
    text_ends: np.ndarray,
    continued: np.ndarray,
    kinds: np.ndarray,
    mapped: np.ndarray,
    marks: int,
    collapses: bool,
    begins: np.ndarray,
    ends: np.ndarray,
    entries: np.ndarray,
    entry_text: np.ndarray,
    entry_edges: np.ndarray,
    entry_characters: np.ndarray,
    token_edges: np.ndarray,
    token_keys: np.ndarray,
    token_starts: np.ndarray,
    token_sizes: np.ndarray,
    cleaned: np.ndarray,
    cleaned_edges: np.ndarray,
    characters: np.ndarray,
    keys: np.ndarray,
    starts: np.ndarray,
    sizes: np.ndarray,
    lengths: np.ndarray,
) -> int:
    """Cleans texts and finds their tokens.

    Args:
        text: uint8 [S], texts one after another.
        text_starts: int64 [B], start of each text in `text`.
        text_ends: int64 [B], its end.
        continued: bool [B], whether a text continues the document of the text before.
        kinds: uint8 [256]; see `ByteRules`.
        mapped: uint8 [256]; see `ByteRules`.
        marks: see `ByteRules`.
        collapses: see `ByteRules`.
        begins: int64 [M], start of each chunk that the graph has cut, ascending.
        ends: int64 [M], its end.
        entries: int32 [M], its row among the E entries.
        entry_text: uint8 [·], the cleaned entries one after another.
        entry_edges: int64 [E + 1], start of each in `entry_text`.
        entry_characters: int64 [E], number of code points of each.
        token_edges: int64 [E + 1], start of the tokens of each among the tokens of all entries.
        token_keys: uint64 [·], key of each of these tokens.
        token_starts: int64 [·], its start in its entry.
        token_sizes: int32 [·], number of its bytes.
        cleaned: uint8 [C], receives the cleaned texts one after another.
        cleaned_edges: int64 [B + 1], receives the start of each in `cleaned`.
        characters: int64 [B], receives the number of code points of each.
        keys: uint64 [T], receives the key of each token.
        starts: int64 [T], receives its start in `cleaned`.
        sizes: int32 [T], receives the number of its bytes.
        lengths: int64 [B], receives the number of tokens of each text.

    Returns:
        The number of tokens.
    """
    count, c, chunk = 0, 0, 0
    for row in range(len(text_starts)):
        i, last = text_starts[row], text_ends[row]
        row_start, row_count, beyond = c, count, 0
        cleaned_edges[row] = c
        # Whether white space is to be written before the next word; only with `collapses`.
        gap = False
        while i < last:
            # White space at the start remains if the text goes on from another.
            writes_gap = gap and (c > row_start or continued[row])
            if kinds[text[i]] == SPACE:
                if collapses:
                    gap = True
                elif not (text[i] == CARRIAGE_RETURN and i + 1 < last and text[i + 1] == LINE_FEED):
                    cleaned[c] = mapped[text[i]]
                    c += 1
                i += 1
            elif chunk < len(begins) and begins[chunk] == i:
                entry = entries[chunk]
                i = ends[chunk]
                chunk += 1
                size = entry_edges[entry + 1] - entry_edges[entry]
                if size:
                    c, gap = _write_gap(cleaned, c, writes_gap), False
                    for k in range(token_edges[entry], token_edges[entry + 1]):
                        keys[count], starts[count], sizes[count] = token_keys[k], c + token_starts[k], token_sizes[k]
                        count += 1
                    for k in range(entry_edges[entry], entry_edges[entry + 1]):
                        cleaned[c] = entry_text[k]
                        c += 1
                    # Bytes beyond the first of a character.
                    beyond += size - entry_characters[entry]
            elif marks == STRIP:
                i, c, count, gap = _cut_stripped(
                    text, i, last, kinds, mapped, collapses, gap, c > row_start or continued[row],
                    cleaned, c, keys, starts, sizes, count,
                )  # fmt: skip
            else:
                c, gap = _write_gap(cleaned, c, writes_gap), False
                i, c, count = _cut_chunk(
                    text, i, last, kinds, mapped, marks == SEPARATE, cleaned, c, keys, starts, sizes, count
                )
        characters[row] = c - row_start - beyond
        lengths[row] = count - row_count
    cleaned_edges[len(text_starts)] = c
    return count
