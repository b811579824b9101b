"""What every reader takes and gives: a piece of a file in, batches of texts out."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple, Protocol

OpenFile = Callable[[str], BinaryIO]
"""Opens a path for reading; handed in, so that a runner's own filesystem can serve `gs://` and the like."""

BATCH_TEXTS = 16_384
BATCH_BYTES = 1 << 20
"""A batch is closed at either limit. Text operations are 6 to 10 times slower on single texts than on batches."""

CHUNK_BYTES = 1 << 20
"""The most of one document that is given at a time, so that documents of any size need no more memory."""


class FileRange(NamedTuple):
    """Bytes `start` to `end` of one file, and the format that they are in."""

    path: str
    start: int
    end: int
    format: str


class ReadOptions(NamedTuple):
    """How texts are taken from files.

    Attributes:
        text_field: the column, or the path to the field as `data.text`, that holds the documents.
        encoding: what the bytes mean, by Python's name for it.
        on_invalid: what becomes of a document with bytes that the encoding does not allow: "replace" them by
            U+FFFD, "drop" the document, or "fail".
    """

    text_field: str | None = None
    encoding: str = "utf-8"
    on_invalid: str = "replace"


class Rejected(NamedTuple):
    """What was found in the place of a document and is none, and why.

    Attributes:
        reason: "malformed row", "empty" or "invalid encoding".
        content: as it was found, of a long one the first CHUNK_BYTES.
    """

    reason: str
    content: bytes


@dataclasses.dataclass
class TextBatch:
    """Texts in the order of the file, as valid UTF-8.

    Attributes:
        texts: one UTF-8 string a document, or a part of one that is too long to be held whole.
        continued: for each text whether it goes on with the document of the text before it, of this batch or of
            the batch before.
        replaced: number of documents in which invalid bytes were replaced by U+FFFD.
        rejected: input items between these texts that are no documents.
    """

    texts: list[bytes] = dataclasses.field(default_factory=list)
    continued: list[bool] = dataclasses.field(default_factory=list)
    replaced: int = 0
    rejected: list[Rejected] = dataclasses.field(default_factory=list)


class Reader(Protocol):
    """A family of formats."""

    has_columns: bool
    """Whether a document is one named column or field of a row (`ReadOptions.text_field`)."""

    endings: tuple[str, ...]
    """File name endings that `--format auto` reads with this reader, as `.csv`; none for plain text."""

    def check(self, path: str, open_file: OpenFile, options: ReadOptions) -> None:
        """Raises UserError if a file can't be read as asked, before any work begins and without reading it all."""
        ...

    def divide(
        self, path: str, size: int, unit_bytes: int, open_file: OpenFile, options: ReadOptions
    ) -> list[tuple[int, int]]:
        """Byte ranges of about `unit_bytes` that can be read on their own and hold each document once."""
        ...

    def read(self, file_range: FileRange, open_file: OpenFile, options: ReadOptions) -> Iterator[TextBatch]:
        """The documents of the piece, in batches that depend on its content and the reading alone."""
        ...
