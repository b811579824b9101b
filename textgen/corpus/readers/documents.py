"""Text files that are one document each."""

import itertools
from collections.abc import Iterator

from textgen.corpus.batching import Origin, batches
from textgen.corpus.block_files import read_blocks
from textgen.corpus.readers.base import FileRange, OpenFile, ReadOptions, TextBatch
from textgen.corpus.readers.plain_text import PlainTextReader
from textgen.corpus.text_files import open_text, text_encoding


class DocumentReader(PlainTextReader):
    """A file is one document, whatever its size, unless it is empty."""

    def divide(
        self, path: str, size: int, unit_bytes: int, open_file: OpenFile, options: ReadOptions
    ) -> list[tuple[int, int]]:
        """Returns the whole file as one range."""
        return [(0, size)]

    def read(self, file_range: FileRange, open_file: OpenFile, options: ReadOptions) -> Iterator[TextBatch]:
        """The one document."""
        with open_text(file_range.path, open_file, options) as file:
            documents = (itertools.chain([block], read_blocks(file)) for block in read_blocks(file))
            yield from batches(documents, Origin(file_range.path, text_encoding(options), options))
