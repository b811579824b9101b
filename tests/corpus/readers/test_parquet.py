import io

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.corpus.formats import READERS
from textgen.corpus.readers import parquet
from textgen.corpus.readers.base import (
    CHUNK_BYTES,
    FileRange,
    InputFile,
    ReadLimits,
    ReadOptions,
    Rejected,
    TableOptions,
)
from textgen.errors import UserError

READER = READERS["parquet"]
EMPTY = Rejected("empty", b"")


def written(columns, **options):
    file = io.BytesIO()
    pa.parquet.write_table(columns if isinstance(columns, pa.Table) else pa.table(columns), file, **options)
    return file.getvalue()


def divided(content, unit_bytes, field="text"):
    file = InputFile("a.parquet", len(content), 0.0, "parquet")
    return READER.divide(file, unit_bytes, lambda _: io.BytesIO(content), ReadOptions(field))


@given(
    st.lists(st.none() | st.text(max_size=20), max_size=40),
    st.integers(1, 12),
    st.integers(1, 2000),
    st.sampled_from(["none", "snappy", "zstd", "gzip"]),
    st.booleans(),
)
@settings(max_examples=80, deadline=None)
def test_any_division_gives_every_cell_once(taken_by, cells, group_rows, unit_bytes, compression, dictionary):
    columns = {"id": pa.array(range(len(cells)), pa.int32()), "text": pa.array(cells, pa.string())}
    content = written(columns, row_group_size=group_rows, compression=compression, use_dictionary=dictionary)
    ranges = divided(content, unit_bytes)
    assert ranges[0][0] == 0
    assert ranges[-1][1] == len(content)
    assert all(start < end for start, end in ranges)
    assert all(end == start for (_, end), (start, _) in zip(ranges, ranges[1:], strict=False))
    taken = taken_by("parquet", content, unit_bytes=unit_bytes, text_field="text")
    assert taken.texts == [cell.encode() for cell in cells if cell is not None]
    assert taken.rejected == [EMPTY] * cells.count(None)


@given(st.lists(st.integers(0, 3000), max_size=4).map(sorted))
@settings(max_examples=30, deadline=None)
def test_ranges_with_any_edges_give_every_cell_once(taken_by, cuts):
    content = written({"text": [str(i) for i in range(100)]}, row_group_size=10)
    edges = [0, *(min(cut, len(content)) for cut in cuts), len(content)]
    assert taken_by("parquet", content, edges=edges, text_field="text").texts == [b"%d" % i for i in range(100)]


def test_ranges_hold_as_many_row_groups_as_fit_or_one():
    content = written({"text": [str(i) * 100 for i in range(100)]}, row_group_size=10, compression="none")
    assert len(divided(content, 1)) == 10
    assert divided(content, 1 << 20) == [(0, len(content))]
    ranges = divided(content, len(content) // 3)
    assert 3 <= len(ranges) <= 5
    assert all(end - start <= len(content) // 3 for start, end in ranges)


TYPES = [
    pa.string(),
    pa.large_string(),
    pa.string_view(),
    pa.binary(),
    pa.large_binary(),
    pa.binary_view(),
    pa.binary(2),
    pa.dictionary(pa.int32(), pa.string()),
]


@pytest.mark.parametrize("type", TYPES, ids=str)
def test_a_column_of_strings_or_bytes_of_any_kind_is_read(taken_by, check, type):
    values = [b"ab", None, b"cd", b"ab"]
    plain = pa.array(values, pa.binary(2) if pa.types.is_fixed_size_binary(type) else pa.binary())
    column = plain.cast(pa.string()).dictionary_encode() if pa.types.is_dictionary(type) else plain.cast(type)
    content = written({"text": column})
    check("parquet", content, text_field="text")
    assert taken_by("parquet", content, text_field="text") == ([b"ab", b"cd", b"ab"], [EMPTY], 0)


NESTED = pa.table(
    {
        "data": [{"text": "a", "id": 1}, None, {"text": None, "id": 2}, {"text": "d", "id": 3}],
        "deep": [{"er": {"text": "x"}}, {"er": None}, None, {"er": {"text": "y"}}],
        "data.text": ["exact", "exact", "exact", None],
    }
)


def test_a_column_may_be_nested(taken_by, check):
    content = written(NESTED.drop_columns(["data.text"]))
    check("parquet", content, text_field="data.text")
    assert taken_by("parquet", content, text_field="data.text") == ([b"a", b"d"], [EMPTY] * 2, 0)
    assert taken_by("parquet", content, text_field="deep.er.text") == ([b"x", b"y"], [EMPTY] * 2, 0)


def test_a_name_that_contains_dots_is_preferred_to_a_path(taken_by):
    content = written(NESTED)
    assert taken_by("parquet", content, text_field="data.text") == ([b"exact"] * 3, [EMPTY], 0)


def test_strings_are_utf8_and_bytes_have_the_given_encoding(taken_by):
    content = written({"text": pa.array([b"caf\xe9"], pa.binary())})
    assert taken_by("parquet", content, text_field="text") == (["caf\ufffd".encode()], [], 1)
    assert taken_by("parquet", content, text_field="text", encoding="cp1252") == (["café".encode()], [], 0)
    content = written({"text": pa.array(["é".encode("utf-16")], pa.binary())})
    assert taken_by("parquet", content, text_field="text", encoding="utf-16") == (["é".encode()], [], 0)
    content = written({"text": ["é"]})
    assert taken_by("parquet", content, text_field="text", encoding="cp1252") == (["é".encode()], [], 0)


def test_strings_with_invalid_bytes_are_handled_by_on_invalid(taken_by):
    invalid = pa.Array.from_buffers(pa.string(), 1, pa.array([b"caf\xe9"], pa.binary()).buffers())
    content = written({"text": invalid})
    assert taken_by("parquet", content, text_field="text") == (["caf\ufffd".encode()], [], 1)
    taken = taken_by("parquet", content, text_field="text", on_invalid="drop")
    assert taken == ([], [Rejected("invalid encoding", b"caf\xe9")], 0)
    with pytest.raises(UserError, match=r"a\.parquet has text that is not valid"):
        taken_by("parquet", content, path="a.parquet", text_field="text", on_invalid="fail")


def test_a_long_cell_is_split_into_chunks(batches_of, taken_by):
    long = b"some words\n" * (CHUNK_BYTES // 4)
    content = written({"text": ["a", long.decode(), "b"]})
    assert taken_by("parquet", content, text_field="text").texts == [b"a", long, b"b"]
    batches = batches_of("parquet", content, text_field="text")
    assert all(len(text) <= CHUNK_BYTES for batch in batches for text in batch.texts)


def test_texts_do_not_depend_on_the_rows_read_at_once(batches_of, monkeypatch):
    content = written({"text": [str(i) for i in range(1000)]})
    options = {"text_field": "text", "limits": ReadLimits(batch_texts=256)}
    for rows, sizes in ((1 << 14, [256, 256, 256, 232]), (7, [259, 259, 259, 223])):
        monkeypatch.setattr(parquet, "_MAX_ROWS", rows)
        batches = batches_of("parquet", content, **options)
        assert [len(batch.texts) for batch in batches] == sizes
        assert [int(text) for batch in batches for text in batch.texts] == list(range(1000))


def test_few_long_cells_are_read_at_once(monkeypatch):
    content = written({"text": [chr(97 + i) * (CHUNK_BYTES // 2) for i in range(8)]}, use_dictionary=False)
    asked = []
    iterate = pa.parquet.ParquetFile.iter_batches

    def noting(file, rows, **options):
        asked.append(rows)
        return iterate(file, rows, **options)

    monkeypatch.setattr(pa.parquet.ParquetFile, "iter_batches", noting)
    file_range = FileRange(InputFile("a", len(content), 0.0, "parquet"), 0, len(content))
    list(READER.read(file_range, lambda _: io.BytesIO(content), ReadOptions("text")))
    assert asked == [1]


@pytest.mark.parametrize("rows", [0, 3])
def test_a_file_without_texts_has_no_documents(taken_by, rows):
    content = written({"text": pa.array([None] * rows, pa.string())})
    assert divided(content, 1) == [(0, len(content))]
    assert taken_by("parquet", content, text_field="text") == ([], [EMPTY] * rows, 0)


@pytest.mark.parametrize("name", [None, "Text", "data", "data.id.text", ""])
def test_a_missing_column_is_an_error_that_lists_the_columns(check, name):
    content = written(NESTED.select(["deep"]).append_column("text", pa.array(["a"] * 4)))
    with pytest.raises(
        UserError, match=r"a\.parquet is a Parquet file with the columns deep\.er\.text, text.*--text"
    ):
        check("parquet", content, path="a.parquet", text_field=name)


@pytest.mark.parametrize(
    ("column", "type"),
    [([1, 2], "int64"), ([["a"], ["b"]], "list"), ([{"a": "b"}] * 2, "struct"), ([True, None], "bool")],
)
def test_a_column_of_another_type_is_an_error(check, column, type):
    with pytest.raises(
        UserError, match=rf"a\.parquet has the type {type}.* in its column 'text'; documents must be strings"
    ):
        check("parquet", written({"text": column}), path="a.parquet", text_field="text")


@pytest.mark.parametrize("content", [b"", b"plain text, no Parquet", b"PAR1" + bytes(100) + b"PAR1"])
def test_a_file_of_another_format_is_an_error(check, content):
    with pytest.raises(UserError, match=r"a\.parquet can't be read as a Parquet file: .*damaged, truncated"):
        check("parquet", content, path="a.parquet", text_field="text")


def test_a_truncated_file_is_an_error(check):
    with pytest.raises(UserError, match=r"can't be read as a Parquet file"):
        check("parquet", written({"text": ["a"]})[:-9], text_field="text")


def test_a_damaged_row_group_is_an_error(taken_by):
    content = bytearray(written({"text": ["some text"] * 1000}, use_dictionary=False, compression="zstd"))
    content[30:60] = bytes(30)
    with pytest.raises(UserError, match=r"can't be read as a Parquet file"):
        taken_by("parquet", bytes(content), text_field="text")


LISTS = pa.table(
    {
        "title": ["t", None, "u", None],
        "tags": [["a", None, "b"], ["", "c"], [], None],
        "messages": [[{"content": "x"}, {"content": "y"}], [], None, [{"content": None}]],
        "price": pa.array([None, 1, 2, 3], pa.decimal128(5, 2)),
    }
)


@pytest.mark.parametrize("unit_bytes", [1, 1 << 20])
@pytest.mark.parametrize(
    ("field", "join", "texts", "empty"),
    [
        ("tags.*", "line", [b"a\nb", b"c"], 2),
        ("tags.*", "none", [b"a", b"b", b"", b"c"], 2),
        ("messages.*.content", "space", [b"x y"], 3),
        ("title,messages.*.content", "paragraph", [b"t\n\nx\n\ny", b"u"], 2),
        ("tags.*, title", "line", [b"a\nb\nt", b"c", b"u"], 1),
    ],
)
def test_texts_of_a_row_are_one_document_or_several(taken_by, check, unit_bytes, field, join, texts, empty):
    content = written(LISTS, row_group_size=1)
    check("parquet", content, text_field=field)
    tables = TableOptions(join=join)
    taken = taken_by("parquet", content, unit_bytes=unit_bytes, text_field=field, tables=tables)
    assert taken == (texts, [EMPTY] * empty, 0)


@pytest.mark.parametrize(
    ("field", "message"),
    [
        (
            "tags",
            r"the type list<.*> in its column 'tags'; documents must be strings\. Give tags\.\* with --text-field",
        ),
        ("messages.*", r"has the type struct<.*Give messages\.\*\.content with --text-field\."),
        ("price", r"has the type decimal.*Give another column with --text-field\."),
        ("tags.*,body", r"with the columns title, tags\.\*, messages\.\*\.content; none is named 'tags\.\*,body'"),
    ],
)
def test_an_error_names_a_path_that_works(check, field, message):
    with pytest.raises(UserError, match=message):
        check("parquet", written(LISTS), text_field=field)


@pytest.mark.parametrize("rows", [0, 3])
def test_lists_without_texts_have_no_documents(taken_by, rows):
    content = written({"text": pa.array([None] * rows, pa.list_(pa.string()))})
    assert taken_by("parquet", content, text_field="text.*") == ([], [EMPTY] * rows, 0)


def test_lists_may_hold_invalid_bytes(taken_by):
    content = written({"text": pa.array([[b"caf\xe9"]], pa.list_(pa.binary()))})
    assert taken_by("parquet", content, text_field="text.*") == (["caf\ufffd".encode()], [], 1)
    assert taken_by("parquet", content, text_field="text.*", encoding="cp1252").texts == ["café".encode()]
