"""Files opened for their text: unpacked, in an encoding that ASCII is part of, without a byte order mark."""

import math
from collections.abc import Iterator
from typing import BinaryIO

from textgen.corpus.block_files import open_blocks, read_blocks
from textgen.corpus.compression import is_compressed, open_decompressed
from textgen.corpus.encodings import blocks_to_utf8, is_ascii_compatible
from textgen.corpus.readers.base import FileRange, OpenFile, ReadOptions
from textgen.errors import UserError, one_line

_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def is_splittable(path: str, options: ReadOptions) -> bool:
    """Whether the text can be read from any byte of the file on, and not from the beginning alone."""
    return not is_compressed(path) and is_ascii_compatible(options.encoding)


def text_encoding(options: ReadOptions) -> str:
    """What the texts of an opened file are encoded in: as they were where ASCII is part of that, else UTF-8."""
    if options.encoding == "utf-8-sig" or not is_ascii_compatible(options.encoding):
        return "utf-8"
    return options.encoding


def open_text(path: str, open_file: OpenFile, options: ReadOptions) -> BinaryIO:
    """A file's text from its beginning on; it can seek, to offsets of the file, where the file is divisible.

    Raises:
        UserError: the file can't be unpacked, or its first bytes are those of another encoding.
    """
    file = open_decompressed(path, open_file) if is_compressed(path) else open_file(path)
    if not is_ascii_compatible(options.encoding):
        file = open_blocks(_decoded(file, path, options.encoding), source=file)
    if text_encoding(options) == "utf-8":
        _pass_mark(file, path, divisible=is_splittable(path, options))
    return file


def check_head(path: str, open_file: OpenFile, options: ReadOptions) -> None:
    """Raises UserError if a packed file can't be unpacked; others are opened only to be read."""
    if is_compressed(path):
        with open_text(path, open_file, options) as file:
            file.read(1)


def text_end(file_range: FileRange, options: ReadOptions) -> float:
    """Where the text of the piece ends in the opened file: at its last byte, or wherever the file does."""
    return file_range.end if is_splittable(file_range.path, options) else math.inf


def shortened_error(path: str) -> UserError:
    """What to raise where a file ends before its piece does."""
    return UserError(f"{path} has become shorter since the work began. Leave it as it is, or start anew.")


def _decoded(file: BinaryIO, path: str, encoding: str) -> Iterator[bytes]:
    try:
        yield from blocks_to_utf8(read_blocks(file), encoding)
    except UnicodeError as error:
        raise UserError(
            f"{path} can't be decoded as {encoding}: {one_line(error)}. Name the order of its bytes too, as in "
            "--encoding utf-16-le, or another encoding."
        ) from error


def _pass_mark(file: BinaryIO, path: str, *, divisible: bool) -> None:
    head = file.read(len(_MARK)) if divisible else file.peek(len(_MARK))[: len(_MARK)]  # type: ignore[attr-defined]
    if head.startswith(_UTF16_MARKS):
        raise UserError(
            f"{path} begins with the byte order mark of UTF-16, which is no UTF-8. Use --encoding utf-16."
        )
    if divisible and head != _MARK:
        file.seek(0)
    elif not divisible and head == _MARK:
        file.read(len(_MARK))
