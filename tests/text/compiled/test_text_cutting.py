import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.config import TextConfig
from textgen.text.compiled.byte_rules import byte_rules
from textgen.text.compiled.loop_arrays import ByteTables, CutChunks, FoundTokens, PlacedChunks, Texts, WrittenTexts
from textgen.text.compiled.reused_arrays import ReusedArrays
from textgen.text.compiled.text_cutting import cut_texts, find_others

NONE = np.zeros(0, np.int64)
NO_CHUNKS = PlacedChunks(NONE, NONE, NONE.astype(np.int32))
NO_ENTRIES = CutChunks(NONE.astype(np.uint8), NONE, NONE, NONE, NONE, NONE.astype(np.int32))


def others(text: bytes, **settings: object) -> list[bytes]:
    """Returns the chunks that are left to the graph."""
    rules = byte_rules(TextConfig(**settings))
    assert rules is not None
    starts, ends, rows = (np.zeros(len(text) + 1, np.int64) for _ in range(3))
    count = find_others(
        np.frombuffer(text, np.uint8), np.array([0, len(text)]), rules.kinds, rules.mapped, rules.longest_run,
        starts, ends, rows,
    )  # fmt: skip
    return [text[begin:end] for begin, end in zip(starts[:count], ends[:count], strict=True)]


def cut(text: bytes, *, continued: bool = False, **settings: object) -> tuple[bytes, list[bytes], int]:
    """Returns the cleaned text of ASCII, its tokens, and the number of characters."""
    rules = byte_rules(TextConfig(**settings))
    assert rules is not None
    texts = Texts(np.frombuffer(text, np.uint8), np.array([0]), np.array([len(text)]), np.array([continued]))
    tables = ByteTables(rules.kinds, rules.mapped, rules.marks, rules.collapses)
    written, found = WrittenTexts.with_room(texts, 1), FoundTokens.with_room(texts, 1, ReusedArrays())
    count = cut_texts(texts, tables, NO_CHUNKS, NO_ENTRIES, written, found)
    assert found.lengths.tolist() == [count]
    cleaned = written.text[: written.edges[1]].tobytes()
    spans = zip(found.starts, found.sizes[:count], strict=False)
    return cleaned, [cleaned[start : start + size] for start, size in spans], int(written.characters[0])


def test_chunks_that_are_not_ascii_are_left_to_the_graph() -> None:
    assert others("a café, b\t\u00a0\né".encode()) == ["café,".encode(), "\u00a0".encode(), "é".encode()]


@given(st.text(alphabet="aé \n日", max_size=60), st.integers(0, 20))
@settings(max_examples=100, deadline=None)
def test_chunks_are_found_wherever_they_are(text: str, before: int) -> None:
    text = "a" * before + text
    expected = [chunk.encode() for chunk in text.split() if not chunk.isascii()]
    assert others(text.encode()) == others(text.encode(), max_repeats=100) == expected


def test_chunks_with_long_runs_are_left_to_the_graph() -> None:
    assert others(b"soo sooo sOOo a  b --- ..", max_repeats=2) == [b"sooo", b"sOOo", b"---"]
    assert others(b"sOOo", max_repeats=2, case="keep") == []


@pytest.mark.parametrize(
    ("text", "cleaned", "tokens"),
    [
        (b" The  sea,\n", b"the sea,", [b"the", b"sea", b","]),
        (b"I can't 'go'!", b"i can't 'go'!", [b"i", b"can't", b"'", b"go", b"'", b"!"]),
        (b"'' a''b", b"'' a''b", [b"''", b"a''b"]),
        (b"\x00\x7f \t", b"", []),
    ],
)
def test_text_is_cleaned_and_cut(text: bytes, cleaned: bytes, tokens: list[bytes]) -> None:
    assert cut(text) == (cleaned, tokens, len(cleaned))


def test_marks_stay_or_are_removed() -> None:
    assert cut(b"A-b don't", punctuation="keep", case="keep") == (b"A-b don't", [b"A-b", b"don't"], 9)
    assert cut(b"--A-b don't --", punctuation="strip") == (b"a b dont", [b"a", b"b", b"dont"], 8)


def test_lines_stay_where_white_space_is_kept() -> None:
    assert cut(b"a\r\n b\x01\t\rc", whitespace="keep") == (b"a\n b \t\nc", [b"a", b"b", b"c"], 8)


def test_the_space_before_the_first_word_of_a_further_chunk_stays() -> None:
    assert cut(b"\n a", continued=True) == (b" a", [b"a"], 2)
    assert cut(b"\n ", continued=True) == (b"", [], 0)
