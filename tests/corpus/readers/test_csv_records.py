import csv
import doctest
import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from textgen.corpus.readers import csv_records
from textgen.corpus.readers.csv_records import ends_in_quotes, read_record, read_record_blocks

# Far more quotation marks, and in odder places, than any file has.
adversarial = st.lists(
    st.sampled_from([b'"', b'"', b'""', b",", b",", b"\t", b"\n", b"\r\n", b"\r", b"a", b" "]), max_size=30
).map(b"".join)


def whole_lines(data):
    return data if not data or data.endswith(b"\n") else data + b"\n"


def in_quotes_by_hand(data, delimiter):
    """The rules character by character."""
    quoted, at_start = False, True
    i = 0
    while i < len(data):
        mark = data[i : i + 1]
        if quoted and mark == b'"':
            quoted = data[i + 1 : i + 2] == b'"'
            i += quoted
            at_start = False
        elif not quoted:
            quoted = at_start and mark == b'"'
            at_start = mark in (delimiter.encode(), b"\n", b"\r")
        i += 1
    return quoted


@pytest.mark.parametrize(
    ("data", "quoted"),
    [
        (b"", False),
        (b"a,b\n", False),
        (b'"a\n', True),
        (b'a,"b\n', True),
        (b'a,"b\nc"\n', False),
        (b'a,"b""\n', True),
        (b'a,"b"""\n', False),
        (b'5" disk,foo\n', False),
        (b'5" disk,"foo\n', True),
        (b'"a"b"c\n', False),
        (b'"a" "b\n', False),
        (b'"",""\n', False),
        (b'a, "b\n', False),
        (b'a\tb\t"c\n', False),
        (b'"a"\r"b\n', True),
    ],
)
def test_a_mark_opens_quotes_only_at_the_start_of_a_cell(data, quoted):
    assert ends_in_quotes(data, ",") == quoted
    assert in_quotes_by_hand(data, ",") == quoted


@given(adversarial, st.sampled_from([",", "\t"]))
@settings(max_examples=400)
@example(b'"\t"a,"\n', ",")
def test_ends_in_quotes_agrees_with_a_parser(data, delimiter):
    data = whole_lines(data)
    assert ends_in_quotes(data, delimiter) == in_quotes_by_hand(data, delimiter)


@given(st.lists(adversarial.map(whole_lines), max_size=5))
@settings(max_examples=200)
def test_lines_can_be_scanned_one_by_one(blocks):
    quoted = False
    for block in blocks:
        quoted = ends_in_quotes(block, ",", begins_in_quotes=quoted) if block else quoted
    assert quoted == ends_in_quotes(b"".join(blocks), ",")


@given(adversarial, st.integers(1, 12), st.sampled_from([",", "\t"]))
@settings(max_examples=300)
def test_blocks_join_to_the_file_and_end_between_records(data, block_bytes, delimiter):
    blocks = list(read_record_blocks(io.BytesIO(data), delimiter, block_bytes=block_bytes, end=len(data)))
    assert b"".join(blocks) == data
    for i in range(1, len(blocks)):
        before = b"".join(blocks[:i])
        assert before.endswith(b"\n")
        assert not in_quotes_by_hand(before, delimiter)


@given(
    st.lists(st.lists(st.text(alphabet='a",\n', max_size=5), min_size=2, max_size=2), max_size=8), st.integers(1, 9)
)
@settings(max_examples=100)
def test_every_block_of_a_well_formed_file_has_whole_rows(rows, block_bytes):
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(rows)
    data = file.getvalue().encode()
    blocks = read_record_blocks(io.BytesIO(data), ",", block_bytes=block_bytes, end=len(data))
    read = [row for block in blocks for row in csv.reader(io.StringIO(block.decode(), newline=""))]
    assert read == rows


def test_blocks_have_about_the_given_size():
    data = b"12345678\n" * 10
    blocks = list(read_record_blocks(io.BytesIO(data), ",", block_bytes=20, end=72))
    assert [len(block) for block in blocks] == [27, 27, 18]


def test_a_record_longer_than_a_block_is_held_whole():
    data = b'"' + b"long\n" * 1000 + b'"\nnext\n'
    assert list(read_record_blocks(io.BytesIO(data), ",", block_bytes=10, end=len(data))) == [data[:-5], b"next\n"]


@pytest.mark.parametrize(
    ("data", "record"),
    [(b"a,b\nc,d\n", b"a,b\n"), (b'"a\nb",c\nd\n', b'"a\nb",c\n'), (b"a", b"a"), (b"", b""), (b'"a\n', b'"a\n')],
)
def test_the_first_record_may_hold_line_ends(data, record):
    assert read_record(io.BytesIO(data), ",", most_bytes=100) == record


def test_the_start_of_a_too_long_first_record_is_read():
    assert len(read_record(io.BytesIO(b'"' + b"a\n" * 1000), ",", most_bytes=100)) == 100
    assert len(read_record(io.BytesIO(b"a" * 1000), ",", most_bytes=100)) == 100


def test_the_examples_in_the_docstrings_hold():
    result = doctest.testmod(csv_records)
    assert result.attempted
    assert not result.failed
