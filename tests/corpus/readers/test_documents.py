import doctest
import io

import pytest

from textgen.corpus import readers
from textgen.corpus.pieces import Batch, Piece
from textgen.corpus.readers import READERS, format_of
from textgen.errors import UserError


def read(content):
    return list(
        READERS["document"].read(Piece("a.txt", 0, len(content), "document"), lambda _: io.BytesIO(content), None)
    )


def test_a_file_is_one_piece_however_big():
    assert READERS["document"].divide("a.txt", 10_000, 7, lambda _: io.BytesIO()) == [(0, 10_000)]


def test_a_file_is_one_document_with_its_line_ends():
    assert read(b"one\r\n\r\ntwo\n") == [Batch(texts=[b"one\r\n\r\ntwo\n"])]


def test_a_byte_order_mark_is_left_out_at_the_start_alone():
    assert read(b"\xef\xbb\xbfa\xef\xbb\xbf") == [Batch(texts=[b"a\xef\xbb\xbf"])]


def test_invalid_bytes_are_replaced_and_the_document_counted_as_repaired():
    assert read(b"caf\xe9") == [Batch(texts=["caf\ufffd".encode()], repaired=1)]


@pytest.mark.parametrize(
    ("path", "asked", "found"),
    [
        ("a.txt", "auto", "document"),
        ("a", "auto", "document"),
        ("gs://bucket/A.CSV", "auto", "csv"),
        ("a.csv", "lines", "lines"),
        ("a.txt", "csv", "csv"),
        ("a.gz.txt", "auto", "document"),
    ],
)
def test_a_format_is_what_is_asked_for_or_what_the_ending_tells(path, asked, found):
    assert format_of(path, asked) == found
    assert found in READERS


@pytest.mark.parametrize("ending", [".gz", ".BZ2", ".xz", ".zst", ".zip", ".parquet", ".tfrecord"])
@pytest.mark.parametrize("asked", ["auto", "document"])
def test_a_compressed_or_binary_file_is_refused_with_what_to_do(ending, asked):
    with pytest.raises(UserError, match=rf"a\.csv{ending} is a {ending.lower()} file; .*Unpack it first\."):
        format_of(f"a.csv{ending}", asked)


def test_examples_in_the_docstrings_hold():
    result = doctest.testmod(readers)
    assert result.attempted > 0
    assert result.failed == 0
