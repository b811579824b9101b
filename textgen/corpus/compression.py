"""Decompresses files as they are read: `.gz`, `.bz2`, `.xz` and `.zst`.

All of a file is read, also if it is several compressed streams in a row. A file that is damaged, cut short or
followed by other data is an error, never a shorter text.
"""

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, BinaryIO

import pyarrow as pa

from textgen.corpus.block_files import BLOCK_BYTES, open_blocks, read_blocks
from textgen.corpus.readers.base import OpenFile
from textgen.errors import UserError, one_line

_FAULTS = (OSError, EOFError, zlib.error, lzma.LZMAError, pa.ArrowException)


def is_compressed(path: str) -> bool:
    """Returns whether a path has the ending of a compressed file.

    >>> is_compressed("speeches.csv.gz"), is_compressed("speeches.csv")
    (True, False)
    """
    return _ending(path) in _UNPACKERS


def open_decompressed(path: str, open_file: OpenFile) -> BinaryIO:
    """Opens a compressed file for reading forward, in memory that does not depend on its size.

    Reads from the file raise UserError if it is damaged.
    """
    source = open_file(path)
    return open_blocks(_checked(path, source), source=source)


def _ending(path: str) -> str:
    return PurePosixPath(path).suffix.lower()


def _checked(path: str, source: BinaryIO) -> Iterator[bytes]:
    ending = _ending(path)
    try:
        yield from _UNPACKERS[ending](source)
    except _FAULTS as error:
        raise UserError(
            f"{path} can't be unpacked: {one_line(error)}. It is damaged, cut short, or not a {ending} file. "
            "Fetch it again, or rename it if it is not compressed."
        ) from error


def _gzip(source: BinaryIO) -> Iterator[bytes]:
    return read_blocks(gzip.GzipFile(fileobj=source))  # type: ignore[arg-type]


def _zstandard(source: BinaryIO) -> Iterator[bytes]:
    return read_blocks(pa.CompressedInputStream(source, "zstd"))


def _streams(source: BinaryIO, decompressor_of: Callable[[], Any]) -> Iterator[bytes]:
    """Decompresses consecutive streams; `BZ2File` and `LZMAFile` ignore a damaged second one."""
    packed = source.read(BLOCK_BYTES)
    while packed:
        decompressor = decompressor_of()
        while not decompressor.eof:
            yield decompressor.decompress(packed, BLOCK_BYTES)
            packed = b""
            if decompressor.needs_input and not decompressor.eof:
                packed = source.read(BLOCK_BYTES)
                if not packed:
                    raise EOFError("it ends within the packed text")
        packed = decompressor.unused_data or source.read(BLOCK_BYTES)


_UNPACKERS: Mapping[str, Callable[[BinaryIO], Iterator[bytes]]] = {
    ".gz": _gzip,
    ".bz2": lambda source: _streams(source, bz2.BZ2Decompressor),
    ".xz": lambda source: _streams(source, lzma.LZMADecompressor),
    ".zst": _zstandard,
}
