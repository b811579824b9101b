import doctest
import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from textgen.corpus.readers import csv_records
from textgen.corpus.readers.base import SAMPLE_BYTES
from textgen.corpus.readers.csv_records import (
    TOO_LARGE,
    UNCLOSED,
    Dialect,
    RecordBlock,
    RecordReader,
    last_record_end,
    record_ends,
)

# Far more quotation marks, and in odder places, than any file has.
MARKS = [b'"', b'"', b'""', b",", b",", b"\t", b"\n", b"\n", b"\r\n", b"\r", b"a", b" ", b"\\", "§".encode()]
adversarial = st.lists(st.sampled_from(MARKS), max_size=40).map(b"".join)
dialects = st.builds(
    Dialect,
    delimiter=st.sampled_from([b",", b"\t", "§".encode()]),
    quoted=st.booleans(),
    escape=st.sampled_from([b"", b"\\"]),
    skips_blanks=st.booleans(),
    line_end=st.sampled_from([b"\n", b"\n", b"\r"]),
)


def records_by_hand(data, dialect):
    """Splits data by the rules, byte by byte: each record, and whether a quote of it is unclosed."""
    records, start, i = [], 0, 0
    state, spans, unclosed = "start", False, False
    while i < len(data):
        byte = data[i : i + 1]
        if dialect.escape and byte == dialect.escape:
            i += 2
            unclosed |= state == "closed" and spans
            state = "text" if state in ("start", "closed") else state
            # A line end that is escaped in a quoted cell makes the cell span lines too.
            spans |= state == "quoted" and data[i - 1 : i] == dialect.line_end
            continue
        if state == "quoted":
            spans |= byte == dialect.line_end
            if data[i : i + 2] == b'""':
                i += 1
            elif byte == b'"':
                state = "closed"
        elif data.startswith(dialect.delimiter, i):
            spans &= bool(dialect.delimiter) and data[i + len(dialect.delimiter) :].lstrip(
                b" " if dialect.skips_blanks else b""
            ).startswith(b'"')
            i += len(dialect.delimiter) - 1
            state = "start"
        elif byte == dialect.line_end:
            records.append((data[start : i + 1], unclosed))
            start, state, spans, unclosed = i + 1, "start", False, False
        elif byte in b"\r\n":
            state, spans = "start", False
        elif state == "start" and byte == b'"' and dialect.quoted:
            state = "quoted"
        elif state == "start" and byte == b" " and dialect.skips_blanks:
            pass
        else:
            unclosed |= state == "closed" and spans
            state = "text"
        i += 1
    if start < len(data):
        records.append((data[start:], unclosed or state == "quoted"))
    return records


@pytest.mark.parametrize(
    ("data", "records"),
    [
        (b"", []),
        (b"a,b\nc", [b"a,b\n", b"c"]),
        (b'"a\nb",c\nd\n', [b'"a\nb",c\n', b"d\n"]),
        (b'a,"b\nc"\n', [b'a,"b\nc"\n']),
        (b'a,"b""\n', [b'a,"b""\n']),
        (b'a,"b"""\n\n', [b'a,"b"""\n', b"\n"]),
        (b'5" disk,foo\nx\n', [b'5" disk,foo\n', b"x\n"]),
        (b'"a"b"c\nx\n', [b'"a"b"c\n', b"x\n"]),
        (b'a, "b\nc"\n', [b'a, "b\n', b'c"\n']),
        (b'a\tb\t"c\nd\n', [b'a\tb\t"c\n', b"d\n"]),
        (b'"a"\r"b\nc"\n', [b'"a"\r"b\nc"\n']),
    ],
)
def test_a_record_ends_at_a_line_end_outside_quoted_cells(data, records):
    ends = [0, *record_ends(data, Dialect()), len(data)]
    assert [data[i:j] for i, j in zip(ends, ends[1:], strict=False) if i < j] == records
    assert [record for record, _ in records_by_hand(data, Dialect())] == records


@pytest.mark.parametrize(
    ("dialect", "data", "records"),
    [
        (Dialect(quoted=False), b'"a\nb"\n', [b'"a\n', b'b"\n']),
        (Dialect(quoted=False, escape=b"\\"), b"a\\\nb\\\\\nc", [b"a\\\nb\\\\\n", b"c"]),
        (Dialect(escape=b"\\"), b'"a\\"\nb"\nc\n', [b'"a\\"\nb"\n', b"c\n"]),
        (Dialect(escape=b"\\"), b'a\\,"b\nc\n', [b'a\\,"b\n', b"c\n"]),
        (Dialect(skips_blanks=True), b'a,  "b\nc"\n', [b'a,  "b\nc"\n']),
        (Dialect("§".encode()), 'a§"b\nc"\n'.encode(), ['a§"b\nc"\n'.encode()]),
        (Dialect(line_end=b"\r"), b'a\r"b\rc"\r', [b"a\r", b'"b\rc"\r']),
    ],
)
def test_marks_have_the_meaning_of_the_dialect(dialect, data, records):
    ends = [0, *record_ends(data, dialect), len(data)]
    assert [data[i:j] for i, j in zip(ends, ends[1:], strict=False) if i < j] == records


@given(adversarial, dialects)
@settings(max_examples=500, deadline=None)
@example(b'"\t"a,"\n', Dialect())
@example(b'\\, "\n', Dialect(escape=b"\\", skips_blanks=True))
@example('\\§"\n"'.encode(), Dialect("§".encode(), escape=b"\\"))
def test_records_agree_with_a_parser_by_hand(data, dialect):
    by_hand = records_by_hand(data, dialect)
    ends = list(record_ends(data, dialect))
    edges = [0, *ends] if ends and ends[-1] == len(data) else [0, *ends, len(data)]
    assert [data[i:j] for i, j in zip(edges, edges[1:], strict=False) if i < j] == [record for record, _ in by_hand]
    assert last_record_end(data, dialect)[0] == (ends[-1] if ends else 0)


def split(data, dialect, *, block_bytes, max_bytes=1 << 20, end=None):
    file = io.BytesIO(data)
    reader = RecordReader(
        file, dialect, block_bytes=block_bytes, max_bytes=max_bytes, end=len(data) if end is None else end
    )
    return list(reader.blocks())


@given(adversarial, dialects, st.integers(1, 12), st.integers(0, 12) | st.just(1000))
@settings(max_examples=400, deadline=None)
@example(b'"a\nb"c\nd\n', Dialect(), 3, 1000)
@example(b'a,"b\n' * 4, Dialect(), 2, 1)
def test_blocks_are_the_records_and_faulty_ones_are_set_apart(data, dialect, block_bytes, max_bytes):
    expected = []
    for record, unclosed in records_by_hand(data, dialect):
        large = len(record.removesuffix(b"\n").removesuffix(b"\r")) > max_bytes
        fault = TOO_LARGE if large else UNCLOSED if unclosed else ""
        if expected and not fault and not expected[-1].fault:
            last = expected.pop()
            record = last.content + record
        content = record[: min(SAMPLE_BYTES, max_bytes)] if large else record
        expected.append(RecordBlock(content, len(record), fault))
    found = []
    for block in split(data, dialect, block_bytes=block_bytes, max_bytes=max_bytes):
        if found and not block.fault and not found[-1].fault:
            last = found.pop()
            block = RecordBlock(last.content + block.content, last.size + block.size)
        found.append(block)
    assert found == expected


def test_blocks_have_about_the_given_size():
    blocks = split(b"12345678\n" * 10, Dialect(), block_bytes=20, end=72)
    assert [block.size for block in blocks] == [18, 18, 18, 18]


def test_a_record_longer_than_a_block_is_held_whole():
    data = b'"' + b"long\n" * 1000 + b'"\nnext\n'
    assert split(data, Dialect(), block_bytes=10)[0].content.startswith(data[:-5])


class NotedReads(io.BytesIO):
    """A file that notes the most bytes that were read at once."""

    most = 0

    def read(self, count):
        self.most = max(self.most, count)
        return super().read(count)


@pytest.mark.parametrize("text", [b"text\n", b'a,b""c\n', b"no line end", b',""\n""'])
@pytest.mark.parametrize("start", [b'1,"', b'"', b""])
def test_a_record_that_is_too_large_is_not_held(text, start):
    text = text if start else text.replace(b"\n", b" ")
    file = NotedReads(start + text * (1 << 17) + b'"\nlast\n')
    reader = RecordReader(file, Dialect(), block_bytes=1000, max_bytes=5000, end=float("inf"))
    blocks = list(reader.blocks())
    assert file.most <= 5000
    assert [block.fault for block in blocks] == [TOO_LARGE, ""]
    assert blocks[0].size == len(file.getvalue()) - len(b"last\n")
    assert len(blocks[0].content) == SAMPLE_BYTES


def test_the_examples_in_the_docstrings_hold():
    result = doctest.testmod(csv_records)
    assert result.attempted
    assert not result.failed
