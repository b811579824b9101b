"""Maps formats to readers, and detects the format of a file by its name."""

from collections.abc import Mapping
from pathlib import PurePosixPath

from textgen.corpus.compression import compression_of
from textgen.corpus.readers.base import Reader
from textgen.corpus.readers.delimited import DelimitedReader
from textgen.corpus.readers.documents import DocumentReader
from textgen.corpus.readers.json_records import JsonReader
from textgen.corpus.readers.jsonl import JsonLinesReader
from textgen.corpus.readers.lines import LineReader
from textgen.corpus.readers.paragraphs import ParagraphReader
from textgen.corpus.readers.parquet import ParquetReader
from textgen.errors import UserError

READERS: Mapping[str, Reader] = {
    "document": DocumentReader(),
    "paragraphs": ParagraphReader(),
    "lines": LineReader(),
    "csv": DelimitedReader("CSV", delimiter=",", endings=(".csv",)),
    "tsv": DelimitedReader("TSV", delimiter="\t", endings=(".tsv", ".tab")),
    "jsonl": JsonLinesReader(),
    "json": JsonReader(),
    "parquet": ParquetReader(),
}

FORMAT_OF_ENDING: Mapping[str, str] = {
    ending: format for format, reader in READERS.items() for ending in reader.endings
}
"""Format of a file by the ending of its name."""

_EXTRACT = "Extract its files first."
_DECOMPRESS = "Decompress it first."
_AS_TEXT = "Save its text as a .txt file first."
_AS_CSV = "Save it as a .csv file first."
_AS_TABLE = "Save its texts as .jsonl, .csv or .parquet first."

_REMEDIES: Mapping[str, str] = {
    **dict.fromkeys((".zip", ".7z", ".rar", ".tar", ".tgz", ".tbz2", ".txz", ".tzst"), _EXTRACT),
    **dict.fromkeys((".lz4", ".lzo", ".br", ".z", ".sz", ".snappy"), _DECOMPRESS),
    **dict.fromkeys((".pdf", ".doc", ".docx", ".odt", ".rtf", ".epub", ".mobi", ".ppt", ".pptx"), _AS_TEXT),
    **dict.fromkeys((".xls", ".xlsx", ".ods"), _AS_CSV),
    **dict.fromkeys((".tfrecord", ".tfrecords", ".arrow", ".feather", ".avro", ".orc", ".h5", ".hdf5"), _AS_TABLE),
    **dict.fromkeys((".npy", ".npz", ".pkl", ".pickle", ".db", ".sqlite", ".sqlite3"), _AS_TABLE),
}


def format_of(path: str, format: str) -> str:
    """Returns the format of a file: the given one, or for "auto" the one that its ending indicates.

    With "auto", a file with an unknown ending is one document.

    >>> format_of("speeches.csv.gz", "auto"), format_of("chapter.txt", "auto"), format_of("chapter.txt", "lines")
    ('csv', 'document', 'lines')

    Raises:
        UserError: the ending is that of an archive or a binary format, or of Parquet when another format is given.
    """
    ending = _ending(path)
    if ending in _REMEDIES:
        raise UserError(f"{path} is a {ending} file, which textgen can't read. {_REMEDIES[ending]}")
    detected = FORMAT_OF_ENDING.get(ending, "document")
    found = detected if format == "auto" else format
    if detected == "parquet" and found != "parquet":
        raise UserError(f"{path} is a {ending} file, which can't be read as {found}. Use --format parquet or auto.")
    if found == "parquet" and compression_of(path):
        raise UserError(
            f"{path} is a compressed Parquet file; Parquet files are compressed inside and must not be compressed "
            f"again. {_DECOMPRESS}"
        )
    return found


def _ending(path: str) -> str:
    """Returns the last ending of a name, or the one before it for a compressed file; "a.csv.gz" → ".csv"."""
    name = PurePosixPath(path)
    return (PurePosixPath(name.stem) if compression_of(path) else name).suffix.lower()
