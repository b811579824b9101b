"""Compiled loops that cut cleaned text into the pre-tokens of byte-level BPE, as `split_pretokens` does."""

import numpy as np

from textgen.numba_loops import HIGH_BITS, WORD_BYTES, compiled, inlined, word_at
from textgen.text.compiled.characters import decode

UNKNOWN, WHITE, LETTER, NUMBER, MARK = range(5)
"""Kinds of characters; that of a character is unknown until it is asked for."""

_SPACE, _APOSTROPHE = ord(" "), ord("'")
_S, _T, _D, _M, _L, _R, _V, _E = (ord(character) for character in "stdmlrve")


@compiled
def find_unknown(text: np.ndarray, kinds: np.ndarray, found: np.ndarray) -> int:
    """Finds characters of unknown kind, which get the kind MARK until it is known.

    Args:
        text: uint8 [S], valid UTF-8.
        kinds: uint8 [1,114,112], the kind of each code point.
        found: int64 [N], receives the code points.

    Returns:
        The number of code points; N if there may be more.
    """
    i, count = 0, 0
    while i < len(text) and count < len(found):
        if i + WORD_BYTES <= len(text) and not word_at(text, np.uint64(i)) & HIGH_BITS:
            i += WORD_BYTES
            continue
        code, i = decode(text, i)
        if kinds[code] == UNKNOWN:
            kinds[code] = MARK
            found[count] = code
            count += 1
    return count


@inlined
def _contraction(text: np.ndarray, i: int, last: int) -> int:
    """Returns the end of the contraction that begins at text[i], an apostrophe; `i` if there is none."""
    if i + 1 < last:
        one = text[i + 1]
        if one in (_S, _T, _D, _M):
            return i + 2
        if i + 2 < last:
            two = text[i + 2]
            if (one == _L and two == _L) or (one in (_R, _V) and two == _E):
                return i + 3
    return i


@inlined
def _pretoken_end(text: np.ndarray, begin: int, last: int, kinds: np.ndarray) -> int:
    """Returns the end of the pre-token that begins at text[begin]."""
    code, i = decode(text, begin)
    kind = kinds[code]
    if code == _APOSTROPHE:
        end = _contraction(text, begin, last)
        if end > begin:
            return end
    if code == _SPACE and i < last:
        after, beyond = decode(text, i)
        if kinds[after] != WHITE:
            kind, i = kinds[after], beyond
    before = begin
    while i < last:
        code, beyond = decode(text, i)
        if kinds[code] != kind:
            break
        before, i = i, beyond
    # The last character of white space before a word is apart, if it is not the only one.
    return before if kind == WHITE and i < last and before > begin else i


@compiled
def cut_pretokens(
    text: np.ndarray,
    edges: np.ndarray,
    kinds: np.ndarray,
    starts: np.ndarray,
    sizes: np.ndarray,
    lengths: np.ndarray,
) -> int:
    """Finds the pre-tokens of texts.

    Args:
        text: uint8 [S], texts one after another, each valid UTF-8.
        edges: int64 [B + 1], start of each text in `text`, and the end of the last.
        kinds: uint8 [1,114,112], the kind of each code point.
        starts: int64 [T], receives the start of each pre-token in `text`.
        sizes: int32 [T], receives the number of its bytes.
        lengths: int64 [B], receives the number of pre-tokens of each text.

    Returns:
        The number of pre-tokens.
    """
    count = 0
    for row in range(len(edges) - 1):
        i, last, row_count = edges[row], edges[row + 1], count
        while i < last:
            end = _pretoken_end(text, i, last, kinds)
            starts[count], sizes[count] = i, end - i
            count += 1
            i = end
        lengths[row] = count - row_count
    return count
