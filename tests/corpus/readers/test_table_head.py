import pytest

from textgen.corpus.readers.base import TableOptions
from textgen.corpus.readers.csv_records import Dialect
from textgen.corpus.readers.table_head import BadHeaderError, Start, first_rows, read_head


def head_of(content, usual=",", *, whole=True, **options):
    start = Start(content, whole, "utf-8")
    return read_head(start, usual, TableOptions(**options)), start


@pytest.mark.parametrize(
    ("content", "options", "names", "rows"),
    [
        (b"id,text\n1,a\n", {}, ["id", "text"], [["1", "a"]]),
        (b"id;text\n1;a\n", {"delimiter": ";"}, ["id", "text"], [["1", "a"]]),
        (b"sep=;\r\nid;text\r\n1;a\r\n", {}, ["id", "text"], [["1", "a"]]),
        (b"sep=;\nid;text\n1;a\n", {"skip_rows": 1}, ["id", "text"], [["1", "a"]]),
        (b"sep=;\nid,text\n1,a\n", {"delimiter": ","}, ["id", "text"], [["1", "a"]]),
        (b"# by us\n\nid,text\n1,a", {"skip_rows": 1}, ["id", "text"], [["1", "a"]]),
        (b"1,a\n2,b\n", {"header": "none"}, ["1", "2"], [["1", "a"], ["2", "b"]]),
        (b"id,text\r1,a\r", {}, ["id", "text"], [["1", "a"]]),
        (b"\n\nid\n\n1\n", {}, ["id"], [["1"]]),
        (b"id,text\n1,a\n", {"skip_rows": 9}, [], []),
        (b"", {}, [], []),
    ],
)
def test_a_head_has_the_names_and_the_first_rows(content, options, names, rows):
    head, start = head_of(content, **options)
    assert head.names == names
    assert first_rows(head, start) == rows


def test_a_head_that_is_cut_off_is_not_read():
    assert head_of(b"id,te", whole=False)[0] is None
    assert head_of(b'id,"te\nxt', whole=False)[0] is None
    head, start = head_of(b'id,text\n1,a\n2,"b\n', whole=False)
    assert first_rows(head, start) == [["1", "a"]]


@pytest.mark.parametrize(
    ("content", "quoted"),
    [
        (b"id\ttext\n1\ta\n", False),
        (b'id\ttext\n1\t"a"\n2\tb\n', True),
        (b'id\ttext\n1\t"a\tb\n"\n', True),
        (b'id\ttext\n1\t"a"', True),
        (b'id\ttext\n1\t"a\n2\t"b"\n', False),
        (b'id\ttext\n1\t"a" b\n2\t"b"\n', False),
        (b'id\ttext\n1\t5"\n', False),
        (b'id\ttext\n1\t"a', False),
    ],
)
def test_marks_of_a_tsv_file_are_text_unless_all_close_a_cell(content, quoted):
    assert head_of(content, "\t")[0].dialect == Dialect(b"\t", quoted)
    assert head_of(content, "\t", quoting="csv")[0].dialect.quoted
    assert not head_of(content, "\t", quoting="none")[0].dialect.quoted
    assert head_of(content, ",")[0].dialect.quoted


def test_a_header_of_two_lines_or_of_too_large_a_name_is_an_error():
    with pytest.raises(BadHeaderError, match="only a carriage return"):
        head_of(b"id\r1\n")
    with pytest.raises(BadHeaderError, match="field larger"):
        head_of(b"x" * 200_000)


def test_first_rows_end_before_a_cell_that_is_too_large():
    head, start = head_of(b"id\n1\n" + b"x" * 200_000 + b"\n3\n")
    assert first_rows(head, start) == [["1"]]


@pytest.mark.parametrize("content", [b'" "', b"\\", b"  \n1\n"])
def test_a_header_without_cells_has_one_name(content):
    assert len(head_of(content, escape="\\", skip_blanks=True)[0].names) == 1


def test_more_lines_may_be_skipped_than_there_are():
    start = Start(b"x" * (1 << 20), True, "utf-8")
    head = read_head(start, ",", TableOptions(skip_rows=100_000))
    assert head == (Dialect(), [], 1 << 20, 1 << 20)
