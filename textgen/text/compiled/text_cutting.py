"""Compiled loops that clean texts, and find the chunks and tokens in them."""

import numpy as np

from textgen.numba_loops import HIGH_BITS, WORD_BYTES, compiled, inlined, word_at
from textgen.text.compiled.byte_rules import MARK, OTHER, QUOTE, SEPARATE, SPACE, STRIP, WORD
from textgen.text.compiled.loop_arrays import ByteTables, CutChunks, FoundTokens, PlacedChunks, Texts, WrittenTexts

SPACE_CODE, APOSTROPHE, LINE_FEED, CARRIAGE_RETURN = (ord(character) for character in " '\n\r")
_ASCII = 128


@compiled
def find_others(
    text: np.ndarray,
    edges: np.ndarray,
    kinds: np.ndarray,
    mapped: np.ndarray,
    longest_run: int,
    starts: np.ndarray,
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
        starts: int64 [S], receives the start of each chunk in `text`.
        ends: int64 [S], receives the end of each chunk.
        rows: int64 [S], receives the index of its text.

    Returns:
        The number of chunks.
    """
    count, skips_ascii = 0, longest_run == 0
    for code in range(_ASCII):
        skips_ascii &= kinds[code] != OTHER
    for row in range(len(edges) - 1):
        i, end = edges[row], edges[row + 1]
        run, before = 0, np.int64(-1)
        while i < end:
            if skips_ascii and i + WORD_BYTES <= end and not word_at(text, np.uint64(i)) & HIGH_BITS:
                i += WORD_BYTES
                continue
            kind = kinds[text[i]]
            if kind == SPACE:
                run, before = 0, np.int64(-1)
            elif longest_run:
                byte = np.int64(mapped[text[i]])
                run = run + 1 if byte == before else 1
                before = byte
                if run > longest_run:
                    kind = np.uint8(OTHER)
            if kind != OTHER:
                i += 1
                continue
            start = i
            while start > edges[row] and kinds[text[start - 1]] != SPACE:
                start -= 1
            while i < end and kinds[text[i]] != SPACE:
                i += 1
            starts[count], ends[count], rows[count] = start, i, row
            count += 1
    return count


@inlined
def write_gap(cleaned: np.ndarray, c: int, wanted: bool) -> int:
    """Writes a space at cleaned[c] if it is wanted; returns where to write on."""
    if wanted:
        cleaned[c] = SPACE_CODE
        return c + 1
    return c


@inlined
def copy_entry(entries: CutChunks, entry: int, cleaned: np.ndarray, c: int) -> int:
    """Writes the cleaned text of a chunk at cleaned[c]; returns where to write on."""
    start, end = entries.edges[entry], entries.edges[entry + 1]
    for k in range(end - start):
        cleaned[c + k] = entries.text[start + k]
    return c + end - start


@inlined
def _add_token(start: int, end: int, tokens: FoundTokens, count: int) -> int:
    """Adds the token cleaned[start:end]; returns the number of tokens."""
    tokens.starts[count], tokens.sizes[count] = start, end - start
    return count + 1


@inlined
def _add_word(start: int, end: int, cleaned: np.ndarray, tokens: FoundTokens, count: int) -> int:
    """Adds the tokens of the word cleaned[start:end]: apostrophes at its ends are apart. Returns their number."""
    if cleaned[start] != APOSTROPHE and cleaned[end - 1] != APOSTROPHE:
        return _add_token(start, end, tokens, count)
    inner_start, inner_end = start, end
    while inner_start < end and cleaned[inner_start] == APOSTROPHE:
        inner_start += 1
    while inner_end > inner_start and cleaned[inner_end - 1] == APOSTROPHE:
        inner_end -= 1
    # All is before `inner_start` if there are only apostrophes.
    for part_start, part_end in ((start, inner_start), (inner_start, inner_end), (max(inner_end, inner_start), end)):
        if part_end > part_start:
            count = _add_token(part_start, part_end, tokens, count)
    return count


@inlined
def _add_entry(entries: CutChunks, entry: int, c: int, tokens: FoundTokens, count: int) -> int:
    """Adds the tokens of a chunk whose cleaned text begins at `c`; returns the number of tokens."""
    for k in range(entries.token_edges[entry], entries.token_edges[entry + 1]):
        start = c + entries.token_starts[k]
        count = _add_token(start, start + entries.token_sizes[k], tokens, count)
    return count


@inlined
def _cut_chunk(
    text: np.ndarray,
    i: int,
    end: int,
    rules: ByteTables,
    cleaned: np.ndarray,
    c: int,
    tokens: FoundTokens,
    count: int,
) -> tuple[int, int, int]:
    """Cuts the chunk that starts at text[i], where marks stay; returns the new i, c and count."""
    separates = rules.marks == SEPARATE
    while i < end:
        kind = rules.kinds[text[i]]
        if kind == SPACE:
            break
        start = c
        # Unsigned, see `word_at`.
        source, target, stop = np.uint64(i), np.uint64(c), np.uint64(end)
        while source < stop:
            byte = text[source]
            kind = rules.kinds[byte]
            if kind == SPACE or (separates and kind == MARK):
                break
            cleaned[target] = rules.mapped[byte]
            source += np.uint64(1)
            target += np.uint64(1)
        i, c = np.int64(source), np.int64(target)  # type: ignore[assignment]
        if c == start:
            cleaned[c] = rules.mapped[text[i]]
            count = _add_token(c, c + 1, tokens, count)
            c += 1
            i += 1
        elif separates:
            count = _add_word(start, c, cleaned, tokens, count)
        else:
            count = _add_token(start, c, tokens, count)
    return i, c, count


@inlined
def _cut_stripped(
    text: np.ndarray,
    i: int,
    end: int,
    rules: ByteTables,
    gap: bool,
    follows: bool,
    cleaned: np.ndarray,
    c: int,
    tokens: FoundTokens,
    count: int,
) -> tuple[int, int, int, bool]:
    """Cuts the chunk that starts at text[i], without its marks; returns the new i, c, count and gap."""
    in_marks = False
    while i < end and rules.kinds[text[i]] != SPACE:
        kind = rules.kinds[text[i]]
        if kind == MARK:
            if rules.collapses:
                gap = True
            else:
                c = write_gap(cleaned, c, not in_marks)
            in_marks = True
        elif kind != QUOTE:
            c, gap, in_marks = write_gap(cleaned, c, gap and follows), False, False
            start = c
            while i < end and (rules.kinds[text[i]] == WORD or rules.kinds[text[i]] == QUOTE):
                if rules.kinds[text[i]] == WORD:
                    cleaned[c] = rules.mapped[text[i]]
                    c += 1
                i += 1
            count = _add_token(start, c, tokens, count)
            follows = True
            continue
        i += 1
    return i, c, count, gap


@inlined
def is_written_space(text: np.ndarray, i: int, end: int) -> bool:
    """Returns whether the white space text[i] is written where lines are kept: a line end is written once."""
    return not (text[i] == CARRIAGE_RETURN and i + 1 < end and text[i + 1] == LINE_FEED)


@compiled
def cut_texts(
    texts: Texts,
    rules: ByteTables,
    chunks: PlacedChunks,
    entries: CutChunks,
    written: WrittenTexts,
    tokens: FoundTokens,
) -> int:
    """Cleans texts and finds their tokens.

    Args:
        texts: the texts.
        rules: rules for bytes; see `ByteRules`.
        chunks: the chunks to which the rules do not apply.
        entries: their cleaned texts and tokens.
        written: receives the cleaned texts.
        tokens: receives the tokens.

    Returns:
        The number of tokens.
    """
    text, cleaned = texts.text, written.text
    count, c, chunk = 0, 0, 0
    for row in range(len(texts.starts)):
        i, end = texts.starts[row], texts.ends[row]
        row_start, row_count, beyond = c, count, 0
        written.edges[row] = c
        # Whether white space is to be written before the next word; only where it collapses.
        gap = False
        while i < end:
            # White space at the start remains if the text continues the one before.
            follows = c > row_start or texts.continued[row]
            if rules.kinds[text[i]] == SPACE:
                if rules.collapses:
                    gap = True
                elif is_written_space(text, i, end):
                    cleaned[c] = rules.mapped[text[i]]
                    c += 1
                i += 1
            elif chunk < len(chunks.starts) and chunks.starts[chunk] == i:
                entry = chunks.entries[chunk]
                i = chunks.ends[chunk]
                chunk += 1
                size = entries.edges[entry + 1] - entries.edges[entry]
                if size:
                    c, gap = write_gap(cleaned, c, gap and follows), False
                    count = _add_entry(entries, entry, c, tokens, count)
                    c = copy_entry(entries, entry, cleaned, c)
                    # Bytes beyond the first of a character.
                    beyond += size - entries.characters[entry]
            elif rules.marks == STRIP:
                i, c, count, gap = _cut_stripped(text, i, end, rules, gap, follows, cleaned, c, tokens, count)
            else:
                c, gap = write_gap(cleaned, c, gap and follows), False
                i, c, count = _cut_chunk(text, i, end, rules, cleaned, c, tokens, count)
        written.characters[row] = c - row_start - beyond
        tokens.lengths[row] = count - row_count
    written.edges[len(texts.starts)] = c
    return count
