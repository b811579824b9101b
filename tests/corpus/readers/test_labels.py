import io
import json
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet
import pytest

from textgen.corpus.formats import READERS
from textgen.corpus.readers.base import InputFile, Label, Labelled, ReadOptions, Rejected, TableOptions
from textgen.corpus.readers.labels import Labeller
from textgen.errors import UserError

BOTH = Labeller(ReadOptions(split_field="part", group_field="author"))


@pytest.mark.parametrize(
    ("value", "split"),
    [
        (b"train", "train"),
        (b" Training ", "train"),
        (b"val", "validation"),
        (b"VALID", "validation"),
        (b"dev", "validation"),
        (b"eval", "validation"),
        (b"test", "test"),
    ],
)
def test_the_usual_names_of_splits_are_understood(value: bytes, split: str) -> None:
    assert list(BOTH.label([b"a"], [value, b"ann"])) == [Labelled(b"a", Label(split, b"ann"))]


@pytest.mark.parametrize(("value", "shown"), [(b"extra", "'extra'"), (b"", "''"), (None, "missing")])
def test_an_unknown_name_rejects_the_document_and_is_shown(value: bytes | None, shown: str) -> None:
    rejected = Rejected("empty", b"")
    found = list(BOTH.label([b"a", rejected, iter([b"b", b"c"])], [value, b"ann"]))
    note = f"its part is {shown}"
    assert found == [Rejected("unknown split", b"a", note), rejected, Rejected("unknown split", b"bc", note)]


def test_a_document_without_a_value_is_in_no_group() -> None:
    labeller = Labeller(ReadOptions(group_field="author"))
    assert labeller.fields == ["author"]
    for value in (None, b""):
        assert list(labeller.label([b"a"], [value])) == [Labelled(b"a", Label(None, None))]


def test_a_missing_field_is_an_error_that_names_its_option() -> None:
    BOTH.require(["text", "part", "author"], "a.csv", "CSV")
    for names, expected in (
        (
            ["text", "author", "parts"],
            r"none is named 'part'\. Did you mean 'parts'\? Give one of them with --split-field",
        ),
        (["text", "part"], r"none is named 'author'\. Give one of them with --group-field, or group_field in Python"),
    ):
        with pytest.raises(UserError, match=expected):
            BOTH.require(names, "a.csv", "CSV")


ROWS = [
    {"text": "one", "part": "train", "meta": {"author": "ann"}},
    {"text": "two", "part": "extra", "meta": {"author": "bob"}},
    {"text": "three", "part": "DEV", "meta": {"author": None}},
    {"text": "four", "part": "test", "meta": {"author": "ann"}},
]


def table(rows: list[dict]) -> bytes:
    lines = [f"{row['part']},{row['text']},{row['meta']['author'] or ''}" for row in rows]
    return "\n".join(["part,text,meta.author", *lines, ""]).encode()


def parquet(rows: list[dict]) -> bytes:
    file = io.BytesIO()
    pa.parquet.write_table(pa.Table.from_pylist(rows), file)
    return file.getvalue()


CONTENTS = {
    "csv": table(ROWS),
    "tsv": table(ROWS).replace(b",", b"\t"),
    "jsonl": "".join(json.dumps(row) + "\n" for row in ROWS).encode(),
    "json": json.dumps(ROWS, indent=1).encode(),
    "parquet": parquet(ROWS),
}


@pytest.mark.parametrize("format", CONTENTS)
def test_every_reader_of_rows_labels_its_documents(batches_of: Callable, format: str) -> None:
    options = {"text_field": "text", "split_field": "part", "group_field": "meta.author"}
    (batch,) = batches_of(format, CONTENTS[format], **options)
    assert batch.texts == [b"one", b"three", b"four"]
    assert batch.labels == [Label("train", b"ann"), Label("validation", None), Label("test", b"ann")]
    assert [(item.reason, item.note) for item in batch.rejected] == [("unknown split", "its part is 'extra'")]
    (plain,) = batches_of(format, CONTENTS[format], text_field="text")
    assert (len(plain.texts), plain.labels) == (4, [])


@pytest.mark.parametrize("format", CONTENTS)
def test_every_reader_of_rows_checks_the_fields_of_labels(format: str) -> None:
    content = CONTENTS[format]
    file = InputFile(f"a.{format}", len(content), 0.0, format)
    reader = READERS[format]
    reader.check(
        file, lambda _: io.BytesIO(content), ReadOptions("text", split_field="part", group_field="meta.author")
    )
    with pytest.raises(UserError, match="none is named 'writer'.*--group-field"):
        reader.check(file, lambda _: io.BytesIO(content), ReadOptions("text", group_field="writer"))


def test_cells_in_another_encoding_are_labels_in_utf8(batches_of: Callable) -> None:
    content = "text;author\nun;Zoé\n".encode("cp1252")
    (batch,) = batches_of(
        "csv", content, encoding="cp1252", text_field="text", group_field="author", tables=TableOptions(delimiter=";")
    )
    assert batch.labels == [Label(None, "Zoé".encode())]


def test_every_text_of_a_row_has_its_label(batches_of: Callable) -> None:
    options = {"text_field": "title,body", "split_field": "part", "tables": TableOptions(join="none")}
    (batch,) = batches_of("csv", b"title,body,part\na,b,test\nc,d,train\n", **options)
    assert batch.texts == [b"a", b"b", b"c", b"d"]
    assert [label.split for label in batch.labels] == ["test", "test", "train", "train"]
