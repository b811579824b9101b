import bz2
import csv
import io

import pyarrow as pa
import pyarrow.csv
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from textgen.corpus.formats import READERS
from textgen.corpus.readers.base import (
    CHUNK_BYTES,
    FileRange,
    InputFile,
    ReadLimits,
    ReadOptions,
    Rejected,
    TableOptions,
)
from textgen.corpus.readers.csv_records import Dialect, record_ends
from textgen.errors import UserError

READER = READERS["csv"]
MARK = b"\xef\xbb\xbf"
DELIMITERS = {"csv": ",", "tsv": "\t"}


def opened(content):
    return lambda _: io.BytesIO(content)


def malformed(*rows):
    return [Rejected("malformed row", row) for row in rows]


def written(rows, *, delimiter, quoting, newline):
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, quoting=quoting, lineterminator=newline).writerows(rows)
    return file.getvalue()


def cells_by_csv(text, column, delimiter):
    """The cells of the column and the number of malformed rows, read by the csv module."""
    header, *rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows = [row for row in rows if row]
    return [row[column].encode() for row in rows if len(row) == len(header)], sum(
        len(row) != len(header) for row in rows
    )


def cells_by_pyarrow(rows, columns, delimiter):
    """The cells of the first column and the malformed rows, with all the rows parsed at once."""
    rejected = []

    def refuse(row):
        rejected.append(row.text.encode())
        return "skip"

    if not rows.strip(b"\r\n"):
        return [], []
    names = [str(i) for i in range(columns)]
    table = pa.csv.read_csv(
        io.BytesIO(b"\n" + rows),
        read_options=pa.csv.ReadOptions(column_names=names, block_size=len(rows) + 2, use_threads=False),
        parse_options=pa.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=refuse),
        convert_options=pa.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.binary())),
    )
    return table[0].to_pylist(), rejected


# Marks that CSV gives a meaning to, and text that a parser might take for something else.
cell_texts = st.one_of(
    st.text(alphabet='ab",;\n\r \té\u2028', max_size=8),
    st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
    st.sampled_from(["", "NA", "null", "1.5", "\\", "\ufeff", '"', '""', "a\r\nb", "\n", "#"]),
)
# Newlines in the minimal style are \r\n, since not every csv.writer puts a lone \r in quotes.
styles = st.sampled_from([(csv.QUOTE_MINIMAL, "\r\n"), (csv.QUOTE_ALL, "\r\n"), (csv.QUOTE_ALL, "\n")])


@st.composite
def table_files(draw, *, regular):
    format = draw(st.sampled_from(sorted(DELIMITERS)))
    columns = draw(st.integers(1, 3))
    widths = st.just(columns) if regular else st.integers(1, 4)
    rows = draw(st.lists(widths.flatmap(lambda n: st.lists(cell_texts, min_size=n, max_size=n)), max_size=10))
    column = draw(st.integers(0, columns - 1))
    header = [f"other {i}" for i in range(columns)]
    header[column] = "text"
    quoting, newline = draw(styles)
    text = written([header, *rows], delimiter=DELIMITERS[format], quoting=quoting, newline=newline)
    if draw(st.booleans()):
        text = text.removesuffix(newline)
    return format, text, column


@given(table_files(regular=True), st.integers(1, 120))
@example(("csv", "text\n\ufeff\n", 0), 100)
@example(("csv", "text\n \na\n", 0), 1)
@settings(max_examples=100, deadline=None)
def test_any_division_gives_the_cells_that_the_csv_module_reads(taken_by, file, unit_bytes):
    format, text, column = file
    texts, rejected, replaced = taken_by(format, text.encode(), unit_bytes=unit_bytes, text_field="text")
    assert (texts, len(rejected)) == cells_by_csv(text, column, DELIMITERS[format])
    assert replaced == 0


@given(table_files(regular=False), st.integers(1, 120))
@settings(max_examples=60, deadline=None)
def test_any_division_rejects_the_same_rows(taken_by, file, unit_bytes):
    format, text, column = file
    texts, rejected, _ = taken_by(format, text.encode(), unit_bytes=unit_bytes, text_field="text")
    assert (texts, len(rejected)) == cells_by_csv(text, column, DELIMITERS[format])


# Far more quotation marks, and in odder places, than any file has.
adversarial = st.lists(
    st.sampled_from([b'"', b'"', b'""', b",", b",", b"\t", b"\n", b"\n", b"\r\n", b"\r", b"a", b" ", MARK]),
    max_size=40,
).map(b"".join)


@given(adversarial, st.integers(1, 3), st.sampled_from(sorted(DELIMITERS)), st.integers(1, 40), st.integers(1, 40))
@example(b'5" disk,foo\nx,y\n', 2, "csv", 1, 1)
@settings(max_examples=250, deadline=None)
def test_any_division_gives_the_rows_that_pyarrow_reads_from_the_file_whole(
    taken_by, rows, columns, format, unit_bytes, batch_bytes
):
    delimiter = DELIMITERS[format]
    content = delimiter.join(["text", "b", "c"][:columns]).encode() + b"\n" + rows
    options = {"limits": ReadLimits(batch_bytes=batch_bytes), "tables": TableOptions(quoting="csv")}
    texts, rejected, _ = taken_by(format, content, unit_bytes=unit_bytes, text_field="text", **options)
    unclosed = [row.content for row in rejected if row.reason == "unclosed quote"]
    # Without the rows whose quotes are not closed, the file has the same rows in one piece.
    for row in unclosed:
        assert row.count(b'"') > 0
        rows = without(rows, row, delimiter)
    malformed = [row.content for row in rejected if row.reason == "malformed row"]
    assert (texts, malformed) == cells_by_pyarrow(rows, columns, delimiter)


def without(rows, record, delimiter):
    """The rows without one record, found at a record start."""
    start = 0
    for end in (*record_ends(rows, Dialect(delimiter.encode())), len(rows)):
        if rows[start:end] == record:
            return rows[:start] + rows[end:]
        start = end
    raise AssertionError("the record is not in the rows")


@given(table_files(regular=True), st.integers(1, 120))
@example(("csv", 'text\n"a""b\nc"\nd\n', 0), 1)
@settings(max_examples=60, deadline=None)
def test_ranges_are_adjacent_and_each_starts_a_record(file, unit_bytes):
    format, text, _ = file
    content = text.encode()
    ranges = READERS[format].divide(
        InputFile("a", len(content), 0.0, format), unit_bytes, opened(content), ReadOptions("text")
    )
    if ranges:
        assert ranges[-1][1] == len(content)
        assert all(end == start for (_, end), (start, _) in zip(ranges, ranges[1:], strict=False))
    for start, end in ranges:
        assert start < end
        assert content[:start].endswith(b"\n")
        assert content[:start].count(b'"') % 2 == 0


QUOTED = b'id,text\r\n1,"He said ""no"", twice,\r\nand left."\r\n2,plain\r\n3,""\r\n'


@pytest.mark.parametrize("unit_bytes", [1, 7, 20, 1000])
def test_quoted_newlines_commas_and_doubled_quotes_are_parsed(taken_by, unit_bytes):
    taken = taken_by("csv", QUOTED, unit_bytes=unit_bytes, text_field="text")
    assert taken == ([b'He said "no", twice,\r\nand left.', b"plain", b""], [], 0)


@pytest.mark.parametrize("unit_bytes", [1, 1000])
def test_a_quotation_mark_within_a_cell_is_text(taken_by, unit_bytes):
    content = b'text,id\n5" disk,1\n"a"b"c,2\nlast,3\n'
    assert taken_by("csv", content, unit_bytes=unit_bytes, text_field="text").texts == [b'5" disk', b'ab"c', b"last"]


@pytest.mark.parametrize("unit_bytes", [1, 1000])
def test_tabs_separate_the_cells_of_a_tsv_file(taken_by, unit_bytes):
    content = b'id\ttext\n1\ta, b\n2\t"c\td"\n3\n'
    assert taken_by("tsv", content, unit_bytes=unit_bytes, text_field="text") == (
        [b"a, b", b"c\td"],
        malformed(b"3"),
        0,
    )


def test_a_big_file_is_divided_between_records():
    content = b"text\n" + b'"one\ntwo"\n' * 100
    ranges = READER.divide(InputFile("a.csv", len(content), 0.0, "csv"), 100, opened(content), ReadOptions("text"))
    assert len(ranges) == 10
    assert ranges[0][0] == len(b"text\n")
    assert {end - start for start, end in ranges} == {100}


@pytest.mark.parametrize(("compression", "encoding"), [(("gzip",), "utf-8"), ((), "utf-16")])
def test_a_file_that_can_not_be_split_is_not_divided(compression, encoding):
    file = InputFile("a", 1000, 0.0, "csv", compression, encoding)
    assert READER.divide(file, 10, None, ReadOptions("text")) == [(0, 1000)]


def test_a_quoted_cell_longer_than_a_unit_is_not_divided(taken_by):
    content = b'text\n"' + b"long\n" * 100 + b'"\nnext\n'
    assert taken_by("csv", content, unit_bytes=10, text_field="text").texts == [b"long\n" * 100, b"next"]


@pytest.mark.parametrize("content", [b"text", b"text\n", b"text,other\r\n", b"\n\ntext\n", b"", MARK])
def test_a_file_of_only_a_header_has_no_ranges(content, taken_by):
    assert READER.divide(InputFile("a.csv", len(content), 0.0, "csv"), 10, opened(content), ReadOptions("text")) == []
    packed = taken_by("csv", bz2.compress(content), path="a.csv.bz2", text_field="text")
    assert packed == ([], [], 0)


@pytest.mark.parametrize("unit_bytes", [1, 1000])
def test_rows_with_another_number_of_cells_are_rejected(taken_by, unit_bytes):
    content = b'id,text\n1,a\n2\n3,"b",c\n4,d\n'
    taken = taken_by("csv", content, unit_bytes=unit_bytes, text_field="text")
    assert taken == ([b"a", b"d"], malformed(b"2", b'3,"b",c'), 0)


def test_a_file_of_only_malformed_rows_gives_no_text(taken_by):
    assert taken_by("csv", b"id,text\n1\n2\n", text_field="text") == ([], malformed(b"1", b"2"), 0)


def test_blank_lines_are_no_rows(taken_by):
    assert taken_by("csv", b"\nid,text\n\n1,a\n\n\n2,b\n", text_field="text") == ([b"a", b"b"], [], 0)


def test_invalid_bytes_are_replaced_and_their_cells_counted(taken_by):
    content = b"id,text\n\xe9,ok\n1,caf\xe9\n"
    assert taken_by("csv", content, text_field="text") == ([b"ok", "caf\ufffd".encode()], [], 1)


def test_a_malformed_row_may_be_invalid_too(taken_by):
    content = "id,text\n1,é\n".encode() + b"\xe9\n3,b\n"
    assert taken_by("csv", content, text_field="text") == (["é".encode(), b"b"], malformed(b"\xe9"), 0)


def test_invalid_cells_are_dropped_or_an_error_by_on_invalid(taken_by):
    content = b"id,text\n\xe9,ok\n1,caf\xe9\n"
    taken = taken_by("csv", content, text_field="text", on_invalid="drop")
    assert taken == ([b"ok"], [Rejected("invalid encoding", b"caf\xe9")], 0)
    with pytest.raises(UserError, match=r"a\.csv has text that is not valid utf-8, at 'caf\ufffd'"):
        taken_by("csv", content, path="a.csv", text_field="text", on_invalid="fail")


@pytest.mark.parametrize("encoding", ["cp1252", "shift_jis", "gb18030", "utf-16", "utf-16-le", "utf-8-sig"])
@pytest.mark.parametrize("unit_bytes", [1, 1000])
def test_a_table_may_be_in_another_encoding(taken_by, encoding, unit_bytes):
    text = "\u2026" if encoding == "cp1252" else "\u8868,\u30bd"
    content = f'id,{text[:1]}\r\n1,"{text}"\r\n{text[:1]}\r\n'.encode(encoding)
    taken = taken_by("csv", content, unit_bytes=unit_bytes, text_field=text[:1], encoding=encoding)
    row = text[:1].encode("utf-8" if encoding.startswith("utf") else encoding)
    assert taken == ([text.encode()], malformed(row), 0)


@pytest.mark.parametrize("batch_bytes", [1, 1 << 20])
def test_all_rows_of_a_compressed_file_are_read(taken_by, batch_bytes):
    content = b"id,text\n" + b"".join(b'%d,"a,\n%d"\n' % (i, i) for i in range(100))
    options = {"text_field": "text", "limits": ReadLimits(batch_bytes=batch_bytes)}
    taken = taken_by("csv", bz2.compress(content), path="a.csv.bz2", **options)
    assert taken == ([b"a,\n%d" % i for i in range(100)], [], 0)


def test_a_long_cell_is_split_into_chunks(batches_of, taken_by):
    long = b"some, words\n" * (CHUNK_BYTES // 5)
    content = b'id,text\n1,a\n2,"' + long + b'"\n3,b\n'
    assert taken_by("csv", content, text_field="text").texts == [b"a", long, b"b"]
    batches = batches_of("csv", content, text_field="text")
    assert all(len(text) <= CHUNK_BYTES for batch in batches for text in batch.texts)


def test_a_byte_order_mark_is_no_part_of_the_first_name(taken_by):
    assert taken_by("csv", MARK + b"text,id\na,1\n", unit_bytes=1, text_field="text").texts == [b"a"]


@pytest.mark.parametrize("unit_bytes", [1, 1000])
def test_a_byte_order_mark_inside_the_file_belongs_to_its_cell(taken_by, unit_bytes):
    content = b"text\n" + MARK + b"a\n" + MARK + b"b\n"
    assert taken_by("csv", content, unit_bytes=unit_bytes, text_field="text").texts == [MARK + b"a", MARK + b"b"]


@pytest.mark.parametrize("unit_bytes", [1, 1000])
def test_a_cell_of_white_space_is_a_document_in_any_division(taken_by, unit_bytes):
    content = b"text\n \na\n\t\n"
    assert taken_by("csv", content, unit_bytes=unit_bytes, text_field="text").texts == [b" ", b"a", b"\t"]


def test_a_header_may_hold_newlines_commas_and_quotes(taken_by):
    content = b'"a\nb","say ""text"", please"\n1,2\n'
    assert taken_by("csv", content, text_field='say "text", please').texts == [b"2"]


def test_the_first_of_two_columns_with_the_same_name_is_read(taken_by):
    assert taken_by("csv", b"id,text,text\n1,a,b\n", text_field="text") == ([b"a"], [], 0)


def test_other_columns_need_not_be_valid(taken_by):
    assert taken_by("csv", b"\xff,text\n\xfe\xff,a\n", text_field="text") == ([b"a"], [], 0)


@pytest.mark.parametrize("name", ["speech", "TEXT", None])
def test_a_missing_column_is_an_error_that_lists_the_columns(taken_by, check, name):
    refusal = r"a\.csv is a CSV file with the columns id, text.*with --text-field, or text_field in Python\."
    content = b"id,text\n1,a\n"
    with pytest.raises(UserError, match=refusal):
        check("csv", content, path="a.csv", text_field=name)
    with pytest.raises(UserError, match=refusal):
        taken_by("csv", content, path="a.csv", text_field=name)
    with pytest.raises(UserError, match="a TSV file with the column id,text"):
        taken_by("tsv", content, text_field=name)


@pytest.mark.parametrize("content", [b"Text,text\n1,a\n", b"", b"\n\n"])
def test_a_file_with_the_column_and_an_empty_file_pass_the_check(check, content):
    check("csv", content, text_field="text")


def test_a_delimiter_that_the_encoding_lacks_is_an_error(taken_by):
    with pytest.raises(UserError, match="cp1252, which has no character '日' to separate cells"):
        taken_by("csv", b"text\none\n", text_field="text", encoding="cp1252", tables=TableOptions(delimiter="日"))


@pytest.mark.parametrize("tables", [TableOptions(delimiter="|"), TableOptions(escape="\\")])
def test_a_mark_that_is_part_of_other_characters_is_an_error(taken_by, check, tables):
    content = "id|text\n1|ソ\n".encode("shift_jis")
    with pytest.raises(UserError, match="is read as shift_jis, in which .* is a part of other characters"):
        taken_by("csv", content, text_field="text", encoding="shift_jis", tables=tables)
    assert taken_by("csv", content, text_field="text", encoding="euc_jp", tables=TableOptions(delimiter="|")).texts


@pytest.mark.parametrize(
    "content", [b'"' + b"some text\n" * (CHUNK_BYTES // 8), b"text," * (2 * CHUNK_BYTES), b"x" * 200_000]
)
def test_a_header_that_never_ends_is_an_error(check, content):
    with pytest.raises(UserError, match=r"a\.csv has no readable header row.*never closed"):
        check("csv", content, path="a.csv", text_field="text")


@pytest.mark.parametrize("unit_bytes", [1, 1000])
def test_lines_may_end_with_only_carriage_returns(taken_by, check, unit_bytes):
    content = b'id,text\r1,a\r2,"b\rc"\r'
    check("csv", content, text_field="text")
    assert taken_by("csv", content, text_field="text", unit_bytes=unit_bytes) == ([b"a", b"b\rc"], [], 0)


def test_a_header_that_ends_with_another_line_end_than_the_rows_is_an_error(check):
    with pytest.raises(UserError, match=r"a\.csv has no readable header row.*only a carriage return"):
        check("csv", b"id,text\r1,a\n2,b\n", path="a.csv", text_field="text")


def test_a_parse_error_of_pyarrow_is_reported(taken_by, monkeypatch):
    def fail(*_, **__):
        raise pa.ArrowInvalid("no CSV")

    monkeypatch.setattr(pa.csv, "read_csv", fail)
    with pytest.raises(UserError, match=r"a\.csv can't be read as a CSV file near byte 12: no CSV"):
        taken_by("csv", b"id,text\n1,a\n", path="a.csv", text_field="text")


def test_a_file_that_became_shorter_is_an_error():
    with pytest.raises(UserError, match=r"a\.csv became shorter while it was read"):
        list(
            READER.read(
                FileRange(InputFile("a.csv", 20, 0.0, "csv"), 5, 20), opened(b"text\na\n"), ReadOptions("text")
            )
        )


DIALECTS = [
    ({"delimiter": ";"}, {"delimiter": ";"}),
    ({"delimiter": "|", "quoting": "none"}, {"delimiter": "|", "quoting": csv.QUOTE_NONE, "escapechar": None}),
    ({"delimiter": "§"}, {"delimiter": "§"}),
    ({"escape": "\\"}, {"doublequote": False, "escapechar": "\\"}),
    ({"skip_blanks": True}, {"skipinitialspace": True}),
    ({"delimiter": "\x01", "join": "space"}, {"delimiter": "\x01"}),
]
plain_texts = st.text(alphabet='ab"; \té', max_size=8)


@given(
    st.lists(st.tuples(plain_texts, plain_texts), max_size=12),
    st.sampled_from(DIALECTS),
    st.booleans(),
    st.integers(0, 2),
    st.integers(1, 60),
)
@settings(max_examples=200, deadline=None)
def test_any_division_gives_the_cells_of_the_csv_module_in_any_dialect(
    taken_by, rows, dialect, header, skipped, unit_bytes
):
    tables, options = dialect
    rows = [("id", "text")] * header + [row for row in rows if any(row)]
    file = io.StringIO("skipped\n" * skipped)
    file.seek(0, io.SEEK_END)
    if options.get("quoting") == csv.QUOTE_NONE:
        file.write("".join(f"{a}|{b}\n" for a, b in rows))
    else:
        csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL, **options).writerows(rows)
    text = file.getvalue()
    read = list(csv.reader(text.splitlines(keepends=True)[skipped:], **options))
    separator = " " if "join" in tables else "\n"
    expected = [separator.join(cell for cell in row if cell).encode() for row in read if len(row) == 2]
    tables = TableOptions(**tables, header="first" if header else "none", skip_rows=skipped)
    field = "id,text" if header else "1,2"
    taken = taken_by("csv", text.encode(), unit_bytes=unit_bytes, text_field=field, tables=tables)
    assert taken.texts == expected[header:]
    assert len(taken.rejected) == sum(len(row) not in (0, 2) for row in read)


@pytest.mark.parametrize("unit_bytes", [1, 1000])
def test_cells_of_several_columns_are_one_document_or_several(taken_by, unit_bytes):
    content = b"title,id,body\na,1,b\n,2,c\n"
    joined = taken_by("csv", content, text_field="title,body", unit_bytes=unit_bytes)
    assert joined == ([b"a\nb", b"c"], [], 0)
    tables = TableOptions(join="none")
    single = taken_by("csv", content, text_field="body,title", tables=tables, unit_bytes=unit_bytes)
    assert single == ([b"b", b"a", b"c", b""], [], 0)


def test_a_column_whose_name_has_a_comma_is_read(taken_by):
    content = b'title,body,"title,body"\na,b,c\n'
    assert taken_by("csv", content, text_field="title,body") == ([b"c"], [], 0)


@pytest.mark.parametrize("path", ["a.csv", "a.csv.bz2"])
@pytest.mark.parametrize("unit_bytes", [1, 1000])
def test_rows_with_unclosed_quotes_are_rejected_and_the_first_is_told_with_its_line(batches_of, path, unit_bytes):
    content = b'id,text\n1,"a\nb"\n2,"c\n3,d\n4,"e\n5,f\n6,"g\n'
    content = bz2.compress(content) if path.endswith("bz2") else content
    batches = batches_of("csv", content, path=path, text_field="text", unit_bytes=unit_bytes)
    assert [text for batch in batches for text in batch.texts] == [b"a\nb", b"f"]
    rejected = [item for batch in batches for item in batch.rejected]
    assert [item.content for item in rejected] == [b'2,"c\n3,d\n4,"e\n', b'6,"g\n']
    assert {item.reason for item in rejected} == {"unclosed quote"}
    assert rejected[0].note == "line 4"


@pytest.mark.parametrize("path", ["a.csv", "a.csv.bz2"])
@pytest.mark.parametrize("row", [b'2,"' + b"x,\n" * 100 + b'"', b"2," + b"x" * 300])
def test_a_row_above_the_limit_is_rejected_and_not_held(batches_of, path, row):
    content = b"id,text\n1,a\n" + row + b"\n3,b\n"
    content = bz2.compress(content) if path.endswith("bz2") else content
    tables = TableOptions(max_row_bytes=100)
    batches = batches_of("csv", content, path=path, text_field="text", tables=tables)
    assert [text for batch in batches for text in batch.texts] == [b"a", b"b"]
    (rejected,) = [item for batch in batches for item in batch.rejected]
    assert (rejected.reason, rejected.content) == ("row too large", row[:100])
    assert rejected.note == f"line 3, {len(row) + 1:,} bytes"


def test_a_malformed_row_is_told_with_its_number_of_cells(batches_of):
    (batch,) = batches_of("csv", b"id,text\n1,a,b\n", text_field="text")
    assert batch.rejected == [Rejected("malformed row", b"1,a,b", "3 cells instead of 2")]


def test_a_table_may_have_thousands_of_columns(taken_by, check):
    names = [b"column %d" % i for i in range(20_000)]
    content = b",".join(names) + b"\n" + b",".join(names).replace(b"column", b"cell") + b"\n"
    check("csv", content, text_field="column 19999")
    assert taken_by("csv", content, text_field="column 19999").texts == [b"cell 19999"]


def test_a_cell_may_hold_nul_bytes(taken_by, check):
    check("csv", b"id,text\n1,a\0b\n", text_field="text")
    assert taken_by("csv", b"id,text\n1,a\0b\n", text_field="text").texts == [b"a\0b"]


def test_a_file_of_blanks_has_no_column(check):
    with pytest.raises(UserError, match="none is named 'text'"):
        check("csv", b" ", path="a.csv", text_field="text")
