import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textgen.corpus import block_files
from textgen.corpus.block_files import open_blocks, read_blocks


def test_a_file_is_read_in_blocks():
    assert list(read_blocks(io.BytesIO(b"abcdefghij"), block_bytes=4)) == [b"abcd", b"efgh", b"ij"]
    assert list(read_blocks(io.BytesIO())) == []


@given(st.lists(st.binary(max_size=6), max_size=8), st.lists(st.integers(1, 9), max_size=8))
def test_a_file_of_blocks_reads_as_the_blocks_joined(blocks, sizes):
    whole = io.BytesIO(b"".join(blocks))
    with open_blocks(iter(blocks), source=io.BytesIO()) as file:
        for size in sizes:
            assert file.read(size) == whole.read(size)
            assert file.tell() == whole.tell()
        assert file.read() == whole.read()
        assert file.read() == b""


def test_a_line_may_span_blocks():
    file = open_blocks(iter([b"on", b"", b"e\ntw", b"o\n"]), source=io.BytesIO())
    assert list(file) == [b"one\n", b"two\n"]


def test_blocks_are_requested_only_when_they_are_read():
    def blocks():
        yield b"a" * block_files.BLOCK_BYTES
        raise AssertionError("this block was not asked for")

    assert open_blocks(blocks(), source=io.BytesIO()).read(1) == b"a"


def test_closing_the_file_closes_its_source():
    source = io.BytesIO()
    open_blocks(iter([]), source=source).close()
    assert source.closed


def test_an_error_of_the_blocks_is_raised_to_the_reader():
    def blocks():
        yield b"a"
        raise ValueError("no more")

    file = open_blocks(blocks(), source=io.BytesIO())
    with pytest.raises(ValueError, match="no more"):
        file.read()
