import bz2

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.corpus.formats import READERS
from textgen.corpus.readers.base import CHUNK_BYTES, InputFile, ReadLimits, ReadOptions, TextBatch
from textgen.errors import UserError

READER = READERS["document"]
FILE = InputFile("a.txt", 10_000, 0.0, "document")


def no_file(path):
    raise AssertionError(f"{path} need not be opened")


def test_a_file_of_any_size_is_one_range():
    assert READER.divide(FILE, 7, no_file, ReadOptions()) == [(0, 10_000)]


def test_any_text_can_be_read_as_a_document():
    READER.check(FILE, no_file, ReadOptions())


def test_a_file_that_is_not_compressed_as_its_ending_says_is_an_error(check):
    check("document", bz2.compress(b""), path="a.bz2")
    with pytest.raises(UserError, match=r"a\.bz2 can't be decompressed"):
        check("document", b"plain", path="a.bz2")


def test_a_file_is_one_document_with_its_line_ends(batches_of):
    assert batches_of("document", b"one\r\n\r\ntwo\n") == [TextBatch([b"one\r\n\r\ntwo\n"], [False])]


def test_an_empty_file_is_no_document(batches_of):
    assert batches_of("document", b"") == []
    assert batches_of("document", bz2.compress(b""), path="a.bz2") == []


def test_a_byte_order_mark_is_removed_only_at_the_start(taken_by):
    assert taken_by("document", b"\xef\xbb\xbfa\xef\xbb\xbf").texts == [b"a\xef\xbb\xbf"]


def test_invalid_bytes_are_replaced_and_the_document_is_counted(batches_of):
    assert batches_of("document", b"caf\xe9") == [TextBatch(["caf\ufffd".encode()], [False], replaced=1)]


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-8-sig"])
def test_a_document_may_be_in_another_encoding(taken_by, encoding):
    assert taken_by("document", "café".encode(encoding), encoding=encoding) == (["café".encode()], [], 0)


def test_a_long_document_is_split_into_chunks(batches_of):
    content = b"\xef\xbb\xbf" + b"some words\n" * (CHUNK_BYTES // 4)
    batches = batches_of("document", content)
    assert len(batches) == 3
    assert [batch.continued for batch in batches] == [[False], [True], [True]]
    assert all(len(batch.texts[0]) <= CHUNK_BYTES for batch in batches)
    assert b"".join(batch.texts[0] for batch in batches) == content[3:]
    assert batches == batches_of("document", bz2.compress(content), path="a.bz2")


@given(st.text(max_size=60), st.integers(8, 20), st.integers(1, 30))
@settings(max_examples=60, deadline=None)
def test_a_document_of_any_length_is_read_whole(taken_by, text, chunk_bytes, block_bytes):
    limits = ReadLimits(chunk_bytes=chunk_bytes, block_bytes=block_bytes)
    for encoding in ("utf-8", "utf-16"):
        made = taken_by("document", text.encode(encoding), encoding=encoding, limits=limits).texts
        assert b"".join(made) == text.removeprefix("\ufeff").encode()
        assert len(made) <= 1
