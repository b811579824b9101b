"""Finds texts in Parquet columns by paths such as `data.text` and `messages.*.content`."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_ALL = "*"
"""Part of a path that stands for all items of a list, or all values of a map."""

_IS_BYTES = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view, pa.types.is_fixed_size_binary)
_IS_STRING = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
_IS_LIST = (
    pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list, pa.types.is_list_view,
    pa.types.is_large_list_view,
)  # fmt: skip

Texts = tuple[pa.Array, np.ndarray | None]
"""Values, and for each the index of its row, int64, rising; None if each row has one."""


class Step(NamedTuple):
    """One part of a path.

    Attributes:
        kind: "member" of a struct; "items" or "item", all or one of a list; "values" or "value", all or one of a map.
        name: name of the member, index of the item, or key of the value.
    """

    kind: str
    name: str = ""


class ColumnPath(NamedTuple):
    """A path from a column to values.

    Attributes:
        steps: the parts of the path, of which the first is a column.
        type: type of the values.
        leaves: indices of the file's leaf columns that the path needs; the values' own is the first.
    """

    steps: tuple[Step, ...]
    type: pa.DataType
    leaves: tuple[int, ...]

    @property
    def is_text(self) -> bool:
        """Whether the values are strings or bytes."""
        return _is_any(_plain(self.type), _IS_STRING + _IS_BYTES)

    @property
    def is_bytes(self) -> bool:
        """Whether the values are bytes."""
        return _is_any(_plain(self.type), _IS_BYTES)

    def values(self, batch: pa.RecordBatch) -> Texts:
        """Returns the values at the path as large binary, with the row of each."""
        values, owners = self._values(batch)
        return values.cast(pa.large_binary()), owners

    def labels(self, batch: pa.RecordBatch) -> list[bytes | None]:
        """Returns the value of each row as UTF-8; None for null. The path must have one value per row."""
        values, _ = self._values(batch)
        return values.cast(pa.string()).cast(pa.large_binary()).to_pylist()

    def _values(self, batch: pa.RecordBatch) -> Texts:
        column, *steps = self.steps
        found: Texts = batch.column(batch.schema.names.index(column.name)), None
        for step in steps:
            found = _take(found, step)
        return found

    @property
    def has_one_per_row(self) -> bool:
        """Whether no step of the path leads into a list or map."""
        return all(step.kind == "member" for step in self.steps)

    def after(self, step: Step, *leaves: int) -> "ColumnPath":
        """Returns the path with a step before it, which needs further leaves."""
        return ColumnPath((step, *self.steps), self.type, (*self.leaves, *leaves))


def find_path(schema: pa.Schema, name: str) -> ColumnPath | None:
    """Returns a path in a schema; None if there is no such path.

    A field whose own name is the whole rest of the path is preferred. Of several fields with the same name, the first
    is taken.
    """
    return _within(pa.struct(list(schema)), name, 0)


def text_paths(schema: pa.Schema) -> list[str]:
    """Returns the paths of the strings and bytes of a schema; those of all values, if there are none."""
    paths = list(_paths(pa.struct(list(schema)), ()))
    return [path for path, type in paths if _is_any(_plain(type), _IS_STRING + _IS_BYTES)] or [
        path for path, _ in paths
    ]


def _within(type: pa.DataType, path: str, leaf: int) -> ColumnPath | None:
    """Returns a path within values of a type whose first leaf column has the index `leaf`."""
    if pa.types.is_struct(type):
        return _within_struct(type, path, leaf)
    part, _, rest = path.partition(".")
    if pa.types.is_map(type):
        inner = _rest(type.item_type, rest, leaf + _leaves(type.key_type))
        step, keys = (Step("values"), ()) if part == _ALL else (Step("value", part), (leaf,))
        return inner.after(step, *keys) if inner else None
    if _is_any(type, _IS_LIST) and (part == _ALL or part.isdecimal()):
        inner = _rest(type.value_type, rest, leaf)
        return inner.after(Step("items") if part == _ALL else Step("item", part)) if inner else None
    return None


def _within_struct(type: pa.StructType, path: str, leaf: int) -> ColumnPath | None:
    first, _, rest = path.partition(".")
    shorter = None
    for field in type:
        if field.name == path:
            return ColumnPath((Step("member", path),), field.type, (leaf,))
        if rest and field.name == first and shorter is None:
            inner = _within(field.type, rest, leaf)
            shorter = inner.after(Step("member", first)) if inner else None
        leaf += _leaves(field.type)
    return shorter


def _rest(type: pa.DataType, path: str, leaf: int) -> ColumnPath | None:
    return _within(type, path, leaf) if path else ColumnPath((), type, (leaf,))


def _take(found: Texts, step: Step) -> Texts:
    """Takes values one step further along a path."""
    array, rows = found
    if step.kind == "member":
        return pc.struct_field(array, step.name), rows
    array, owners = _flat(array)
    if step.kind == "item":
        starts = np.searchsorted(owners, owners)
        kept = np.flatnonzero(np.arange(len(owners)) - starts == int(step.name))
    elif step.kind == "value":
        keys = pc.struct_field(array, "key").cast(pa.string())
        kept = np.flatnonzero(pc.equal(keys, step.name).to_numpy(zero_copy_only=False))
    else:
        kept = np.arange(len(owners))
    if step.kind in ("value", "values"):
        array = pc.struct_field(array, "value")
    owners = owners[kept]
    return array.take(pa.array(kept)), owners if rows is None else rows[owners]


def _flat(array: pa.Array) -> tuple[pa.Array, np.ndarray]:
    """Returns the items of all lists, and for each the index of its list."""
    type = array.type
    if pa.types.is_map(type):
        # pyarrow can't flatten a map; the file's map without its keys is a list already.
        array = array.cast(pa.list_(pa.struct([("key", type.key_type), ("value", type.item_type)])))
    elif not (pa.types.is_list(type) or pa.types.is_large_list(type)):
        array = array.cast(pa.large_list(type.value_type))
    owners = pc.list_parent_indices(array).to_numpy(zero_copy_only=False)
    return pc.list_flatten(array), owners.astype(np.int64)


def _leaves(type: pa.DataType) -> int:
    """Returns the number of leaf columns that a type has in a Parquet file."""
    if pa.types.is_struct(type):
        return sum(_leaves(field.type) for field in type)
    if pa.types.is_map(type):
        return _leaves(type.key_type) + _leaves(type.item_type)
    return _leaves(type.value_type) if _is_any(type, _IS_LIST) else 1


def _paths(type: pa.DataType, keys: tuple[str, ...]) -> Iterator[tuple[str, pa.DataType]]:
    if pa.types.is_struct(type):
        for field in type:
            yield from _paths(field.type, (*keys, field.name))
    elif pa.types.is_map(type):
        yield from _paths(type.item_type, (*keys, _ALL))
    elif _is_any(type, _IS_LIST):
        yield from _paths(type.value_type, (*keys, _ALL))
    else:
        yield ".".join(keys), type


def _plain(type: pa.DataType) -> pa.DataType:
    return type.value_type if pa.types.is_dictionary(type) else type


def _is_any(type: pa.DataType, kinds: tuple[Callable[[pa.DataType], bool], ...]) -> bool:
    return any(is_kind(type) for is_kind in kinds)
