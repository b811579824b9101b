"""Decompresses files while they are read: gzip, bz2, xz, lzma and zstd.

A file may hold several concatenated compressed streams; all are read. A file that is damaged, truncated or followed
by other data is an error, never a shorter text.
"""

import bz2
import contextlib
import functools
import io
import lzma
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from isal import igzip, igzip_lib

from textgen.corpus.block_files import BLOCK_BYTES, open_blocks, read_blocks
from textgen.corpus.readers.base import InputFile, OpenFile
from textgen.errors import UserError, one_line

if sys.version_info >= (3, 14):
    from compression import zstd  # type: ignore[import-not-found]
else:
    from backports import zstd

_IGZIP_FAULT: type[Exception] = igzip_lib.error  # type: ignore[assignment]
_FAULTS = (OSError, EOFError, _IGZIP_FAULT, lzma.LZMAError, zstd.ZstdError, MemoryError)

_ZSTD_WINDOW_LOG = 31
"""Binary logarithm of the largest window of a zstd file, in bytes: 2 GiB, as `zstd --long=31` writes it."""

_LZMA_BYTES = 1 << 31
"""Maximum memory to decompress an xz or lzma file, which may name a dictionary of any size; `xz -9` takes 65 MiB."""

_START_BYTES = 1 << 12
"""Number of bytes to decompress at once of the start of a file, so that little is lost where the start ends."""

_XZ_PADDING = 4
"""Zero bytes between and after the streams of an xz file come in multiples of this number."""


def compression_of(path: str) -> tuple[str, ...]:
    """Returns the compression that the ending of a path indicates, such as `.gz` or `.zst`, in either case.

    >>> compression_of("speeches.csv.gz"), compression_of("speeches.csv")
    (('gzip',), ())
    """
    ending = PurePosixPath(path).suffix.lower()
    return (_OF_ENDING[ending],) if ending in _OF_ENDING else ()


def compression_of_content(content: bytes) -> str | None:
    """Returns the compression of a file that starts with some bytes; None if it is not compressed.

    >>> import gzip
    >>> compression_of_content(gzip.compress(b"text")), compression_of_content(b"text")
    ('gzip', None)
    """
    if _SKIPPABLE.match(content):
        # Frames to skip are also those of lz4, so the first frame with data decides.
        content = content[8 + int.from_bytes(content[4:8], "little") :] or _MAGIC_ZSTD
    return next((kind for kind, magic in _MAGIC.items() if magic.match(content)), None)


def decompress_start(content: bytes, kind: str, *, max_bytes: int) -> bytes:
    """Returns the start of the decompressed content, as far as the bytes given allow.

    Args:
        content: the compressed file or the start of it; it may be damaged.
        kind: its compression.
        max_bytes: maximum number of bytes to return.
    """
    start = bytearray()
    with contextlib.suppress(*_FAULTS):
        for block in _DECOMPRESSORS[kind](io.BytesIO(content), _START_BYTES):
            start += block
            if len(start) >= max_bytes:
                break
    return bytes(start[:max_bytes])


def open_decompressed(file: InputFile, open_file: OpenFile, *, block_bytes: int = BLOCK_BYTES) -> BinaryIO:
    """Opens a file, decompressed for sequential reading if it is compressed; memory does not depend on its size.

    Args:
        file: the file.
        open_file: opens a path for reading.
        block_bytes: number of bytes to decompress at once.

    Raises:
        UserError: the compressed file is damaged; raised by reads of the returned file.
    """
    return open_layers(open_file(file.path), file.path, file.compression, block_bytes=block_bytes)


def open_layers(
    opened: BinaryIO, path: str, compression: tuple[str, ...], *, block_bytes: int = BLOCK_BYTES
) -> BinaryIO:
    """Returns a file that decompresses an opened one; closing it closes that one too.

    Args:
        opened: the compressed file.
        path: its path, for errors.
        compression: names of its compressions, outermost first.
        block_bytes: number of bytes to decompress at once.

    Raises:
        UserError: the file is damaged; raised by reads of the returned file.
    """
    for kind in compression:
        opened = open_blocks(_checked(path, kind, opened, block_bytes), source=opened, block_bytes=block_bytes)
    return opened


def _checked(path: str, kind: str, source: BinaryIO, block_bytes: int) -> Iterator[bytes]:
    try:
        yield from _DECOMPRESSORS[kind](source, block_bytes)
    except _FAULTS as error:
        raise UserError(
            f"{path} can't be decompressed: {one_line(error)}. It is damaged, truncated, or not a {kind} file. "
            "Download it again, or rename it if it is not compressed."
        ) from error


def _gzip(source: BinaryIO, block_bytes: int) -> Iterator[bytes]:
    return read_blocks(igzip.IGzipFile(fileobj=source), block_bytes=block_bytes)  # type: ignore[arg-type]


def _zstd_decompressor() -> Any:
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG})


def _streams(
    make_decompressor: Callable[[], Any], source: BinaryIO, block_bytes: int, *, padding: int = 0
) -> Iterator[bytes]:
    """Decompresses concatenated streams; `BZ2File` and `LZMAFile` would ignore a damaged second stream.

    Args:
        make_decompressor: makes the decompressor of one stream.
        source: the compressed file.
        block_bytes: number of bytes to decompress at once.
        padding: zero bytes after a stream are skipped if their number is a multiple of this; 0 allows none.
    """
    compressed = source.read(block_bytes)
    while compressed:
        decompressor = make_decompressor()
        while not decompressor.eof:
            yield decompressor.decompress(compressed, block_bytes)
            compressed = b""
            if decompressor.needs_input and not decompressor.eof:
                compressed = source.read(block_bytes)
                if not compressed:
                    raise EOFError("the file ends within a compressed stream")
        compressed = decompressor.unused_data or source.read(block_bytes)
        if padding:
            compressed = _without_padding(compressed, source, block_bytes, padding)


def _without_padding(compressed: bytes, source: BinaryIO, block_bytes: int, padding: int) -> bytes:
    """Skips zero bytes, and returns the bytes from the next stream on; empty at the end of the file."""
    zeros = 0
    while compressed:
        rest = compressed.lstrip(b"\0")
        zeros += len(compressed) - len(rest)
        if rest:
            break
        compressed = source.read(block_bytes)
    if zeros % padding:
        raise EOFError(f"{zeros:,} zero bytes follow a stream; their number must be a multiple of {padding}")
    return compressed.lstrip(b"\0")


_DECOMPRESSORS: Mapping[str, Callable[[BinaryIO, int], Iterator[bytes]]] = {
    "gzip": _gzip,
    "bz2": functools.partial(_streams, bz2.BZ2Decompressor),
    "xz": functools.partial(
        _streams, functools.partial(lzma.LZMADecompressor, lzma.FORMAT_XZ, _LZMA_BYTES), padding=_XZ_PADDING
    ),
    "lzma": functools.partial(_streams, functools.partial(lzma.LZMADecompressor, lzma.FORMAT_ALONE, _LZMA_BYTES)),
    "zstd": functools.partial(_streams, _zstd_decompressor),
    # Without a header, as zip archives have it.
    "deflate": functools.partial(_streams, functools.partial(igzip_lib.IgzipDecompressor, igzip_lib.DECOMP_DEFLATE)),
}

_MAGIC_ZSTD = b"\x28\xb5\x2f\xfd"
_SKIPPABLE = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")
_MAGIC: Mapping[str, re.Pattern[bytes]] = {
    "gzip": re.compile(rb"\x1f\x8b\x08"),
    "bz2": re.compile(rb"BZh[1-9](?:\x31\x41\x59\x26\x53\x59|\x17\x72\x45\x38\x50\x90)"),
    "xz": re.compile(rb"\xfd7zXZ\0"),
    # It has no magic number: the usual properties, a dictionary of 2^n or 2^n + 2^(n - 1) bytes, and no size.
    "lzma": re.compile(rb"\x5d\0\0[\0-\xff]{2}\xff{8}\0"),
    "zstd": re.compile(re.escape(_MAGIC_ZSTD)),
}

_OF_ENDING: Mapping[str, str] = {
    ".gz": "gzip",
    ".gzip": "gzip",
    ".bz2": "bz2",
    ".xz": "xz",
    ".lzma": "lzma",
    ".zst": "zstd",
    ".zstd": "zstd",
}
