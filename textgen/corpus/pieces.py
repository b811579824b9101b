"""What every reader takes and gives: a piece of a file in, batches of raw texts out."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple, Protocol

OpenFile = Callable[[str], BinaryIO]
"""Opens a path for reading; handed in, so that a runner's own filesystem can serve `gs://` and the like."""

BATCH_TEXTS = 256
BATCH_BYTES = 1 << 20
"""A batch is closed at either limit. Text operations are 6 to 10 times slower on single texts than on batches."""


class Piece(NamedTuple):
    """Bytes `start` to `end` of one file, and the format that they are in."""

    path: str
    start: int
    end: int
    format: str


@dataclasses.dataclass
class Batch:
    """Texts in the order of the file, as valid UTF-8.

    Attributes:
        texts: one UTF-8 string a document.
        repaired: how many of them held invalid bytes, now U+FFFD.
        malformed: rows between these texts that could not be read as the format and gave no text.
    """

    texts: list[bytes] = dataclasses.field(default_factory=list)
    repaired: int = 0
    malformed: int = 0


class Reader(Protocol):
    """A family of formats."""

    has_columns: bool
    """Whether the documents are in one of several columns, which must be named."""

    def check(self, path: str, open_file: OpenFile, text_field: str | None) -> None:
        """Raises UserError if a file can't be read as asked, before any work begins."""
        ...

    def divide(self, path: str, size: int, unit_bytes: int, open_file: OpenFile) -> list[tuple[int, int]]:
        """Byte ranges of about `unit_bytes` that can be read on their own and hold each document once."""
        ...

    def read(self, piece: Piece, open_file: OpenFile, text_field: str | None) -> Iterator[Batch]:
        """The documents of the piece."""
        ...


def batches(raw_texts: Iterator[bytes]) -> Iterator[Batch]:
    """Groups raw texts into batches, each text made valid UTF-8."""
    batch, size = Batch(), 0
    for raw in raw_texts:
        text = valid_utf8(raw)
        batch.repaired += text is not raw
        batch.texts.append(text)
        size += len(text)
        if len(batch.texts) == BATCH_TEXTS or size >= BATCH_BYTES:
            yield batch
            batch, size = Batch(), 0
    if batch.texts:
        yield batch


def valid_utf8(raw: bytes) -> bytes:
    """The same object where it is valid UTF-8; else a copy with U+FFFD for each invalid sequence.

    Python decodes here because TensorFlow's `unicode_transcode` takes ten times as long.
    """
    try:
        raw.decode()
    except UnicodeDecodeError:
        return raw.decode(errors="replace").encode()
    return raw
