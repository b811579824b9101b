"""Finds the columns that `text_field` names, and makes the errors for a column or field that a file does not have."""

import difflib
from collections.abc import Sequence

from textgen.console import excerpt, replace_unprintable
from textgen.errors import UserError

_MAX_NAMED = 20
_MAX_SHOWN = 40
_LONGEST_NAME = 100


def column_indices(names: Sequence[str], text_field: str | None) -> list[int]:
    """Returns the indices of the columns of a text field, in its order; empty if one of them is missing.

    Args:
        names: names of the columns; of several columns with the same name, the first is taken.
        text_field: name of a column, or names separated by commas. A name may hold commas itself.

    >>> column_indices(["id", "title", "body, as text"], "title,body, as text")
    [1, 2]
    """
    return [names.index(name) for name in split_field(text_field, names)]


def split_field(text_field: str | None, names: Sequence[str]) -> list[str]:
    """Returns the names of which a text field is made; empty if it is not made of these names."""
    if text_field is None:
        return []
    if text_field in names:
        return [text_field]
    parts = text_field.split(",")
    for count in range(len(parts) - 1, 0, -1):
        # A blank may follow the comma.
        for first in dict.fromkeys((",".join(parts[:count]), ",".join(parts[:count]).strip())):
            rest = split_field(",".join(parts[count:]).lstrip(), names) if first in names else []
            if rest:
                return [first, *rest]
    return []


def missing_column_error(
    path: str, kind: str, names: Sequence[str], text_field: str | None, *, hint: str = "", flag: str = "--text-field"
) -> UserError:
    """Returns the error for a `text_field` that is None or not among the columns of a file.

    Args:
        path: path of the file.
        kind: name of its format, as in "a CSV file".
        names: names of its columns, or descriptions that begin with them.
        text_field: the column that was requested.
        hint: a further sentence, for a cause that is likely.
        flag: option that names the column.
    """
    shown = ", ".join(map(shown_name, names[:_MAX_NAMED]))
    rest = f" and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else ""
    found = f"{path} is a {kind} file with the column{'s' * (len(names) != 1)} {shown}{rest}"
    end = f" {hint}" if hint else ""
    if text_field is None:
        return UserError(
            f"{found}. Give the one that holds the documents with --text-field, or text_field in Python.{end}"
        )
    near = close_name(text_field, names)
    meant = f" Did you mean {shown_name(near)!r}?" if near is not None else ""
    return UserError(
        f"{found}; none is named {replace_unprintable(text_field)!r}.{meant} Give one of them with {flag}, or "
        f"{flag.removeprefix('--').replace('-', '_')} in Python.{end}"
    )


def close_name(text_field: str, names: Sequence[str]) -> str | None:
    """Returns the name that a text field most likely means; None if none is close.

    >>> close_name("Text", ["id", " text"]), close_name("label", ["id", "text"])
    (' text', None)
    """
    plain = [name.strip().casefold() for name in names]
    near = difflib.get_close_matches(text_field.strip().casefold(), plain, n=1, cutoff=0.75)
    return names[plain.index(near[0])] if near else None


def shown_name(name: str) -> str:
    """Returns the name of a column or field for an error; only the start of a very long one."""
    name = replace_unprintable(name)
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"


def shortened(text: str) -> str:
    """Returns the start of a cell, in one line, for an error."""
    return excerpt(text, _MAX_SHOWN)
