import re
import shlex

import pytest

from textgen.corpus.readers.base import TableOptions
from textgen.errors import UserError


def error(check, content, field, format="csv", **options):
    with pytest.raises(UserError) as raised:
        check(format, content, path="a.csv", text_field=field, tables=TableOptions(**options))
    return str(raised.value)


SETTINGS = {
    "--delimiter": "delimiter", "--quoting": "quoting", "--escape": "escape", "--header": "header",
    "--skip-rows": "skip_rows", "--text-field": "text_field", "--skip-initial-space": "skip_blanks",
}  # fmt: skip
NAMES = {"semicolon": ";", "tab": "\t", "pipe": "|", "comma": ",", "colon": ":", "backslash": "\\"}


def remedy(message):
    """The options that a message names after "add", as settings of the reader."""
    words = shlex.split(message[message.index("dd --") + 3 :].replace(",", " ").replace(";", " ").replace("'", ""))
    options = {}
    for word, value in zip(words, [*words[1:], ""], strict=True):
        if word in SETTINGS and SETTINGS[word] not in options:
            options[SETTINGS[word]] = (
                True if word == "--skip-initial-space" else NAMES.get(value.rstrip("."), value.rstrip("."))
            )
    if options.get("header") == "first":
        del options["header"]
    return options


@pytest.mark.parametrize(
    ("content", "format", "field", "texts"),
    [
        (b'id;text\n1;"one; two, three"\n2;four, five\n', "csv", "text", ["one; two, three", "four, five"]),
        (b"id|text\n1|one, two\n2|three\n", "csv", "text", ["one, two", "three"]),
        (b"id\ttext\n1\tone, two\n2\tthree\n", "csv", "text", ["one, two", "three"]),
        (b'id,text\n1,"one\ttwo"\n2,three\n', "tsv", "text", ["one\ttwo", "three"]),
        (b'id, text\n1, "one, two"\n2, "three"\n', "csv", "text", ["one, two", "three"]),
        (b'id,text\n1, "one, two"\n2, "three"\n', "csv", "text", ["one, two", "three"]),
        (b'id,text\n1,"one \\"two, three\\""\n2,four\n', "csv", "text", ['one "two, three"', "four"]),
        (b'id,text\n1,"one \\"two\\""\n2,four\n', "csv", "text", ['one "two"', "four"]),
        (b'id,text\n2,"two\n3,three\n4,"four\n5,five\n', "csv", "text", ['"two', "three", '"four', "five"]),
        (b'id,text\n1,one\n2,"two\n3,three\n', "csv", "text", ["one", '"two', "three"]),
        (b"1,the miller\n2,the smith\n3,the end\n", "csv", "the miller", ["the miller", "the smith", "the end"]),
        (b"good,a fine film\nbad,dull\ngood,fun\n", "csv", "a fine film", ["a fine film", "dull", "fun"]),
        (b"id,text\n1,one,\n2,two,\n", "csv", "text", ["one", "two"]),
        (b"Report of 2020\n\nid,text\n1,one\n2,two\n", "csv", "text", ["one", "two"]),
        (b"id:text\n1:one, two\n2:three\n", "csv", "text", ["one, two", "three"]),
        (b"id,text\n1,one\\, two\n2,three\n", "csv", "text", ["one, two", "three"]),
    ],
)  # fmt: skip
def test_a_dialect_that_does_not_fit_names_a_remedy_that_reads_every_row(
    check, taken_by, content, format, field, texts
):
    options = remedy(error(check, content, field, format))
    field = options.pop("text_field", field)
    tables = TableOptions(**{**options, "skip_rows": int(options.get("skip_rows", 0))})
    check(format, content, text_field=field, tables=tables)
    taken = taken_by(format, content, unit_bytes=1, text_field=field, tables=tables)
    assert taken == ([text.encode() for text in texts], [], 0)


@pytest.mark.parametrize("field", [None, "id;text", "body"])
def test_another_delimiter_is_named_with_its_columns(check, field):
    message = error(check, b"id;text\n1;a\n", field)
    assert message == (
        "a.csv is read as a CSV file, but its cells are separated by a semicolon. Add --delimiter semicolon, and "
        "--text-field with one of its columns: id, text."
    )


def test_columns_without_a_header_are_listed_with_samples(check):
    message = error(check, b"1,the miller\n2,the smith\n", None, header="none")
    assert "with the columns 1 ('1'), 2 ('the miller'). Give" in message
    assert "add --header none" in error(check, b"1,the miller\n2,the smith\n", None)
    assert "add --header none" not in error(check, b"id,text\n2,the smith\n", None)


@pytest.mark.parametrize(
    ("content", "field", "options"),
    [
        (b"1,the miller\n2,the smith\n", "the miller", {"header": "first"}),
        (b"id,my text\nid,my text\n", "my text", {}),
        (b"id,text\n1,one\n2,two,\n3,three,\n", "text", {}),
        (b"id,text\n1,one,\n", "text", {}),
        (b'id,text\n1,"C:\\"\n2,b\n', "text", {}),
        (b'id,text\n1,"one \\"two\\""\n', "text", {"escape": ""}),
        (b'id,text\n1,"one\n2,two\n', "text", {"quoting": "csv"}),
        (b"id;text\n1;one\n", "id;text", {"delimiter": ","}),
        (b"id, text\n1, one\n", " text", {}),
        (b'text\n5" disk; "a\n', "text", {}),
        (b"text\n", "text", {}),
    ],
)
def test_a_table_that_may_be_meant_so_passes(check, content, field, options):
    assert check("csv", content, text_field=field, tables=TableOptions(**options)) is None


@pytest.mark.parametrize(
    ("content", "field", "remark"),
    [
        (b"Country Name,1960\nAruba,54\n", "Country Name", "the header Country Name | 1960; add --header none if"),
        (b"4,great film\n1,bad\n3,fair\n", "great film", "the header 4 | great film; add --header none if"),
        (b"what we have seen of late\nit is dull\n", "what we have seen of late", "add --header none if it is data"),
        (b'id,text\n1, "one"\n2, "two"\n', "text", "add --skip-initial-space to leave them out"),
    ],
)
def test_a_table_that_may_be_meant_otherwise_is_remarked_on(check, content, field, remark):
    assert remark in check("csv", content, text_field=field)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"a,text\n1;one\n2;two\n",
            r"--header none --delimiter semicolon, and --text-field with .* 1 \('1'\), 2 \('one'\)",
        ),
        (
            b"a,text\n1,one,x\n2,two,y\n",
            r"--header none, and --text-field with one of 1 \('1'\), 2 \('one'\), 3 \('x'\)\.",
        ),
    ],
)
def test_rows_of_another_width_can_be_read_by_number(check, content, message):
    assert re.search("add --skip-rows 1 " + message, error(check, content, "text"))


def test_the_choice_for_quotation_marks_of_a_tsv_file_is_told(check):
    assert check("tsv", b'id\ttext\n1\t"a\n', text_field="text") == "read with --quoting none"
    assert check("tsv", b'id\ttext\n1\t"a"\n', text_field="text").startswith("read with --quoting csv, since")
    assert check("tsv", b"id\ttext\n", text_field="text", tables=TableOptions(quoting="csv")) is None


def test_an_unclosed_quote_is_told_with_its_line(check):
    assert "a quotation mark in line 3 that" in error(check, b'id,text\n1,one\n2,"two\n3,three\n', "text")


def test_rows_of_several_widths_are_shown(check):
    message = error(check, b"id,text\n1,one,\n2,\n3,a,b,c\n".replace(b"2,\n", b"2\n"), "text")
    assert "but 1 or 3 or 4 in each of its first 3 rows, as in 1 | one | . Look at" in message
