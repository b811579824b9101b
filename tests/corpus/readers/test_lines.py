import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from textgen.corpus import pieces
from textgen.corpus.pieces import Piece
from textgen.corpus.readers import READERS, lines
from textgen.errors import UserError

READER = READERS["lines"]
MARK = b"\xef\xbb\xbf"


def read_range(content, start, end):
    made = READER.read(Piece("a.txt", start, end, "lines"), lambda _: io.BytesIO(content), None)
    return [text for batch in made for text in batch.texts]


def read_all(content, unit_bytes):
    ranges = READER.divide("a.txt", len(content), unit_bytes, lambda _: io.BytesIO(content))
    return [text for start, end in ranges for text in read_range(content, start, end)]


def expected(content):
    found = content.split(b"\n")
    if not found[-1]:
        found.pop()
    found[:1] = [line.removeprefix(MARK) for line in found[:1]]
    return [line.removesuffix(b"\r").decode(errors="replace").encode() for line in found]


line_contents = st.one_of(
    st.just(b""),
    st.text(max_size=12).map(str.encode),
    st.binary(max_size=6),
    st.integers(50, 400).map(lambda n: b"long " * n),
).map(lambda line: line.replace(b"\n", b""))


@st.composite
def files(draw):
    ended = draw(st.lists(st.tuples(line_contents, st.sampled_from([b"\n", b"\r\n"])), max_size=12))
    last = draw(line_contents)
    mark = draw(st.sampled_from([b"", MARK]))
    return mark + b"".join(line + end for line, end in ended) + last


@given(files(), st.integers(1, 600), st.integers(1, 64))
@example(b"a\nb\nc\n", 1, 1)
@example(b"\n\n\n", 1, 1)
@example(b"\r\n\r\n", 1, 64)
@example(MARK + b"a\nb", 2, 64)
@settings(max_examples=100, deadline=None)
def test_any_division_gives_every_line_once(content, unit_bytes, batch_bytes):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "BATCH_BYTES", batch_bytes)
        patch.setattr(pieces, "BATCH_BYTES", batch_bytes)
        assert read_all(content, unit_bytes) == expected(content)


@given(files(), st.data())
@settings(max_examples=60, deadline=None)
def test_ranges_with_any_edges_give_every_line_once(content, data):
    cuts = data.draw(st.lists(st.integers(0, len(content)), max_size=5).map(sorted))
    edges = [0, *cuts, len(content)]
    made = [text for start, end in zip(edges, edges[1:], strict=False) for text in read_range(content, start, end)]
    assert made == expected(content)


@given(st.integers(1, 10_000), st.integers(1, 10_000))
@settings(max_examples=60, deadline=None)
def test_a_file_is_divided_into_adjoining_ranges_of_about_the_size_wanted(size, unit_bytes):
    ranges = READER.divide("a.txt", size, unit_bytes, lambda _: io.BytesIO())
    assert ranges[0][0] == 0
    assert ranges[-1][1] == size
    assert all(end == start for (_, end), (start, _) in zip(ranges, ranges[1:], strict=False))
    assert all(0 < end - start <= 1.5 * unit_bytes + 1 for start, end in ranges)


def test_a_line_belongs_to_the_range_it_starts_in():
    content = b"aa\nbbbb\ncc\n"
    assert read_range(content, 0, 4) == [b"aa", b"bbbb"]
    assert read_range(content, 4, 8) == []
    assert read_range(content, 8, 11) == [b"cc"]
    assert read_range(content, 3, 8) == [b"bbbb"]


def test_one_carriage_return_before_a_line_end_is_dropped():
    assert read_all(b"a\r\nb\r\r\n\rc\r", 100) == [b"a", b"b\r", b"\rc"]


def test_a_separator_that_is_no_newline_stays_in_its_line():
    content = "a\u2028b\x0cc\x85d\n".encode()
    assert read_all(content, 3) == [content.removesuffix(b"\n")]


def test_a_byte_order_mark_is_left_out_at_the_start_of_the_file_alone():
    assert read_all(MARK + b"a\n" + MARK + b"b\n", 6) == [b"a", MARK + b"b"]


def test_invalid_bytes_are_replaced_and_their_lines_counted():
    content = b"ok\ncaf\xe9\n\xff\xfe\n"
    (batch,) = READER.read(Piece("a.txt", 0, len(content), "lines"), lambda _: io.BytesIO(content), None)
    assert batch.texts == [b"ok", "caf\ufffd".encode(), "\ufffd\ufffd".encode()]
    assert (batch.repaired, batch.malformed) == (2, 0)


class Cut(io.BytesIO):
    """A file that fails the test of a reader that asks on and on after the end."""

    asked = 0

    def readlines(self, hint=-1):
        self.asked += 1
        assert self.asked < 10, "the reader does not stop at the end of the file"
        return super().readlines(hint)


@pytest.mark.parametrize("start", [0, 6])
def test_reading_ends_where_a_file_was_cut_after_the_units_were_planned(start):
    try:
        made = list(READER.read(Piece("a.txt", start, 9, "lines"), lambda _: Cut(b"a\nb\n"), None))
    except UserError as error:
        assert "a.txt" in str(error)
    else:
        assert [text for batch in made for text in batch.texts] == ([b"a", b"b"] if start == 0 else [])
