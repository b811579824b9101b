"""Reader of text files that are one document each."""

import itertools
from collections.abc import Iterator

from textgen.corpus.batching import Origin, batches
from textgen.corpus.block_files import read_blocks
from textgen.corpus.readers.base import FileRange, InputFile, OpenFile, ReadOptions, TextBatch
from textgen.corpus.readers.plain_text import PlainTextReader
from textgen.corpus.text_files import open_text, text_encoding


class DocumentReader(PlainTextReader):
    """Reads each file as one document of any size; an empty file has no document."""

    def divide(
        self, file: InputFile, unit_bytes: int, open_file: OpenFile, options: ReadOptions
    ) -> list[tuple[int, int]]:
        """Returns the whole file as one range."""
        return [(0, file.size)]

    def read(self, file_range: FileRange, open_file: OpenFile, options: ReadOptions) -> Iterator[TextBatch]:
        """Yields the document.

        Raises:
            UserError: the file can't be decompressed or decoded, or the text is invalid and `on_invalid` is "fail".
        """
        with open_text(file_range.file, open_file, options) as file:
            # The first block of each document shows that there is one; its iterator then reads the file to its end.
            blocks = read_blocks(file, block_bytes=options.limits.block_bytes)
            documents = (itertools.chain([block], blocks) for block in blocks)
            yield from batches(documents, Origin(file_range.file, text_encoding(file_range.file), options))
