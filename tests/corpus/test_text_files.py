import bz2
import gzip
import io
import math

import pytest

from textgen.corpus.compression import compression_of
from textgen.corpus.readers.base import FileRange, InputFile, ReadOptions
from textgen.corpus.text_files import check_head, is_splittable, open_text, text_encoding, text_end
from textgen.errors import UserError

MARK = b"\xef\xbb\xbf"


def input_file(path, encoding="utf-8"):
    return InputFile(path, 7, 0.0, "lines", compression_of(path), encoding)


def read(content, path="a.txt", encoding="utf-8"):
    with open_text(input_file(path, encoding), lambda _: io.BytesIO(content), ReadOptions()) as file:
        return file.read()


@pytest.mark.parametrize(
    ("path", "encoding", "divisible", "encoding_opened"),
    [
        ("a.txt", "utf-8", True, "utf-8"),
        ("a.txt", "utf-8-sig", True, "utf-8"),
        ("a.txt", "cp1252", True, "cp1252"),
        ("a.txt", "utf-16", False, "utf-8"),
        ("a.txt.gz", "utf-8", False, "utf-8"),
        ("a.txt.gz", "cp1252", False, "cp1252"),
    ],
)
def test_compressed_and_non_ascii_compatible_files_are_not_splittable(path, encoding, divisible, encoding_opened):
    file = input_file(path, encoding)
    assert is_splittable(file) == divisible
    assert text_encoding(file) == encoding_opened
    assert text_end(FileRange(file, 0, 7)) == (7 if divisible else math.inf)


def test_text_in_ascii_compatible_encodings_is_decompressed_but_not_decoded():
    assert read(b"caf\xe9") == b"caf\xe9"
    assert read(b"caf\xe9", encoding="cp1252") == b"caf\xe9"
    assert read(gzip.compress(b"caf\xe9"), "a.gz") == b"caf\xe9"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-7", "iso2022_jp", "cp500"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_text_in_other_encodings_is_converted_to_utf8(encoding, pack):
    content = pack("one\ntwo, é".encode(encoding, "ignore"))
    path = "a.gz" if pack is gzip.compress else "a"
    assert read(content, path, encoding).decode() in ("one\ntwo, é", "one\ntwo, ")


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (MARK + b"a" + MARK, "utf-8"),
        (MARK + b"a" + MARK, "utf-8-sig"),
        ("\ufeffa\ufeff".encode("utf-16-le"), "utf-16"),
        ("\ufeffa\ufeff".encode("utf-16-be"), "utf-16-be"),
    ],
)
def test_a_byte_order_mark_is_removed_only_at_the_start(content, encoding):
    assert read(content, encoding=encoding) == b"a" + MARK
    assert read(gzip.compress(content), "a.gz", encoding) == b"a" + MARK


def test_a_byte_order_mark_may_span_compressed_streams():
    packed = b"".join(bz2.compress(MARK[i : i + 1]) for i in range(3)) + bz2.compress(b"a")
    assert read(packed, "a.bz2") == b"a"


def test_bytes_that_are_no_byte_order_mark_in_the_encoding_remain():
    assert read(MARK + b"a", encoding="cp1252") == MARK + b"a"


@pytest.mark.parametrize("content", [b"", b"a", b"ab", MARK, MARK[:2]])
def test_a_file_may_be_shorter_than_a_byte_order_mark(content):
    assert read(content) == content.removeprefix(MARK)
    assert read(gzip.compress(content), "a.gz") == content.removeprefix(MARK)


def test_a_splittable_file_seeks_by_offsets_of_the_file():
    with open_text(input_file("a.txt"), lambda _: io.BytesIO(MARK + b"abc"), ReadOptions()) as file:
        assert file.tell() == 3
        file.seek(4)
        assert file.read() == b"bc"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_read_as_utf8_is_an_error(encoding):
    with pytest.raises(UserError, match=r"a\.txt starts with the byte order mark of UTF-16.*Use --encoding utf-16\."):
        read("\ufeffa".encode(encoding))


def test_utf16_without_a_byte_order_mark_is_an_error():
    with pytest.raises(UserError, match=r"a\.txt can't be decoded as utf-16: .* as in --encoding utf-16-le"):
        read("abc".encode("utf-16-le"), encoding="utf-16")


def test_invalid_sequences_of_other_encodings_become_invalid_bytes():
    assert read("a\ufeffb".encode("utf-16-le") + b"\x00\xd8", encoding="utf-16-le") == (b"a" + MARK + b"b\xff")


def test_only_compressed_files_are_opened_for_the_check():
    def no_file(path):
        raise AssertionError(f"{path} need not be opened")

    check_head(input_file("a.txt"), no_file, ReadOptions())
    check_head(input_file("a.gz"), lambda _: io.BytesIO(gzip.compress(b"")), ReadOptions())
    check_head(input_file("a.gz"), lambda _: io.BytesIO(gzip.compress(bytes(1 << 22))[:-8]), ReadOptions())
    with pytest.raises(UserError, match=r"a\.gz can't be decompressed"):
        check_head(input_file("a.gz"), lambda _: io.BytesIO(b"plain text"), ReadOptions())
