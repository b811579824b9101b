import gzip
import io

import pytest

from textgen.corpus.readers.base import InputFile, ReadOptions
from textgen.corpus.readers.plain_text import PlainTextReader, equal_ranges
from textgen.errors import UserError


@pytest.mark.parametrize(("size", "unit_bytes"), [(1, 1), (100, 7), (1000, 999), (10, 1000)])
def test_ranges_cover_the_file_and_differ_by_at_most_one_byte(size, unit_bytes):
    ranges = equal_ranges(InputFile("a.txt", size, 0.0, "lines"), unit_bytes)
    assert ranges[0][0] == 0 and ranges[-1][1] == size
    assert all(end == start for (_, end), (start, _) in zip(ranges, ranges[1:], strict=False))
    lengths = [end - start for start, end in ranges]
    assert max(lengths) - min(lengths) <= 1


@pytest.mark.parametrize(("compression", "encoding"), [(("gzip",), "utf-8"), ((), "utf-16")])
def test_a_file_that_can_not_be_split_is_one_range(compression, encoding):
    assert equal_ranges(InputFile("a", 1000, 0.0, "lines", compression, encoding), 10) == [(0, 1000)]


def test_check_opens_compressed_files_only():
    plain, packed = InputFile("a.txt", 9, 0.0, "lines"), InputFile("a.txt.gz", 9, 0.0, "lines", ("gzip",))
    PlainTextReader().check(plain, lambda _: pytest.fail("opened"), ReadOptions())
    PlainTextReader().check(packed, lambda _: io.BytesIO(gzip.compress(b"a")), ReadOptions())
    with pytest.raises(UserError, match="can't be decompressed"):
        PlainTextReader().check(packed, lambda _: io.BytesIO(b"no gzip"), ReadOptions())
