"""Text files that are one document each."""

from collections.abc import Iterator

from textgen.corpus.pieces import Batch, OpenFile, Piece, batches

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class DocumentReader:
    """A file is one document, whatever its size."""

    has_columns = False

    def check(self, path: str, open_file: OpenFile, text_field: str | None) -> None:
        """Any text can be read."""

    def divide(self, path: str, size: int, unit_bytes: int, open_file: OpenFile) -> list[tuple[int, int]]:
        """The file whole."""
        return [(0, size)]

    def read(self, piece: Piece, open_file: OpenFile, text_field: str | None) -> Iterator[Batch]:
        """One batch of one document."""
        with open_file(piece.path) as file:
            text = file.read()
        yield from batches(iter([text.removeprefix(BYTE_ORDER_MARK)]))
