import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from textgen.corpus.readers.base import ReadLimits, SeparatorOptions

LINE = SeparatorOptions("%")
TOKEN = SeparatorOptions("<|e|>", is_anywhere=True)
FEED = SeparatorOptions("\f", is_anywhere=True)
CHAPTER = SeparatorOptions(pattern="CHAPTER .*")
KEPT = SeparatorOptions(pattern="^(?=CHAPTER )")
TIME = SeparatorOptions(pattern=r"\[\d+\] ")

pieces = st.sampled_from(
    [
        b"a",
        b" b",
        b"\n",
        b"\n",
        b"\r\n",
        b"\r",
        b"%",
        b"50%",
        b"<|e|>",
        b"<|",
        b"|>",
        b"CHAPTER 1",
        b"[7] ",
        "é".encode(),
    ]
)
contents = st.lists(pieces, max_size=30).map(b"".join)


@pytest.mark.parametrize(
    ("separator", "content", "documents"),
    [
        (LINE, b"one\n%\ntwo 50%\nx\n%\n", [b"one", b"two 50%\nx"]),
        (LINE, b"%\none\r\n%\r\n%\r\ntwo", [b"one", b"", b"two"]),
        (LINE, b"one\r % \rtwo\r", [b"one", b"two"]),
        (TOKEN, b"one<|e|>two\n<|e|>\nthree\n<|e|>", [b"one", b"two", b"three"]),
        (TOKEN, b"one<|e|><|e|>two", [b"one", b"", b"two"]),
        (TOKEN, b"one <|e| two", [b"one <|e| two"]),
        (FEED, b"one\n\ftwo\f\nthree", [b"one", b"two", b"three"]),
        (CHAPTER, b"A\nCHAPTER 1\nb.\nIn CHAPTER 2\nCHAPTER 2. The\nx", [b"A", b"b.\nIn CHAPTER 2", b"x"]),
        (KEPT, b"CHAPTER 1\nCall me.\nCHAPTER 2\nx\n", [b"CHAPTER 1\nCall me.", b"CHAPTER 2\nx"]),
        (TIME, b"[1] hello\n[2] you\nthere\n[3] \n[4] x", [b"hello", b"you\nthere", b"", b"x"]),
        (LINE, b"", []),
        (LINE, b"%\n", []),
        (TOKEN, b"no separator\n", [b"no separator"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("unit_bytes", [1, 3, 1000])
def test_documents_stand_between_separators(taken_by, separator, content, documents, unit_bytes):
    assert taken_by("document", content, unit_bytes=unit_bytes, separator=separator).texts == documents


@given(contents, st.sampled_from([LINE, TOKEN, CHAPTER, KEPT, TIME]), st.integers(1, 40), st.integers(1, 9))
@example(b"a\r\n%\r\nb", LINE, 1, 1)
@example(b"a<|e|>b", TOKEN, 2, 3)
@settings(max_examples=300, deadline=None)
def test_documents_do_not_depend_on_units_and_blocks(taken_by, content, separator, unit_bytes, block_bytes):
    whole = taken_by("document", content, separator=separator).texts
    limits = ReadLimits(block_bytes=block_bytes)
    assert taken_by("document", content, unit_bytes=unit_bytes, limits=limits, separator=separator).texts == whole
    packed = taken_by("document", content.decode().encode("utf-16"), encoding="utf-16", separator=separator).texts
    assert packed == whole


def test_a_long_document_is_split_into_chunks(batches_of):
    content = (b"words " * 300_000 + b"\n%\n") * 2
    batches = batches_of("document", content, separator=LINE)
    assert [batch.continued[0] for batch in batches] == [False, True, False, True]


def test_a_separator_is_not_found_within_a_character(taken_by):
    # The second byte of 表 in Shift-JIS is a backslash, and of ポ a vertical line.
    text = "表|ポ、表\n"
    separator = SeparatorOptions("|", is_anywhere=True)
    taken = taken_by("document", text.encode("shift_jis"), encoding="shift_jis", separator=separator)
    assert taken.texts == ["表".encode(), "ポ、表".encode()]
