import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from textgen.corpus.line_ends import LineSplitter, skip_line, split_at_blank_lines
from textgen.corpus.readers.base import ReadLimits

contents = st.lists(st.sampled_from([b"a", b"bc", b" ", b"\n", b"\r", b"\r\n"]), max_size=30).map(b"".join)


@given(contents, st.integers(1, 8), st.integers(0, 9))
@example(b"a\r\nb", 2, 9)
@example(b"a\r" * 9, 2, 4)
@settings(max_examples=200, deadline=None)
def test_lines_are_those_of_python(content, block_bytes, chunk_bytes):
    splitter = LineSplitter(io.BytesIO(content), ReadLimits(block_bytes=block_bytes, chunk_bytes=chunk_bytes))
    found = splitter.lines(float("inf"))
    lines = [line for item in found for line in (item if isinstance(item, list) else [b"".join(item)])]
    assert lines == content.splitlines()
    assert splitter.position == len(content)


@given(contents, st.integers(1, 40))
@settings(max_examples=200, deadline=None)
def test_a_line_start_is_found_from_any_offset(content, position):
    position = min(position, max(1, len(content)))
    starts = [0]
    for line in content.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    file = io.BytesIO(content)
    found = skip_line(file, position)
    assert found == file.tell() == min((start for start in starts if start >= position), default=len(content))


def test_the_line_start_after_a_long_line_is_found():
    content = b"x" * 600_000 + b"\r\ny"
    assert skip_line(io.BytesIO(content), 1) == 600_002
    assert skip_line(io.BytesIO(b"x" * 8191 + b"\r\ny"), 1) == 8193


@given(contents, st.integers(1, 8))
@settings(max_examples=200, deadline=None)
def test_blank_lines_are_told_from_others_in_any_blocks(content, block_bytes):
    limits = ReadLimits(block_bytes=block_bytes, chunk_bytes=100)
    found = [
        (blank, lines) for blank, lines in split_at_blank_lines(io.BytesIO(content), float("inf"), limits) if lines
    ]
    assert b"".join(lines for _, lines in found) == content
    expected = [(line.isspace(), line) for line in content.splitlines(keepends=True)]
    assert [(blank, line) for blank, text in found for line in text.splitlines(keepends=True)] == expected


@pytest.mark.parametrize("block_bytes", [1, 3, 4, 1000])
def test_a_line_longer_than_a_chunk_is_not_blank(block_bytes):
    limits = ReadLimits(block_bytes=min(block_bytes, 8), chunk_bytes=8)
    content = b"a\n" + b" " * 12 + b"\r\nb\n"
    assert all(not blank for blank, lines in split_at_blank_lines(io.BytesIO(content), float("inf"), limits) if lines)
