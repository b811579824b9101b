"""Maps formats to readers, and endings of file names to formats."""

from collections.abc import Mapping

from textgen.corpus.readers.base import Reader
from textgen.corpus.readers.delimited import DelimitedReader
from textgen.corpus.readers.documents import DocumentReader
from textgen.corpus.readers.json_records import JsonReader
from textgen.corpus.readers.jsonl import JsonLinesReader
from textgen.corpus.readers.lines import LineReader
from textgen.corpus.readers.paragraphs import ParagraphReader
from textgen.corpus.readers.parquet import ParquetReader

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
