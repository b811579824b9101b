"""Reader of text files that are one document each, or several between separators."""

import itertools
import math
from collections.abc import Iterator

from textgen.corpus.batching import Origin, batches
from textgen.corpus.block_files import open_blocks, read_blocks
from textgen.corpus.encodings import blocks_to_utf8, has_single_bytes
from textgen.corpus.readers.base import FileRange, InputFile, OpenFile, ReadOptions, TextBatch
from textgen.corpus.readers.plain_text import PlainTextReader, equal_ranges
from textgen.corpus.separators import at_line_start, boundary, make_separator, split_documents
from textgen.corpus.text_files import is_splittable, open_text, shortened_error, text_encoding


class DocumentReader(PlainTextReader):
    """Reads each file as one document of any size, or as documents between separators; an empty file has none."""

    def divide(
        self, file: InputFile, unit_bytes: int, open_file: OpenFile, options: ReadOptions
    ) -> list[tuple[int, int]]:
        """Returns the whole file as one range, or ranges of equal size if it has separators and can be split."""
        return equal_ranges(file, unit_bytes) if _can_divide(file, options) else [(0, file.size)]

    def read(self, file_range: FileRange, open_file: OpenFile, options: ReadOptions) -> Iterator[TextBatch]:
        """Yields the document, or those between the separators.

        Raises:
            UserError: the file can't be decompressed or decoded, or the text is invalid and `on_invalid` is "fail".
        """
        if any(options.separator):
            yield from _separated(file_range, open_file, options)
            return
        with open_text(file_range.file, open_file, options) as file:
            # The first block of each document shows that there is one; its iterator then reads the file to its end.
            blocks = read_blocks(file, block_bytes=options.limits.block_bytes)
            documents = (itertools.chain([block], blocks) for block in blocks)
            yield from batches(documents, Origin(file_range.file, text_encoding(file_range.file), options))


def _can_divide(file: InputFile, options: ReadOptions) -> bool:
    return any(options.separator) and is_splittable(file) and _is_searchable(file, options)


def _is_searchable(file: InputFile, options: ReadOptions) -> bool:
    """Returns whether a separator can be found in the bytes of the text; a text within lines may be half a character.

    This holds for UTF-8 and for encodings of one byte per character.
    """
    encoding = text_encoding(file)
    return not options.separator.is_anywhere or encoding == "utf-8" or has_single_bytes(encoding)


def _separated(file_range: FileRange, open_file: OpenFile, options: ReadOptions) -> Iterator[TextBatch]:
    """Yields the documents that start in the range."""
    source, limits, encoding = file_range.file, options.limits, text_encoding(file_range.file)
    with open_text(source, open_file, options) as file:
        if not _is_searchable(source, options):
            blocks = blocks_to_utf8(read_blocks(file, block_bytes=limits.block_bytes), encoding)
            file, encoding = open_blocks(blocks, source=file, block_bytes=limits.block_bytes), "utf-8"
        separator = make_separator(options.separator, encoding)
        end, is_line_start = math.inf, True
        if _can_divide(source, options):
            beginning = file.tell()
            start, end = (boundary(file, edge, separator, limits) for edge in (file_range.start, file_range.end))
            if end < file_range.end:
                raise shortened_error(source.path)
            file.seek(max(start, beginning))
            is_line_start = at_line_start(file, beginning)
        parts = separator.parts(file, limits, is_line_start=is_line_start)
        documents = split_documents(parts, file.tell(), end, separator, is_start=not file_range.start)
        yield from batches(documents, Origin(source, encoding, options))
