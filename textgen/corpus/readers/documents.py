"""Text files that are one document each."""

import itertools
from collections.abc import Iterator

from textgen.corpus.batching import Origin, batches
from textgen.corpus.block_files import blocks_of
from textgen.corpus.readers.base import Batch, OpenFile, Piece, Reading
from textgen.corpus.text_files import check_head, open_text, text_encoding


class DocumentReader:
    """A file is one document, whatever its size, unless it is empty."""

    has_columns = False

    def check(self, path: str, open_file: OpenFile, reading: Reading) -> None:
        """Raises UserError if a packed file can't be unpacked; any text can be read."""
        check_head(path, open_file, reading)

    def divide(
        self, path: str, size: int, unit_bytes: int, open_file: OpenFile, reading: Reading
    ) -> list[tuple[int, int]]:
        """The file whole."""
        return [(0, size)]

    def read(self, piece: Piece, open_file: OpenFile, reading: Reading) -> Iterator[Batch]:
        """The one document."""
        with open_text(piece.path, open_file, reading) as file:
            documents = (itertools.chain([block], blocks_of(file)) for block in blocks_of(file))
            yield from batches(documents, Origin(piece.path, text_encoding(reading), reading))
