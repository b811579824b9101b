"""Groups of arrays that compiled loops read or fill."""

from typing import NamedTuple

import numpy as np

from textgen.text.compiled.reused_arrays import ReusedArrays


class Texts(NamedTuple):
    """B texts.

    Attributes:
        text: uint8 [S], texts one after another.
        starts: int64 [B], start of each in `text`.
        ends: int64 [B], its end.
        continued: bool [B], whether each continues the document of the text before.
    """

    text: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    continued: np.ndarray


class ByteTables(NamedTuple):
    """Rules for single bytes; the attributes are those of `ByteRules`."""

    kinds: np.ndarray
    mapped: np.ndarray
    marks: int
    collapses: bool


class PlacedChunks(NamedTuple):
    """M chunks of texts, ascending, of which the cleaned text and the tokens are known.

    Attributes:
        starts: int64 [M], start of each in the texts.
        ends: int64 [M], its end.
        entries: int32 [M], its row in CutChunks.
    """

    starts: np.ndarray
    ends: np.ndarray
    entries: np.ndarray


class CutChunks(NamedTuple):
    """The cleaned text and the tokens of E distinct chunks.

    Attributes:
        text: uint8 [S], the cleaned chunks one after another.
        edges: int64 [E + 1], start of each in `text`, and the end of the last.
        characters: int64 [E], number of code points of each.
        token_edges: int64 [E + 1], start of the tokens of each among the T tokens of all, and the end of the last.
        token_starts: int64 [T], start of each token in its cleaned chunk.
        token_sizes: int32 [T], number of its bytes.
    """

    text: np.ndarray
    edges: np.ndarray
    characters: np.ndarray
    token_edges: np.ndarray
    token_starts: np.ndarray
    token_sizes: np.ndarray


class WrittenTexts(NamedTuple):
    """B cleaned texts, which a loop writes.

    Attributes:
        text: uint8 [C], the cleaned texts one after another, and room after them.
        edges: int64 [B + 1], start of each in `text`, and the end of the last.
        characters: int64 [B], number of code points of each.
    """

    text: np.ndarray
    edges: np.ndarray
    characters: np.ndarray

    @classmethod
    def with_room(cls, texts: Texts, size: int) -> "WrittenTexts":
        """Returns arrays for cleaned texts that take at most `size` bytes more than the texts."""
        count = len(texts.starts)
        return cls(
            np.empty(len(texts.text) + count + size, np.uint8),
            np.empty(count + 1, np.int64),
            np.empty(count, np.int64),
        )


class FoundTokens(NamedTuple):
    """T tokens of B texts, which a loop writes.

    Attributes:
        starts: int64 [T], start of each in the cleaned texts; there may be room after them.
        sizes: int32 [T], number of its bytes.
        lengths: int64 [B], number of tokens of each text.
    """

    starts: np.ndarray
    sizes: np.ndarray
    lengths: np.ndarray

    @classmethod
    def with_room(cls, texts: Texts, count: int, arrays: ReusedArrays) -> "FoundTokens":
        """Returns arrays for as many tokens as the texts have bytes, and `count` more."""
        return cls(*token_arrays(len(texts.text) + count, arrays), np.empty(len(texts.starts), np.int64))


def token_arrays(size: int, arrays: ReusedArrays) -> tuple[np.ndarray, np.ndarray]:
    """Returns the starts and sizes of tokens, int64 and int32 [size], to be filled."""
    return arrays.get("token starts", size, np.int64), arrays.get("token sizes", size, np.int32)
