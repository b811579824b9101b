import gzip
import io
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from textgen.corpus.formats import READERS
from textgen.corpus.readers.base import CHUNK_BYTES, FileRange, InputFile, ReadLimits, ReadOptions
from textgen.corpus.readers.paragraphs import boundary
from textgen.errors import UserError

READER = READERS["paragraphs"]
MARK = b"\xef\xbb\xbf"


def expected(content):
    paragraphs, current = [], b""
    for line in [*content.removeprefix(MARK).splitlines(keepends=True), b"\n"]:
        if line.strip():
            current += line
        elif current:
            paragraphs.append(current.removesuffix(b"\n").removesuffix(b"\r"))
            current = b""
    return paragraphs


lines = st.sampled_from(
    [b"", b"", b" ", b"\t", b"a", b"words words", b"  indented", b"b\r", b"\r", "é\u3042".encode()]
)
line_ends = st.sampled_from([b"\n", b"\n", b"\r\n", b"\r"])
ended_lines = st.tuples(lines, line_ends).map(b"".join)
files = st.tuples(st.sampled_from([b"", MARK]), st.lists(ended_lines, max_size=25).map(b"".join), lines).map(b"".join)


@given(files, st.integers(1, 60), st.integers(1, 16))
@example(b"a\n\nb\n\nc", 1, 1)
@example(b"\n\n\na\n \n\nb\n", 1, 1)
@example(MARK + b"a\n\nb", 2, 1)
@example(b"a\r\rb\r\n\rc\r", 2, 1)
@settings(max_examples=200, deadline=None)
def test_any_division_gives_every_paragraph_once(taken_by, content, unit_bytes, block_bytes):
    # No blank line is longer than a chunk.
    limits = ReadLimits(chunk_bytes=16, block_bytes=block_bytes)
    assert taken_by("paragraphs", content, unit_bytes=unit_bytes, limits=limits).texts == expected(content)


@given(files, st.data())
@settings(max_examples=100, deadline=None)
def test_ranges_with_any_edges_give_every_paragraph_once(taken_by, content, data):
    cuts = data.draw(st.lists(st.integers(0, len(content)), max_size=5).map(sorted))
    assert taken_by("paragraphs", content, edges=[0, *cuts, len(content)]).texts == expected(content)


@given(files, st.integers(1, 200))
@settings(max_examples=100)
def test_a_boundary_is_the_start_of_a_paragraph_or_the_end_of_the_file(content, position):
    position = min(position, len(content))
    found = boundary(io.BytesIO(content), position, ReadLimits()) if position else 0
    assert position <= found <= len(content)
    if 0 < found < len(content):
        assert re.search(rb"(?:^|[\r\n])[ \t]*(?:\n|\r\n?)$", content[:found])
        assert content[found:].splitlines()[0].strip()


@pytest.mark.parametrize(
    ("content", "paragraphs"),
    [
        (b"one\ntwo\n\nthree\n", [b"one\ntwo", b"three"]),
        (b"one\r\ntwo\r\n\r\nthree\r\n", [b"one\r\ntwo", b"three"]),
        (b"one\rtwo\r\rthree\r", [b"one\rtwo", b"three"]),
        (b"\n\n  one\n \t \n\n\ntwo", [b"  one", b"two"]),
        (b"one", [b"one"]),
        (b"\n \n", []),
        (b"", []),
        ("one\n\u3000\ntwo".encode(), ["one\n\u3000\ntwo".encode()]),
    ],
)
def test_paragraphs_are_separated_by_blank_lines(taken_by, content, paragraphs):
    assert taken_by("paragraphs", content).texts == paragraphs


def test_a_file_is_divided_into_equal_ranges_if_it_can_be():
    plain, packed, utf16 = (
        InputFile("a", 100, 0.0, "paragraphs", *how) for how in ((), (("gzip",),), ((), "utf-16"))
    )
    assert READER.divide(plain, 50, None, ReadOptions()) == [(0, 50), (50, 100)]
    assert READER.divide(packed, 50, None, ReadOptions()) == [(0, 100)]
    assert READER.divide(utf16, 50, None, ReadOptions()) == [(0, 100)]


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_paragraphs_may_be_in_another_encoding(taken_by, encoding):
    content = "é\n\nè\nê".encode(encoding)
    assert taken_by("paragraphs", content, unit_bytes=2, encoding=encoding).texts == ["é".encode(), "è\nê".encode()]


def test_all_paragraphs_of_a_compressed_file_are_read(taken_by):
    content = gzip.compress(b"a\n\nb\nc\n\n" * 1000)
    assert taken_by("paragraphs", content, path="a.gz").texts == [b"a", b"b\nc"] * 1000


def test_a_long_paragraph_is_split_into_chunks(batches_of, taken_by):
    long = b"some words\n" * (CHUNK_BYTES // 4) + b"end"
    content = b"a\n\n" + long + b"\n\nb\n"
    edges = [0, 7, CHUNK_BYTES, len(content)]
    assert taken_by("paragraphs", content, edges=edges).texts == [b"a", long, b"b"]
    batches = batches_of("paragraphs", content)
    assert len(batches) == 5
    assert all(len(text) <= CHUNK_BYTES for batch in batches for text in batch.texts)
    assert batches == batches_of("paragraphs", gzip.compress(content), path="a.gz")


def test_a_line_longer_than_a_chunk_is_not_blank(taken_by):
    content = b"a\n" + b" " * CHUNK_BYTES + b"\nb\n"
    assert taken_by("paragraphs", content).texts == [content.removesuffix(b"\n")]
    assert taken_by("paragraphs", content, edges=[0, 1, CHUNK_BYTES, len(content)]).texts == [
        content.removesuffix(b"\n")
    ]


def test_invalid_bytes_are_replaced_and_their_paragraphs_counted(taken_by):
    assert taken_by("paragraphs", b"ok\n\ncaf\xe9\n\xff\n") == ([b"ok", "caf\ufffd\n\ufffd".encode()], [], 1)


@pytest.mark.parametrize("start", [0, 1, 5, 8])
def test_a_file_that_became_shorter_is_an_error(start):
    file = InputFile("a.txt", 9, 0.0, "paragraphs")
    with pytest.raises(UserError, match=r"a\.txt became shorter while it was read"):
        list(READER.read(FileRange(file, start, 9), lambda _: io.BytesIO(b"a\n\nb\n"), ReadOptions()))


def test_a_file_that_is_not_compressed_as_its_ending_says_is_an_error(check):
    check("paragraphs", b"any text")
    with pytest.raises(UserError, match=r"a\.gz can't be decompressed"):
        check("paragraphs", b"plain", path="a.gz")
