"""Opens files as text: decompressed, in an ASCII-compatible encoding, without a byte order mark."""

import math
from collections.abc import Iterator
from typing import BinaryIO

from textgen.corpus.archives import open_content
from textgen.corpus.block_files import open_blocks, read_blocks
from textgen.corpus.encodings import blocks_to_utf8, is_ascii_compatible
from textgen.corpus.readers.base import FileRange, InputFile, OpenFile, ReadOptions
from textgen.errors import UserError, one_line

_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def is_splittable(file: InputFile) -> bool:
    """Returns whether the text can be read from any offset of the file, not only from its start."""
    return not file.compression and not file.member and is_ascii_compatible(file.encoding)


def text_encoding(file: InputFile) -> str:
    """Returns the encoding of a file opened by `open_text`: its own if ASCII-compatible, else UTF-8."""
    if file.encoding == "utf-8-sig" or not is_ascii_compatible(file.encoding):
        return "utf-8"
    return file.encoding


def open_text(file: InputFile, open_file: OpenFile, options: ReadOptions) -> BinaryIO:
    """Opens a file at the start of its text; if `is_splittable`, the result can seek to any offset of the file.

    Raises:
        UserError: the file can't be decompressed, or starts with the byte order mark of UTF-16 but is read as UTF-8.
    """
    block_bytes = options.limits.block_bytes
    opened = open_content(file, open_file, block_bytes=block_bytes)
    if not is_ascii_compatible(file.encoding):
        blocks = read_blocks(opened, block_bytes=block_bytes)
        opened = open_blocks(_decoded(blocks, file), source=opened, block_bytes=block_bytes)
    if text_encoding(file) == "utf-8":
        _skip_mark(opened, file.path, seekable=is_splittable(file))
    return opened


def check_head(file: InputFile, open_file: OpenFile, options: ReadOptions) -> None:
    """Reads the first byte of a compressed file; files that are not compressed are not opened.

    Raises:
        UserError: the file can't be decompressed.
    """
    if file.compression or file.member:
        with open_text(file, open_file, options) as opened:
            opened.read(1)


def text_end(file_range: FileRange) -> float:
    """Returns the end offset of the range in the opened file; infinity if the file can only be read whole."""
    return file_range.end if is_splittable(file_range.file) else math.inf


def shortened_error(path: str) -> UserError:
    """Returns the error for a file that ends before its range does."""
    return UserError(
        f"{path} became shorter while it was read; input files must not change during a run. "
        "Restore the file, or run the command again."
    )


def _decoded(blocks: Iterator[bytes], file: InputFile) -> Iterator[bytes]:
    try:
        yield from blocks_to_utf8(blocks, file.encoding)
    except UnicodeError as error:
        raise UserError(
            f"{file.path} can't be decoded as {file.encoding}: {one_line(error)}. Give its byte order too, as in "
            "--encoding utf-16-le, or use another encoding."
        ) from error


def _skip_mark(file: BinaryIO, path: str, *, seekable: bool) -> None:
    head = file.read(len(_MARK)) if seekable else file.peek(len(_MARK))[: len(_MARK)]  # type: ignore[attr-defined]
    if head.startswith(_UTF16_MARKS):
        raise UserError(
            f"{path} starts with the byte order mark of UTF-16, but is read as UTF-8. Use --encoding utf-16."
        )
    if seekable and head != _MARK:
        file.seek(0)
    elif not seekable and head == _MARK:
        file.read(len(_MARK))
