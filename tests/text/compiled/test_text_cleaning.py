import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.text.compiled.test_text_cutting import NO_CHUNKS, NO_ENTRIES
from textgen.config import TextConfig
from textgen.text.compiled.byte_rules import byte_rules
from textgen.text.compiled.loop_arrays import ByteTables, Texts, WrittenTexts
from textgen.text.compiled.text_cleaning import clean_texts


def cleaned(text: bytes, *, continued: bool = False, **settings: object) -> bytes:
    """Returns the cleaned text of ASCII."""
    rules = byte_rules(TextConfig(tokenizer="char", punctuation="keep", **settings))
    assert rules is not None
    texts = Texts(np.frombuffer(text, np.uint8), np.array([0]), np.array([len(text)]), np.array([continued]))
    written = WrittenTexts.with_room(texts, 1)
    tables = ByteTables(rules.kinds, rules.mapped, rules.marks, rules.collapses)
    clean_texts(texts, tables, NO_CHUNKS, NO_ENTRIES, written)
    assert written.characters.tolist() == [written.edges[1]]
    return written.text[: written.edges[1]].tobytes()


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


@given(st.text(alphabet=" aB\r\n\t\x7f", max_size=60))
@settings(max_examples=100, deadline=None)
def test_line_ends_are_written_alike_wherever_they_are(text: str) -> None:
    expected = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x7f", " ")
    assert cleaned(text.encode(), whitespace="keep", case="keep").decode() == expected


def test_the_space_before_the_first_word_of_a_further_chunk_stays() -> None:
    assert cleaned(b"\n A", continued=True, case="keep") == b" A"
    assert cleaned(b"\n ", continued=True) == b""
