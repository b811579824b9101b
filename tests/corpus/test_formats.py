import doctest

import pytest

from textgen.config import FORMATS
from textgen.corpus import formats
from textgen.corpus.formats import format_of
from textgen.errors import UserError


@pytest.mark.parametrize(
    ("path", "asked", "found"),
    [
        ("a.txt", "auto", "document"),
        ("a", "auto", "document"),
        ("a.b", "auto", "document"),
        ("gs://bucket/A.CSV", "auto", "csv"),
        ("a.tsv", "auto", "tsv"),
        ("a.tab", "auto", "tsv"),
        ("a.jsonl", "auto", "jsonl"),
        ("a.ndjson", "auto", "jsonl"),
        ("a.json-lines", "auto", "jsonl"),
        ("a.parquet", "auto", "parquet"),
        ("a.pq", "auto", "parquet"),
        ("a.gz", "auto", "document"),
        ("a.csv.gz", "auto", "csv"),
        ("a.TSV.BZ2", "auto", "tsv"),
        ("a.jsonl.xz", "auto", "jsonl"),
        ("a.txt.zst", "auto", "document"),
        ("a.gz.txt", "auto", "document"),
        ("a.csv", "lines", "lines"),
        ("a.txt", "csv", "csv"),
        ("a.txt.gz", "paragraphs", "paragraphs"),
        ("a.parquet", "parquet", "parquet"),
        ("a.snappy.parquet", "auto", "parquet"),
        ("part-00000", "parquet", "parquet"),
    ],
)
def test_a_format_is_the_given_one_or_that_of_the_ending(path, asked, found):
    assert format_of(path, asked) == found
    assert found in FORMATS


@pytest.mark.parametrize("asked", ["auto", "document", "lines"])
@pytest.mark.parametrize(
    ("path", "remedy"),
    [
        ("a.zip", "Extract its files first"),
        ("a.csv.ZIP", "Extract its files first"),
        ("a.tar", "Extract its files first"),
        ("a.tgz", "Extract its files first"),
        ("a.tar.gz", "Extract its files first"),
        ("a.7z", "Extract its files first"),
        ("a.lz4", "Decompress it first"),
        ("a.pdf", r"\.txt"),
        ("a.docx", r"\.txt"),
        ("a.docx.gz", r"\.txt"),
        ("a.xlsx", r"\.csv"),
        ("a.tfrecord", r"\.jsonl"),
        ("a.arrow", r"\.parquet"),
    ],
)
def test_an_archive_or_binary_file_is_an_error_with_a_remedy(path, remedy, asked):
    with pytest.raises(UserError, match=rf"{path} is a \.\w+ file, which textgen can't read\. .*{remedy}"):
        format_of(path, asked)


@pytest.mark.parametrize("asked", ["document", "csv"])
def test_parquet_is_not_read_as_text(asked):
    with pytest.raises(UserError, match=rf"a\.parquet is a \.parquet file.*as {asked}\. Use --format parquet"):
        format_of("a.parquet", asked)


@pytest.mark.parametrize(("path", "asked"), [("a.parquet.gz", "auto"), ("a.pq.zst", "parquet"), ("a.gz", "parquet")])
def test_compressed_parquet_is_an_error(path, asked):
    with pytest.raises(UserError, match=rf"{path} is a compressed Parquet file; .*Decompress it first\."):
        format_of(path, asked)


def test_the_examples_in_the_docstrings_hold():
    result = doctest.testmod(formats)
    assert result.attempted
    assert not result.failed
