"""Labels documents with what other fields of their rows say of them: their split, and their group."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from textgen.corpus.batching import Item
from textgen.corpus.encodings import utf8
from textgen.corpus.readers.base import Label, Labelled, ReadOptions, Rejected
from textgen.corpus.readers.columns import missing_column_error, shortened
from textgen.corpus.readers.field_paths import MISSING, value_at

UNKNOWN_SPLIT = "unknown split"
"""Reason of a document whose field names no split."""

_NAMES = {
    "train": ("train", "training", "trn"),
    "validation": ("validation", "valid", "val", "dev", "devel", "development", "eval", "evaluation"),
    "test": ("test", "testing", "tst"),
}
SPLIT_OF: Mapping[str, str] = {name: split for split, names in _NAMES.items() for name in names}
"""The split of each name that is understood, in lower case."""


class Labeller:
    """Labels the documents of a file.

    Attributes:
        fields: the fields to read besides the text: the split's, the group's, both or none.
    """

    def __init__(self, options: ReadOptions) -> None:
        self._split, self._group = options.split_field, options.group_field
        self.fields = [field for field in (self._split, self._group) if field is not None]

    def require(self, names: Iterable[str], path: str, kind: str) -> None:
        """Checks that a file has the fields.

        Args:
            names: names of its columns.
            path: path of the file.
            kind: name of its format.

        Raises:
            UserError: one is missing.
        """
        found = list(names)
        for field, flag in ((self._split, "--split-field"), (self._group, "--group-field")):
            if field is not None and field not in found:
                raise missing_column_error(path, kind, found, field, flag=flag)

    def require_in(self, records: Sequence[Any], path: str) -> None:
        """Checks that at least one of some JSON records has each field.

        Args:
            records: the first records of a file, at least one.
            path: path of the file.

        Raises:
            UserError: none has one of the fields.
        """
        names = [str(name) for name in records[0]] if isinstance(records[0], dict) else []
        found = (field for field in self.fields if any(value_at(record, field) is not MISSING for record in records))
        self.require([*names, *found], path, "JSON")

    def label_record(self, documents: Iterable[Item], record: Any) -> Iterator[Item]:
        """Yields the documents of a JSON record, with their label if there are fields of labels; see `label`."""
        if not self.fields:
            return iter(documents)
        return self.label(documents, [_utf8(value_at(record, field)) for field in self.fields])

    def label(self, documents: Iterable[Item], values: Sequence[bytes | None]) -> Iterator[Item]:
        """Yields documents with their label, or as rejected if the field of the split names none.

        Args:
            documents: the documents of one row; rejected ones are yielded as they are.
            values: values of `fields` as UTF-8; None where the row has none.
        """
        split = group = None
        if self._split is not None:
            split = SPLIT_OF.get((values[0] or b"").decode(errors="replace").strip().casefold())
        if self._group is not None:
            # An empty value is no group: all documents without an author are not of one author.
            group = values[-1] or None
        for document in documents:
            if isinstance(document, Rejected | Labelled):
                yield document
            elif self._split is not None and split is None:
                yield self._unknown(document, values[0])
            else:
                yield Labelled(document, Label(split, group))

    def _unknown(self, document: bytes | Iterator[bytes], value: bytes | None) -> Rejected:
        content = document if isinstance(document, bytes) else b"".join(document)
        shown = "missing" if value is None else repr(shortened(value.decode(errors="replace")))
        return Rejected(UNKNOWN_SPLIT, content, f"its {self._split} is {shown}")


def _utf8(value: Any) -> bytes | None:
    """Returns a JSON value as UTF-8: a text as it is, any other value as JSON, and null as None."""
    if value is None or value is MISSING:
        return None
    return utf8(value if isinstance(value, str) else json.dumps(value, sort_keys=True))
