import csv
import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from textgen.corpus.pieces import Piece
from textgen.corpus.readers import READERS, tables
from textgen.errors import UserError

READER = READERS["csv"]
MARK = b"\xef\xbb\xbf"


def opened(content):
    return lambda _: io.BytesIO(content)


def read_all(content, unit_bytes, field="text"):
    """The cells of the column, the number of malformed rows, and the number of repaired cells."""
    made = [
        batch
        for start, end in READER.divide("a.csv", len(content), unit_bytes, opened(content))
        for batch in READER.read(Piece("a.csv", start, end, "csv"), opened(content), field)
    ]
    cells = [text for batch in made for text in batch.texts]
    return cells, sum(batch.malformed for batch in made), sum(batch.repaired for batch in made)


def written(rows, *, quoting, newline):
    file = io.StringIO()
    csv.writer(file, quoting=quoting, lineterminator=newline).writerows(rows)
    return file.getvalue()


def expected(text, column):
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    rows = [row for row in rows if row]
    cells = [row[column].encode() for row in rows if len(row) == len(header)]
    return cells, sum(len(row) != len(header) for row in rows), 0


# Marks that CSV gives a meaning to, and text that a parser might take for something else.
cell_texts = st.one_of(
    st.text(alphabet='ab",;\n\r \té\u2028', max_size=8),
    st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
    st.sampled_from(["", "NA", "null", "1.5", "\\", "\ufeff", '"', '""', "a\r\nb", "\n", "#"]),
)
# Newlines in the minimal style are \r\n, since not every csv.writer puts a lone \r in quotes.
styles = st.sampled_from([(csv.QUOTE_MINIMAL, "\r\n"), (csv.QUOTE_ALL, "\r\n"), (csv.QUOTE_ALL, "\n")])


@st.composite
def csv_files(draw, *, regular):
    columns = draw(st.integers(1, 3))
    widths = st.just(columns) if regular else st.integers(1, 4)
    rows = draw(st.lists(widths.flatmap(lambda n: st.lists(cell_texts, min_size=n, max_size=n)), max_size=10))
    column = draw(st.integers(0, columns - 1))
    header = [f"other {i}" for i in range(columns)]
    header[column] = "text"
    quoting, newline = draw(styles)
    text = written([header, *rows], quoting=quoting, newline=newline)
    if draw(st.booleans()):
        text = text.removesuffix(newline)
    return text, column


@given(csv_files(regular=True), st.integers(1, 120))
@example(("text\n\ufeff\n", 0), 100)
@example(("text\n \na\n", 0), 1)
@settings(max_examples=100, deadline=None)
def test_any_division_gives_the_cells_that_the_csv_module_reads(file, unit_bytes):
    text, column = file
    assert read_all(text.encode(), unit_bytes) == expected(text, column)


@given(csv_files(regular=False), st.integers(1, 120))
@settings(max_examples=60, deadline=None)
def test_any_division_counts_the_same_rows_as_malformed(file, unit_bytes):
    text, column = file
    assert read_all(text.encode(), unit_bytes) == expected(text, column)


@given(csv_files(regular=True), st.integers(1, 120), st.integers(1, 7))
@example(('text\n"a""b\nc"\nd\n', 0), 1, 1)
@settings(max_examples=60, deadline=None)
def test_ranges_adjoin_and_each_begins_a_record(file, unit_bytes, scan_bytes):
    text, _ = file
    content = text.encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "_SCAN_BYTES", scan_bytes)
        ranges = READER.divide("a.csv", len(content), unit_bytes, opened(content))
    if ranges:
        assert ranges[-1][1] == len(content)
        assert all(end == start for (_, end), (start, _) in zip(ranges, ranges[1:], strict=False))
    for start, end in ranges:
        assert start < end
        assert content[:start].endswith(b"\n")
        assert content[:start].count(b'"') % 2 == 0


QUOTED = b'id,text\r\n1,"He said ""no"", twice,\r\nand left."\r\n2,plain\r\n3,""\r\n'


@pytest.mark.parametrize("unit_bytes", [1, 7, 20, 1000])
def test_quoted_newlines_commas_and_doubled_quotes_are_read_as_they_are_meant(unit_bytes):
    assert read_all(QUOTED, unit_bytes) == ([b'He said "no", twice,\r\nand left.', b"plain", b""], 0, 0)


def test_a_big_file_is_divided_between_records():
    content = b"text\n" + b'"one\ntwo"\n' * 100
    ranges = READER.divide("a.csv", len(content), 100, opened(content))
    assert len(ranges) == 10
    assert ranges[0][0] == len(b"text\n")
    assert {end - start for start, end in ranges} <= {90, 100, 110}


def test_a_quoted_cell_longer_than_a_unit_is_not_divided():
    content = b'text\n"' + b"long\n" * 100 + b'"\nnext\n'
    assert read_all(content, 10)[0] == [b"long\n" * 100, b"next"]


@pytest.mark.parametrize("content", [b"text", b"text\n", b"text,other\r\n"])
def test_a_file_of_a_header_alone_has_nothing_to_read(content):
    assert READER.divide("a.csv", len(content), 10, opened(content)) == []


def test_rows_of_another_width_are_counted_and_passed_over():
    content = b"id,text\n1,a\n2\n3,b,c\n4,d\n"
    assert read_all(content, 1000) == ([b"a", b"d"], 2, 0)
    assert read_all(content, 1) == ([b"a", b"d"], 2, 0)


def test_a_file_of_malformed_rows_alone_gives_no_text():
    assert read_all(b"id,text\n1\n2\n", 1000) == ([], 2, 0)


def test_blank_lines_are_no_rows():
    assert read_all(b"id,text\n\n1,a\n\n\n2,b\n", 1000) == ([b"a", b"b"], 0, 0)


def test_invalid_bytes_are_replaced_and_their_cells_counted():
    content = b"id,text\n\xe9,ok\n1,caf\xe9\n"
    assert read_all(content, 1000) == ([b"ok", "caf\ufffd".encode()], 0, 1)


def test_a_byte_order_mark_is_no_part_of_the_first_name():
    content = MARK + b"text,id\na,1\n"
    assert read_all(content, 1000)[0] == [b"a"]


def test_a_byte_order_mark_inside_the_file_belongs_to_its_cell_however_the_file_is_divided():
    content = b"text\n" + MARK + b"a\n" + MARK + b"b\n"
    assert read_all(content, 1000)[0] == [MARK + b"a", MARK + b"b"]
    assert read_all(content, 1)[0] == [MARK + b"a", MARK + b"b"]


@pytest.mark.parametrize("unit_bytes", [1, 1000])
def test_a_cell_of_white_space_is_a_document_however_the_file_is_divided(unit_bytes):
    assert read_all(b"text\n \na\n\t\n", unit_bytes)[0] == [b" ", b"a", b"\t"]


def test_a_header_may_hold_newlines_commas_and_quotes():
    content = b'"a\nb","say ""text"", please"\n1,2\n'
    assert read_all(content, 1000, 'say "text", please')[0] == [b"2"]


def test_of_columns_with_the_same_name_the_first_is_read():
    content = b"id,text,text\n1,a,b\n"
    assert read_all(content, 1000) == ([b"a"], 0, 0)


def test_other_columns_need_not_be_valid():
    content = b"\xff,text\n\xfe\xff,a\n"
    assert read_all(content, 1000) == ([b"a"], 0, 0)


@pytest.mark.parametrize("name", ["speech", "TEXT", None])
def test_a_column_that_is_not_named_or_not_there_is_an_error_that_lists_those_that_are(name):
    refusal = r"a\.csv is a CSV file with the columns id, text.*with --text-field\."
    with pytest.raises(UserError, match=refusal):
        READER.check("a.csv", opened(b"id,text\n1,a\n"), name)
    with pytest.raises(UserError, match=refusal):
        read_all(b"id,text\n1,a\n", 1000, name)


def test_a_column_that_is_there_is_no_error():
    READER.check("a.csv", opened(b"Text,text\n1,a\n"), "text")
    assert read_all(b"Text,text\n1,a\n", 1000) == ([b"a"], 0, 0)
