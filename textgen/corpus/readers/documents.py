"""Text files that are one document each."""

import itertools
from collections.abc import Iterator

from textgen.corpus.batching import Origin, batches
from textgen.corpus.block_files import read_blocks
from textgen.corpus.readers.base import FileRange, OpenFile, ReadOptions, TextBatch
from textgen.corpus.text_files import check_head, open_text, text_encoding


class DocumentReader:
    """A file is one document, whatever its size, unless it is empty."""

    has_columns = False

    def check(self, path: str, open_file: OpenFile, options: ReadOptions) -> None:
        """Raises UserError if a packed file can't be unpacked; any text can be read."""
        check_head(path, open_file, options)

    def divide(
        self, path: str, size: int, unit_bytes: int, open_file: OpenFile, options: ReadOptions
    ) -> list[tuple[int, int]]:
        """The file whole."""
        return [(0, size)]

    def read(self, file_range: FileRange, open_file: OpenFile, options: ReadOptions) -> Iterator[TextBatch]:
        """The one document."""
        with open_text(file_range.path, open_file, options) as file:
            documents = (itertools.chain([block], read_blocks(file)) for block in read_blocks(file))
            yield from batches(documents, Origin(file_range.path, text_encoding(options), options))
