"""One reader for each family of formats; `pieces.Reader` is their contract."""

from collections.abc import Mapping
from pathlib import PurePosixPath

from textgen.corpus.pieces import Reader
from textgen.corpus.readers.documents import DocumentReader
from textgen.corpus.readers.lines import LineReader
from textgen.corpus.readers.tables import TableReader
from textgen.errors import UserError

READERS: Mapping[str, Reader] = {
    "document": DocumentReader(),
    "lines": LineReader(),
    "csv": TableReader(),
}

_NOT_TEXT = (".gz", ".bz2", ".xz", ".zst", ".zip", ".parquet", ".tfrecord")


def format_of(path: str, format: str) -> str:
    """The reader's name for a file: the format asked for, or with `auto` the one its ending tells.

    >>> format_of("speeches.csv", "auto"), format_of("chapter.txt", "auto"), format_of("chapter.txt", "lines")
    ('csv', 'document', 'lines')

    Raises:
        UserError: the ending is that of a compressed or binary file.
    """
    ending = PurePosixPath(path).suffix.lower()
    if ending in _NOT_TEXT:
        raise UserError(f"{path} is a {ending} file; text and CSV files are read. Unpack it first.")
    if format != "auto":
        return format
    return "csv" if ending == ".csv" else "document"
