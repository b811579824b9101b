"""Text files that hold one document a line."""

from collections.abc import Iterator

from textgen.corpus.pieces import BATCH_BYTES, Batch, OpenFile, Piece, batches
from textgen.corpus.readers.documents import BYTE_ORDER_MARK
from textgen.errors import UserError


class LineReader:
    """A line ends at `\\n` (a `\\r` before it is dropped) and belongs to the range that it starts in."""

    has_columns = False

    def check(self, path: str, open_file: OpenFile, text_field: str | None) -> None:
        """Any text can be read."""

    def divide(self, path: str, size: int, unit_bytes: int, open_file: OpenFile) -> list[tuple[int, int]]:
        """Ranges of equal size; they need not end at a line's end."""
        count = max(1, round(size / unit_bytes))
        edges = [size * i // count for i in range(count + 1)]
        return list(zip(edges, edges[1:], strict=False))

    def read(self, piece: Piece, open_file: OpenFile, text_field: str | None) -> Iterator[Batch]:
        """The lines that start in the piece."""
        return batches(_lines(piece, open_file))


def _lines(piece: Piece, open_file: OpenFile) -> Iterator[bytes]:
    with open_file(piece.path) as file:
        position = piece.start
        if position:
            # The line that the byte before belongs to started in an earlier piece, unless that byte ends it.
            file.seek(position - 1)
            position += len(file.readline()) - 1
        while position < piece.end:
            block = file.readlines(BATCH_BYTES)
            if not block:
                raise UserError(
                    f"{piece.path} has become shorter since the work began. Leave it as it is, or start anew."
                )
            for line in block:
                if position >= piece.end:
                    return
                text = line.removesuffix(b"\n").removesuffix(b"\r")
                yield text.removeprefix(BYTE_ORDER_MARK) if position == 0 else text
                position += len(line)
