import csv
import io

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.corpus.readers.csv_parsing import BadRow, joined_cells, parse_block, parse_rows
from textgen.corpus.readers.csv_records import Dialect

SECTION = Dialect("§".encode())


@pytest.mark.parametrize(
    ("dialect", "records", "cells"),
    [
        (Dialect(), b'1,"a ""b"", c"\n', b'a "b", c'),
        (Dialect(quoted=False), b'1,"a\n', b'"a'),
        (Dialect(escape=b"\\"), b'1,"a \\"b\\", c"\n', b'a "b", c'),
        (Dialect(escape=b"\\"), b"1,a\\, b\\\nc\n", b"a, b\nc"),
        (Dialect(escape=b"\\"), b"1,C:\\new \\\\ \\alpha\n", b"C:\\new \\ \\alpha"),
        (Dialect(escape=b"\\"), b"1,a\\", b"a\\"),
        (Dialect(quoted=False, escape=b"\\"), b'1,\\"a\n', b'"a'),
        (Dialect(skips_blanks=True), b'1,  "a, b"\n', b"a, b"),
        (Dialect(skips_blanks=True), b' 1, a "b", \n'.replace(b", \n", b"\n"), b'a "b"'),
        (Dialect(skips_blanks=True), b'1, "a,  ""b"',  b'a,  "b'),
        (SECTION, '1§"a§ ""b"'.encode(), 'a§ "b'.encode()),
        (SECTION, "1§a\x01b".encode(), b"a\x01b"),
        (SECTION, "1§\xe9".encode("latin-1").replace(b"\xa7", "§".encode()), b"\xe9"),
        (Dialect(b"\xa7"), b"1\xa7\xe9", b"\xe9"),
        (Dialect(b"\x01"), b"1\x01a,b", b"a,b"),
        (Dialect(), b"1,a\x00b", b"a\x00b"),
    ],
)  # fmt: skip
def test_cells_are_parsed_by_the_dialect(dialect, records, cells):
    assert parse_block(records, dialect, 2, [1]) == ([], [[cells]])


def test_several_columns_are_parsed_in_the_requested_order():
    assert parse_block(b"1,a,b\n2,c,d\n", Dialect(), 3, [2, 0]) == ([], [[b"b", b"d"], [b"1", b"2"]])


def test_rows_of_another_width_are_bad():
    assert parse_block(b"1\n2,a\n3,b,c\n", Dialect(), 2, [1]) == (
        [BadRow(b"1", 1), BadRow(b"3,b,c", 3)], [[b"a"]]
    )  # fmt: skip
    assert parse_block("1§a§b".encode(), SECTION, 2, [1]).bad == [BadRow("1§a§b".encode(), 3)]


def test_a_block_of_every_control_character_can_not_have_a_long_delimiter():
    with pytest.raises(pa.ArrowInvalid, match="every control character"):
        parse_block("1§".encode() + bytes(range(1, 128)), SECTION, 2, [1])


cells = st.text(alphabet='ab",;\\ \té§', max_size=6)


@given(
    st.lists(st.lists(cells, min_size=2, max_size=2), min_size=1, max_size=8),
    st.sampled_from([",", ";", "\t", "|", "§"]),
    st.sampled_from(["minimal", "all", "none", "escaped"]),
    st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_cells_are_those_that_the_csv_module_reads(rows, delimiter, style, skips_blanks):
    styles = {
        "minimal": {},
        "all": {"quoting": csv.QUOTE_ALL},
        "none": {"quoting": csv.QUOTE_NONE, "escapechar": "\\", "quotechar": None},
        "escaped": {"quoting": csv.QUOTE_ALL, "doublequote": False, "escapechar": "\\"},
    }
    options = {"delimiter": delimiter, **styles[style]}
    file = io.StringIO()
    if style == "escaped":
        # The csv module of Python 3.10 does not escape the escape character.
        rows = [[cell.replace("\\", "") for cell in row] for row in rows]
    csv.writer(file, lineterminator="\n", **options).writerows(rows)
    text = file.getvalue()
    expected = list(csv.reader(io.StringIO(text, newline=""), skipinitialspace=skips_blanks, **options))
    escape = b"\\" if "escapechar" in options else b""
    dialect = Dialect(delimiter.encode(), style != "none", escape, skips_blanks)
    if text.strip("\r\n") and all(len(row) == 2 for row in expected):
        parsed = parse_block(text.encode(), dialect, 2, [0, 1])
        assert parsed == ([], [[row[i].encode() for row in expected] for i in range(2)])
        assert parse_rows(text.encode(), dialect, "utf-8") == expected


def test_rows_may_have_any_number_of_cells():
    assert parse_rows(b'1\n"a,b",c\n', Dialect(), "utf-8") == [["1"], ["a,b", "c"]]
    assert parse_rows("1§a\n".encode(), SECTION, "utf-8") == [["1", "a"]]


def test_cells_are_joined_without_the_empty_ones():
    columns = [[b"a", b"", b""], [b"b", b"c", b""]]
    assert list(joined_cells(columns, b"\n")) == [b"a\nb", b"c", b""]
    assert list(joined_cells(columns, None)) == [b"a", b"b", b"", b"c", b"", b""]
    assert list(joined_cells(columns[:1], b"\n")) == columns[0]
