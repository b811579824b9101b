"""One reader for each family of formats; `pieces.Reader` is their contract."""

from collections.abc import Mapping

from textgen.corpus.formats import format_of
from textgen.corpus.pieces import Reader
from textgen.corpus.readers.documents import DocumentReader
from textgen.corpus.readers.jsonl import JsonLinesReader
from textgen.corpus.readers.lines import LineReader
from textgen.corpus.readers.paragraphs import ParagraphReader
from textgen.corpus.readers.parquet import ParquetReader
from textgen.corpus.readers.tables import TableReader

__all__ = ["READERS", "format_of"]

READERS: Mapping[str, Reader] = {
    "document": DocumentReader(),
    "paragraphs": ParagraphReader(),
    "lines": LineReader(),
    "csv": TableReader("CSV", delimiter=","),
    "tsv": TableReader("TSV", delimiter="\t"),
    "jsonl": JsonLinesReader(),
    "parquet": ParquetReader(),
}
