"""Checks Arrow data that is read again: a stranger may have written it, or a disk may have damaged it.

Arrow trusts the columns, offsets and indices of a file unless it is asked to check them.
"""

import contextlib
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from textgen.errors import one_line


class ArrowDamageError(ValueError):
    """Arrow data that can't be used; the message says what was found, without a final full stop."""


@contextlib.contextmanager
def arrow_errors() -> Iterator[None]:
    """Inside the context, what Arrow refuses to read is an ArrowDamageError; machine errors stay as they are."""
    try:
        yield
    except MemoryError:
        raise
    except UnicodeDecodeError:
        raise ArrowDamageError("the name of a column is not UTF-8") from None
    except pa.ArrowException as error:
        raise ArrowDamageError(one_line(error)) from None
    except OSError as error:
        if error.errno is not None:
            raise
        # Arrow's own error, as where a file ends too early.
        raise ArrowDamageError(one_line(error)) from None


def require_sound(
    data: pa.RecordBatch | pa.Table, schemas: Sequence[pa.Schema], *, nullable: Sequence[str] = ()
) -> None:
    """Checks the columns of Arrow data, and all offsets and indices in them.

    Args:
        data: the data.
        schemas: the columns that it may have.
        nullable: names of the columns that may have nulls.

    Raises:
        ArrowDamageError: it has other columns, or offsets and indices that lead outside of the data.
    """
    if not any(data.schema.equals(schema) for schema in schemas):
        raise ArrowDamageError("its columns are not those of such a file")
    with arrow_errors():
        data.validate(full=True)
    for name, column in zip(data.schema.names, data.columns, strict=True):
        if column.null_count and name not in nullable:
            raise ArrowDamageError(f"its column {name} has nulls")


def require_between(numbers: pa.Array | pa.ChunkedArray, name: str, low: int, high: int) -> None:
    """Checks the bounds of numbers.

    Raises:
        ArrowDamageError: one is out of bounds.
    """
    found = pc.min_max(numbers).as_py()
    if found["min"] is not None and not low <= found["min"] <= found["max"] <= high:
        raise ArrowDamageError(f"its column {name} has {found['min']} to {found['max']}; it may have {low} to {high}")
