"""Makes the error for a column or field that a file does not have."""

from textgen.errors import UserError

_MOST_NAMED = 20


def missing_column_error(path: str, kind: str, names: list[str], text_field: str | None) -> UserError:
    """Returns the error for a `text_field` that is None or not among the columns of a file.

    Args:
        path: path of the file.
        kind: name of its format, as in "a CSV file".
        names: names of its columns.
        text_field: the column that was requested.
    """
    # Characters that can't be printed are shown as question marks.
    shown = ", ".join(names[:_MOST_NAMED]).encode(errors="replace").decode()
    rest = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    found = f"{path} is a {kind} file with the columns {shown}{rest}"
    if text_field is None:
        return UserError(
            f"{found}. Give the one that holds the documents with --text-field, or text_field in Python."
        )
    return UserError(
        f"{found}; none is named {text_field!r}. Give one of them with --text-field, or text_field in Python."
    )
