import numpy as np

from textgen.text.compiled.characters import CHARACTERS
from textgen.text.compiled.pretoken_cutting import (
    LETTER,
    MARK,
    NUMBER,
    UNKNOWN,
    WHITE,
    cut_pretokens,
    find_unknown,
)

KINDS = np.full(CHARACTERS, MARK, np.uint8)
KINDS[[ord(c) for c in " \n\u3000"]] = WHITE
KINDS[[ord(c) for c in "abdelmrstv\u00e9\u65e5\U00010348"]] = LETTER
KINDS[[ord(c) for c in "12\u00b2"]] = NUMBER


def cut(*texts: str) -> list[list[str]]:
    """The pre-tokens of each text."""
    encoded = [text.encode() for text in texts]
    text = np.frombuffer(b"".join(encoded), np.uint8)
    edges = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    starts, sizes = np.empty(len(text), np.int64), np.empty(len(text), np.int32)
    lengths = np.empty(len(encoded), np.int64)
    count = cut_pretokens(text, edges, KINDS, starts, sizes, lengths)
    spans = list(zip(starts[:count].tolist(), (starts + sizes)[:count].tolist(), strict=True))
    found = iter(text[start:end].tobytes().decode() for start, end in spans)
    return [[next(found) for _ in range(length)] for length in lengths.tolist()]


def test_texts_are_cut_by_the_pattern() -> None:
    assert cut("a 12!", "", " d\u00e9 \u65e5\U00010348\u00b2") == [
        ["a", " 12", "!"],
        [],
        [" d\u00e9", " \u65e5\U00010348", "\u00b2"],
    ]


def test_the_last_white_space_before_a_word_is_apart() -> None:
    assert cut("a \n  b", "a\u3000\u3000!", "\n\n", "a \nb", " ") == [
        ["a", " \n ", " b"], ["a", "\u3000", "\u3000", "!"], ["\n\n"], ["a", " ", "\n", "b"], [" "],
    ]  # fmt: skip


def test_contractions_are_apart_where_an_apostrophe_begins_a_pretoken() -> None:
    assert cut("a's've'll're'd'm't", "!'s", " 's", "'v", "'", "''s") == [
        ["a", "'s", "'ve", "'ll", "'re", "'d", "'m", "'t"],
        ["!'", "s"], [" '", "s"], ["'", "v"], ["'"], ["''", "s"],
    ]  # fmt: skip


def test_unknown_characters_are_found_once_in_blocks() -> None:
    kinds, found = np.full(CHARACTERS, UNKNOWN, np.uint8), np.empty(2, np.int64)
    text = np.frombuffer("aba\u00e9\U00010348b".encode(), np.uint8)
    assert (find_unknown(text, kinds, found), found.tolist()) == (2, [ord("a"), ord("b")])
    assert (find_unknown(text, kinds, found), found.tolist()) == (2, [0xE9, 0x10348])
    assert find_unknown(text, kinds, found) == 0
