import pytest

from textgen.corpus.readers.base import InputFile, Label, Labelled, ReadOptions, TableOptions
from textgen.corpus.readers.table_columns import TableColumns
from textgen.errors import UserError

FILE = InputFile("a.csv", 1, 0.0, "csv", (), "cp1252")


def columns(names: list[str], **options: object) -> TableColumns:
    return TableColumns(names, FILE, "CSV", ReadOptions(**options))


def test_each_column_is_read_once() -> None:
    found = columns(["id", "who", "text"], text_field="text", split_field="who", group_field="who")
    assert found.indices == [2, 1]
    zoe = "Zo\xe9".encode("cp1252")
    assert columns(["who", "text"], text_field="text", group_field="who").indices == [1, 0]
    labelled = columns(["who", "text"], text_field="text", group_field="who").documents([[b"a"], [zoe]])
    assert list(labelled) == [Labelled(b"a", Label(None, "Zo\xe9".encode()))]


def test_without_labels_documents_are_the_cells() -> None:
    assert list(columns(["text"], text_field="text").documents([[b"a", b"b"]])) == [[b"a", b"b"]]
    found = columns(["t", "b"], text_field="t,b", tables=TableOptions(join="space")).documents([[b"a"], [b"b"]])
    assert list(found) == [b"a b"]


def test_a_file_without_rows_has_no_columns() -> None:
    assert columns([], text_field="text", split_field="part").indices == []


def test_a_missing_column_is_an_error() -> None:
    with pytest.raises(UserError, match=r"none is named 'text'.*--text-field"):
        columns(["id"], text_field="text")
    with pytest.raises(UserError, match=r"none is named 'part'.*--split-field"):
        columns(["text"], text_field="text", split_field="part")
