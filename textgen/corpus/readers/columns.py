"""The column or field that holds the documents, by its name."""

from textgen.errors import UserError

_MOST_NAMED = 20


def missing_column_error(path: str, kind: str, names: list[str], text_field: str | None) -> UserError:
    """What to raise where no column is named, or one that the file does not have."""
    # Names that can't be printed are shown as near as they can be.
    shown = ", ".join(names[:_MOST_NAMED]).encode(errors="replace").decode()
    rest = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    found = f"{path} is a {kind} file with the columns {shown}{rest}"
    if text_field is None:
        return UserError(f"{found}. Name the one that holds the documents with --text-field.")
    return UserError(f"{found}, and none named {text_field!r}. Name one of them with --text-field.")
