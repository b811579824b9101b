import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from textgen.corpus.readers.parquet_paths import find_path, text_paths

MESSAGES = [
    [{"role": "user", "content": "a"}, {"role": "model", "content": None}],
    [],
    None,
    [{"role": "user", "content": "b"}, {"role": "model", "content": "c"}],
]
TABLE = pa.table(
    {
        "before": [{"x": 1, "y": [2]}] * 4,
        "tags": pa.array([["a", None], None, [], ["b"]], pa.list_(pa.string())),
        "large": pa.array([["a"], None, [], ["b", "c"]], pa.large_list(pa.string())),
        "fixed": pa.array([["a", "b"], ["x", "y"], ["c", "d"], ["e", None]], pa.list_(pa.string(), 2)),
        "nested": pa.array([[["a"], ["b", "c"]], [], None, [None, ["d"]]], pa.list_(pa.list_(pa.string()))),
        "messages": MESSAGES,
        "map": pa.array([[("k", "a"), ("l", "b")], None, [], [("l", "c")]], pa.map_(pa.string(), pa.string())),
        "lists": pa.array([[("k", ["a"])], None, [], [("k", None)]], pa.map_(pa.string(), pa.list_(pa.string()))),
        "inside": [{"tags": ["a", "b"]}, {"tags": None}, None, {"tags": []}],
        "number": [1, 2, 3, 4],
        "kind": pa.array(["a", "b", "a", None]).dictionary_encode(),
    }
)


@pytest.fixture(scope="module")
def opened():
    file = io.BytesIO()
    pa.parquet.write_table(TABLE, file)
    return pa.parquet.ParquetFile(file)


def values(opened, name, *, start=0):
    """The values of each row, read from the leaf columns of the path alone."""
    path = find_path(opened.schema_arrow, name)
    names = [opened.schema.column(leaf).path for leaf in path.leaves]
    (batch,) = opened.iter_batches(columns=names)
    array, rows = path.values(batch.slice(start))
    cells = [cell and cell.decode() for cell in array.to_pylist()]
    if rows is None:
        return cells
    assert (np.diff(rows) >= 0).all()
    return [[cell for cell, row in zip(cells, rows, strict=True) if row == i] for i in range(4 - start)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tags.*", [["a", None], [], [], ["b"]]),
        ("tags.0", [["a"], [], [], ["b"]]),
        ("tags.1", [[None], [], [], []]),
        ("large.*", [["a"], [], [], ["b", "c"]]),
        ("fixed.*", [["a", "b"], ["x", "y"], ["c", "d"], ["e", None]]),
        ("nested.*.*", [["a", "b", "c"], [], [], ["d"]]),
        ("nested.*.0", [["a", "b"], [], [], ["d"]]),
        ("nested.1.*", [["b", "c"], [], [], ["d"]]),
        ("messages.*.content", [["a", None], [], [], ["b", "c"]]),
        ("messages.1.content", [[None], [], [], ["c"]]),
        ("map.*", [["a", "b"], [], [], ["c"]]),
        ("map.l", [["b"], [], [], ["c"]]),
        ("map.m", [[], [], [], []]),
        ("lists.*.*", [["a"], [], [], []]),
        ("lists.k.*", [["a"], [], [], []]),
        ("inside.tags.*", [["a", "b"], [], [], []]),
        ("kind", ["a", "b", "a", None]),
    ],
)
@pytest.mark.parametrize("start", [0, 2])
def test_values_are_found_by_their_path(opened, name, expected, start):
    assert values(opened, name, start=start) == expected[start:]


@pytest.mark.parametrize("name", ["", "tag", "tags.x", "tags.*.x", "messages.content", "messages.*.text", "number.*"])
def test_a_path_that_is_not_in_the_schema_is_none(opened, name):
    assert find_path(opened.schema_arrow, name) is None


@pytest.mark.parametrize(
    ("name", "is_text"),
    [("tags", False), ("tags.*", True), ("messages.*", False), ("map", False), ("number", False), ("kind", True)],
)
def test_only_strings_and_bytes_are_texts(opened, name, is_text):
    assert find_path(opened.schema_arrow, name).is_text == is_text


def test_the_paths_of_texts_are_named(opened):
    assert text_paths(opened.schema_arrow) == [
        "tags.*", "large.*", "fixed.*", "nested.*.*", "messages.*.role", "messages.*.content", "map.*", "lists.*.*",
        "inside.tags.*", "kind",
    ]  # fmt: skip
    assert text_paths(pa.schema({"id": pa.int32(), "data": pa.list_(pa.int32())})) == ["id", "data.*"]
