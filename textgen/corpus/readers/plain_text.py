"""Base of the readers of plain text formats."""

from textgen.corpus.readers.base import InputFile, OpenFile, ReadOptions
from textgen.corpus.text_files import check_head, is_splittable


class PlainTextReader:
    """Checks and divides files of formats in which any text is valid; subclasses read the documents of a range."""

    has_columns = False
    endings: tuple[str, ...] = ()

    def check(self, file: InputFile, open_file: OpenFile, options: ReadOptions) -> None:
        """Opens a compressed file and reads one byte of it; other files need no check.

        Raises:
            UserError: the file can't be decompressed.
        """
        check_head(file, open_file, options)

    def divide(
        self, file: InputFile, unit_bytes: int, open_file: OpenFile, options: ReadOptions
    ) -> list[tuple[int, int]]:
        """Returns byte ranges of equal size, about `unit_bytes` each; they may end within a document."""
        return equal_ranges(file, unit_bytes)


def equal_ranges(file: InputFile, unit_bytes: int) -> list[tuple[int, int]]:
    """Returns ranges of about `unit_bytes` bytes that cover a file; one range if the file can't be split.

    >>> equal_ranges(InputFile("a.txt", 100, 0.0, "lines"), 50)
    [(0, 50), (50, 100)]
    >>> equal_ranges(InputFile("a.txt.gz", 100, 0.0, "lines", ("gzip",)), 50)
    [(0, 100)]
    """
    count = max(1, round(file.size / unit_bytes)) if is_splittable(file) else 1
    edges = [file.size * i // count for i in range(count + 1)]
    return list(zip(edges, edges[1:], strict=False))
