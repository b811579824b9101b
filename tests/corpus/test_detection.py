import bz2
import doctest
import gzip
import io
import lzma
import random

import pyarrow as pa
import pyarrow.parquet
import pytest

from textgen.config import FORMATS
from textgen.corpus import detection
from textgen.corpus.detection import HEAD_BYTES, NOTICES, Detected, Head, NotTextError, detect, read_head
from textgen.errors import UserError

TEXT = b"Call me Ishmael. Some years ago\n"
BINARY = random.Random(1).randbytes(5000)


def parquet():
    file = io.BytesIO()
    pa.parquet.write_table(pa.table({"text": ["a"]}), file)
    return file.getvalue()


def head_of(content, path="a.txt"):
    return read_head(path, lambda _, size: content[:size])


def detected(path, content=TEXT, format="auto", encoding="utf-8"):
    content = content if isinstance(content, bytes) else content.encode(encoding)
    return detect(path, head_of(content, path), format=format, encoding=encoding)


@pytest.mark.parametrize(
    ("pack", "compression"),
    [
        (bytes, ()),
        (gzip.compress, ("gzip",)),
        (bz2.compress, ("bz2",)),
        (lzma.compress, ("xz",)),
        (lambda content: lzma.compress(content, lzma.FORMAT_ALONE), ("lzma",)),
        (lambda content: pa.compress(content, "zstd", asbytes=True), ("zstd",)),
        (lambda content: gzip.compress(gzip.compress(content)), ("gzip", "gzip")),
        (lambda content: bz2.compress(lzma.compress(content)), ("bz2", "xz")),
    ],
)
def test_the_head_is_decompressed_whatever_the_name(pack, compression):
    assert head_of(pack(TEXT)) == Head(TEXT, compression, True)
    long = b"".join(b"%d years ago\n" % i for i in range(40_000))
    content, found, is_whole = head_of(pack(long))
    assert (found, is_whole) == (compression, False)
    assert long.startswith(content) and len(content) > HEAD_BYTES // 4


def test_more_is_read_only_where_a_block_is_longer():
    asked = []
    stored = bz2.compress(random.Random(1).randbytes(200_000))

    def read(path, size):
        asked.append(size)
        return stored[:size]

    assert read_head("a", read).content
    assert asked == [HEAD_BYTES, 1 << 20]
    asked.clear()
    stored = bz2.compress(TEXT)
    read_head("a", read)
    assert asked == [HEAD_BYTES]


def test_a_long_block_may_be_compressed_again():
    inner = gzip.compress(random.Random(1).randbytes(200_000))
    stored = bz2.compress(bz2.compress(inner))
    head = read_head("a", lambda _, size: stored[:size])
    assert head.compression == ("bz2", "bz2", "gzip")
    assert len(head.content) == HEAD_BYTES


def test_a_file_that_is_compressed_too_often_is_an_error():
    content = TEXT
    for _ in range(5):
        content = gzip.compress(content)
    with pytest.raises(
        UserError, match=r"a\.txt is compressed at least 5 times over; at most 4 .* Decompress it first"
    ):
        head_of(content)


@pytest.mark.parametrize(
    ("path", "asked", "found"),
    [
        ("a.txt", "auto", "document"),
        ("a", "auto", "document"),
        ("gs://bucket/A.CSV", "auto", "csv"),
        ("a.tab", "auto", "tsv"),
        ("a.ndjson", "auto", "jsonl"),
        ("a.json", "auto", "json"),
        ("a.csv.gz", "auto", "csv"),
        ("a.TSV.BZ2", "auto", "tsv"),
        ("a.csv.gz.xz", "auto", "csv"),
        ("a.gz.txt", "auto", "document"),
        ("a.csv", "lines", "lines"),
        ("a.txt", "csv", "csv"),
        ("train.pt", "auto", "document"),
        ("a.srt", "lines", "lines"),
        ("a.warc.gz", "document", "document"),
    ],
)
def test_the_format_of_text_is_the_given_one_or_that_of_the_ending(path, asked, found):
    assert detected(path, format=asked).format == found
    assert found in FORMATS


@pytest.mark.parametrize("path", ["a.parquet", "a.txt", "part-00000", "a.csv"])
def test_parquet_is_parquet_whatever_its_name(path):
    assert detected(path, parquet()) == detected(path, parquet(), "parquet") == Detected("parquet")
    with pytest.raises(UserError, match=rf"{path} is a Parquet file .*read as jsonl\. Use --format parquet"):
        detected(path, parquet(), "jsonl")
    with pytest.raises(UserError, match=rf"{path} is a compressed Parquet file; .*Decompress it first\."):
        detected(path, gzip.compress(parquet()))


def test_text_is_not_read_as_parquet():
    for path, asked in (("a.parquet", "auto"), ("a.txt", "parquet")):
        with pytest.raises(UserError, match=rf"{path} is no Parquet file: .*PAR1.*--format"):
            detected(path, TEXT, asked)


@pytest.mark.parametrize("asked", ["auto", "lines", "csv", "json"])
@pytest.mark.parametrize(
    ("path", "content", "kind"),
    [
        ("a.txt", b"%PDF-1.7\n", "PDF"),
        ("a.pdf", TEXT, "PDF"),
        ("a.docx.gz", TEXT, "Word"),
        ("a.xlsx", b"PK\x03\x04 damaged", "Excel"),
        ("a", BINARY, "binary data"),
        ("a.csv", gzip.compress(BINARY, mtime=0), "binary data"),
        ("a.tar.gz", gzip.compress(TEXT, mtime=0), "tar archive"),
        ("a.txt", b"\x89PNG\r\n\x1a\n\0\0", "PNG image"),
        ("a.png", TEXT, "PNG image"),
    ],
)
def test_what_holds_no_text_is_an_error_with_its_kind(path, content, kind, asked):
    with pytest.raises(
        NotTextError, match=rf"{path} is not text \({kind}\), so textgen can't read it\. \w+"
    ) as caught:
        detected(path, content, asked)
    assert caught.value.reason == f"not text ({kind})"


@pytest.mark.parametrize("path", ["a.ipynb", "a.srt", "a.wet.gz"])
def test_text_with_a_structure_is_read_only_where_the_format_is_given(path):
    with pytest.raises(NotTextError, match=r"not text \((notebook|subtitles|web archive)\)"):
        detected(path)
    assert detected(path, TEXT, "document").format == "document"


def test_a_name_of_a_compressed_file_may_be_wrong():
    assert detected("a.txt.gz") == Detected("document", ("not compressed",))
    assert detected("a.csv.gz", bz2.compress(TEXT)) == Detected("csv")
    with pytest.raises(
        UserError, match=r"a\.txt\.gz can't be decompressed: .*neither like a gzip file nor like text"
    ):
        detected("a.txt.gz", BINARY)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize(
    ("content", "found"),
    [
        ('{"text": "a"}\n{"text": "b"}\n', "jsonl"),
        ('[1, "a"]\n[2, "b"]\n', "jsonl"),
        ('[{"text": "a"}]', "json"),
        ('[{"text": "a"},\n {"text": "b"}]', "json"),
        ('{\n  "data": [{"text": "a"}]}', "json"),
        ('[\n  "a"\n]', "json"),
    ],
)
def test_json_and_json_lines_are_told_by_their_content(content, found, pack, encoding):
    packed = pack(content.encode(encoding))
    for path, asked in (("a.json", "auto"), ("a.jsonl", "auto"), ("a", "json"), ("a", "jsonl")):
        head = head_of(packed, path)
        assert detect(path, head, format=asked, encoding=encoding).format == found
    assert detect("a.jsonl", head_of(packed), format="auto", encoding=encoding).notices == (
        ("no lines",) if found == "json" else ()
    )


def test_a_single_object_is_what_its_ending_says():
    assert detected("a.json", '{"data": [{"text": "a"}]}').format == "json"
    assert detected("a.jsonl", '{"text": "a"}').format == "jsonl"


@pytest.mark.parametrize(
    ("content", "notice"),
    [
        ('{"text": "a"}\n{"text": "b"}\n', "jsonl"),
        ('[{"text": "a"}, {"text": "b"}]', "json"),
        ("id,text\n1,one\n2,two\n", "csv"),
        ("id\ttext\n1\tone\n2\ttwo, three\n", "tsv"),
        ('id;"the text"\n1;one\n2;"two;\nthree"\n3;x\n', "csv"),
        ("<!DOCTYPE html>\n<p>One", "html"),
        ('<?xml version="1.0"?>\n<doc/>', "xml"),
        ("Well, said he.\nNo, she said.\nOh, no.\n", ""),
        ("One\nTwo\n", ""),
        ("[Illustration]\n\nCHAPTER I", ""),
        ("{curly}", ""),
    ],
)
def test_what_a_text_seems_to_be_is_told(content, notice):
    assert detected("a.txt", content) == Detected("document", (notice,) if notice else ())
    assert detected("a.txt", content, "lines") == Detected("lines")
    assert not notice or notice in NOTICES


def test_text_in_a_wide_encoding_is_text_and_not_read_in_another():
    wide = head_of("abc déf".encode("utf-16-le"))
    with pytest.raises(UserError, match="Use --encoding utf-16-le"):
        detect("a.txt", wide, format="auto", encoding="utf-8")
    assert detect("a.txt", wide, format="auto", encoding="auto") == Detected("document", (), "utf-16-le")
    marked = head_of('{"text": "a"}\n'.encode("utf-16"))
    assert detect("a.jsonl", marked, format="auto", encoding="utf-8") == Detected("jsonl", (), "utf-16")


def test_text_that_was_decoded_twice_is_told():
    assert "decoded twice" in detected("a.txt", "cafÃ© Ã  la crÃ¨me".encode()).notices


def test_a_binary_file_of_ascii_and_nuls_is_not_text():
    with pytest.raises(NotTextError):
        detected("a.txt", b"name\0value\0other name\0\0\0")


def test_the_examples_in_the_docstrings_hold():
    result = doctest.testmod(detection)
    assert result.attempted and not result.failed
