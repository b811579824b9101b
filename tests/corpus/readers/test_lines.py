import gzip
import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from textgen.corpus.formats import READERS
from textgen.corpus.readers.base import CHUNK_BYTES, FileRange, InputFile, ReadLimits, ReadOptions, Rejected
from textgen.errors import UserError

READER = READERS["lines"]
MARK = b"\xef\xbb\xbf"


def no_file(path):
    raise AssertionError(f"{path} need not be opened")


def expected(content):
    # The lines of bytes, unlike those of a string, end at `\n`, `\r\n` and `\r` alone.
    return [line.decode(errors="replace").encode() for line in content.removeprefix(MARK).splitlines()]


line_contents = st.one_of(
    st.just(b""),
    st.text(max_size=12).map(str.encode),
    st.text(alphabet="a \r", max_size=30).map(str.encode),
    st.binary(max_size=6),
    st.integers(50, 400).map(lambda n: b"long " * n),
).map(lambda line: line.replace(b"\n", b""))


@st.composite
def files(draw):
    ended = draw(st.lists(st.tuples(line_contents, st.sampled_from([b"\n", b"\r\n", b"\r"])), max_size=12))
    last = draw(line_contents)
    mark = draw(st.sampled_from([b"", MARK]))
    content = mark + b"".join(line + end for line, end in ended) + last
    # The mark of another encoding is an error.
    return content if content[:2] not in (b"\xff\xfe", b"\xfe\xff") else b""


@given(files(), st.integers(1, 600), st.integers(8, 40), st.integers(1, 64))
@example(b"a\nb\nc\n", 1, 8, 1)
@example(b"\n\n\n", 1, 8, 1)
@example(b"\r\n\r\n", 1, 8, 64)
@example(MARK + b"a\nb", 2, 8, 64)
@example(b"1234567\r\n8", 100, 8, 8)
@example(b"1234567\r8\r\r\n9\r", 100, 8, 8)
@example(b"1234567890123\r\n4", 100, 8, 8)
@example(b"a\rb\rc", 2, 8, 64)
@settings(max_examples=150, deadline=None)
def test_any_division_gives_every_line_once(taken_by, content, unit_bytes, chunk_bytes, block_bytes):
    limits = ReadLimits(chunk_bytes=chunk_bytes, block_bytes=block_bytes)
    assert taken_by("lines", content, unit_bytes=unit_bytes, limits=limits).texts == expected(content)


@given(files(), st.data())
@settings(max_examples=60, deadline=None)
def test_ranges_with_any_edges_give_every_line_once(taken_by, content, data):
    cuts = data.draw(st.lists(st.integers(0, len(content)), max_size=5).map(sorted))
    assert taken_by("lines", content, edges=[0, *cuts, len(content)]).texts == expected(content)


@given(st.integers(1, 10_000), st.integers(1, 10_000))
@settings(max_examples=60, deadline=None)
def test_a_file_is_divided_into_adjacent_ranges_of_about_the_given_size(size, unit_bytes):
    ranges = READER.divide(InputFile("a.txt", size, 0.0, "lines"), unit_bytes, no_file, ReadOptions())
    assert ranges[0][0] == 0
    assert ranges[-1][1] == size
    assert all(end == start for (_, end), (start, _) in zip(ranges, ranges[1:], strict=False))
    assert all(0 < end - start <= 1.5 * unit_bytes + 1 for start, end in ranges)


@pytest.mark.parametrize(("compression", "encoding"), [(("gzip",), "utf-8"), ((), "utf-16")])
def test_a_file_that_can_not_be_split_is_not_divided(compression, encoding):
    file = InputFile("a", 1000, 0.0, "lines", compression, encoding)
    assert READER.divide(file, 10, no_file, ReadOptions()) == [(0, 1000)]


def test_a_line_belongs_to_the_range_it_starts_in(taken_by):
    content = b"aa\nbbbb\ncc\n"
    assert taken_by("lines", content, edges=[0, 4]).texts == [b"aa", b"bbbb"]
    assert taken_by("lines", content, edges=[4, 8]).texts == []
    assert taken_by("lines", content, edges=[8, 11]).texts == [b"cc"]
    assert taken_by("lines", content, edges=[3, 8]).texts == [b"bbbb"]


@pytest.mark.parametrize("unit_bytes", [1, 2, 3, 100])
def test_lines_end_at_line_feeds_and_carriage_returns_in_any_mixture(taken_by, unit_bytes):
    taken = taken_by("lines", b"a\r\nb\rc\n\n\rd\r\r\ne\r", unit_bytes=unit_bytes)
    assert taken.texts == [b"a", b"b", b"c", b"", b"", b"d", b"", b"e"]


def test_separators_other_than_newlines_remain_in_the_line(taken_by):
    content = "a\u2028b\x0cc\x85d\n".encode()
    assert taken_by("lines", content, unit_bytes=3).texts == [content.removesuffix(b"\n")]


def test_a_byte_order_mark_is_removed_only_at_the_start_of_the_file(taken_by):
    assert taken_by("lines", MARK + b"a\n" + MARK + b"b\n", unit_bytes=6).texts == [b"a", MARK + b"b"]


def test_invalid_bytes_are_replaced_and_their_lines_counted(taken_by):
    taken = taken_by("lines", b"ok\ncaf\xe9\n\xff\xff\n")
    assert taken == ([b"ok", "caf\ufffd".encode(), "\ufffd\ufffd".encode()], [], 2)


def test_lines_with_invalid_bytes_are_dropped_or_an_error_by_on_invalid(taken_by):
    content = b"ok\ncaf\xe9\n"
    assert taken_by("lines", content, on_invalid="drop") == ([b"ok"], [Rejected("invalid encoding", b"caf\xe9")], 0)
    with pytest.raises(UserError, match=r"a\.txt has text that is not valid utf-8"):
        taken_by("lines", content, path="a.txt", on_invalid="fail")


@pytest.mark.parametrize("encoding", ["cp1252", "shift_jis", "utf-16", "utf-16-be", "utf-32", "utf-7"])
@pytest.mark.parametrize("unit_bytes", [3, 1000])
def test_lines_may_be_in_another_encoding(taken_by, encoding, unit_bytes):
    lines = ["one", "", "\u2026three", "\u0a0a"]
    content = "\n".join(lines).encode(encoding, "ignore")
    lines = [line.encode(encoding, "ignore").decode(encoding).encode().removeprefix(MARK) for line in lines]
    taken = taken_by("lines", content, unit_bytes=unit_bytes, encoding=encoding).texts
    assert taken == (lines if lines[-1] else lines[:-1])


def test_all_lines_of_a_compressed_file_are_read(taken_by):
    content = b"".join(b"line %d\n" % i for i in range(1000))
    assert taken_by("lines", gzip.compress(content), path="a.gz", unit_bytes=10).texts == content.splitlines()


@pytest.mark.parametrize("edges", [None, [0, 3, CHUNK_BYTES, CHUNK_BYTES * 3 + 17]])
def test_a_long_line_is_split_into_chunks(batches_of, taken_by, edges):
    long = b"words " * (CHUNK_BYTES // 2)
    content = (b"a\n" + long + b"\r\nb" + b"\n" * 20)[: CHUNK_BYTES * 3 + 17]
    batches = batches_of("lines", content, edges=edges)
    assert all(sum(map(len, batch.texts)) <= CHUNK_BYTES for batch in batches)
    texts = taken_by("lines", content, edges=edges).texts
    assert texts[:3] == [b"a", long, b"b"]
    assert set(texts[3:]) == {b""}


class Cut(io.BytesIO):
    """A file that fails the test of a reader that asks on and on after the end."""

    asked = 0

    def read(self, size=-1):
        self.asked += 1
        assert self.asked < 10, "the reader does not stop at the end of the file"
        return super().read(size)


@pytest.mark.parametrize("start", [0, 1, 6, 8])
def test_a_file_that_became_shorter_is_an_error(start):
    with pytest.raises(UserError, match=r"a\.txt became shorter while it was read"):
        list(
            READER.read(
                FileRange(InputFile("a.txt", 9, 0.0, "lines"), start, 9), lambda _: Cut(b"a\nb\n"), ReadOptions()
            )
        )


def test_any_text_can_be_read_as_lines():
    READER.check(InputFile("a.txt", 9, 0.0, "lines"), no_file, ReadOptions())


def test_a_file_that_is_not_compressed_as_its_ending_says_is_an_error(check):
    check("lines", gzip.compress(b""), path="a.gz")
    with pytest.raises(UserError, match=r"a\.gz can't be decompressed"):
        check("lines", b"plain", path="a.gz")
