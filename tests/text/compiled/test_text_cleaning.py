import numpy as np
import pytest

from textgen.config import TextConfig
from textgen.text.compiled.byte_rules import byte_rules
from textgen.text.compiled.text_cleaning import clean_texts


def cleaned(text: bytes, *, continued: bool = False, **settings: object) -> bytes:
    """Returns the cleaned text of ASCII."""
    rules = byte_rules(TextConfig(tokenizer="char", punctuation="keep", **settings))
    assert rules is not None
    none, written, edges = np.zeros(0, np.int64), np.zeros(len(text) + 2, np.uint8), np.zeros(2, np.int64)
    characters = np.zeros(1, np.int64)
    clean_texts(
        np.frombuffer(text, np.uint8), np.array([0]), np.array([len(text)]), np.array([continued]), rules.kinds,
        rules.mapped, rules.collapses, none, none, none.astype(np.int32), none.astype(np.uint8), none, none,
        written, edges, characters,
    )  # fmt: skip
    assert characters.tolist() == [edges[1]]
    return written[: edges[1]].tobytes()


@pytest.mark.parametrize(
    ("text", "collapsed", "kept"),
    [
        (b" The  sea,\r\n", b"the sea,", b" the  sea,\n"),
        (b"a\x01\t\r\rb", b"a b", b"a \t\n\nb"),
        (b"\x00", b"", b" "),
    ],
)
def test_text_is_cleaned(text: bytes, collapsed: bytes, kept: bytes) -> None:
    assert cleaned(text) == collapsed
    assert cleaned(text, whitespace="keep") == kept


def test_the_space_before_the_first_word_of_a_further_chunk_stays() -> None:
    assert cleaned(b"\n A", continued=True, case="keep") == b" A"
    assert cleaned(b"\n ", continued=True) == b""
