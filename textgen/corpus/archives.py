"""Lists and opens the files inside zip and tar archives; each is read as a file of its own.

A file in a zip archive, or in a tar archive that is not compressed, is a range of it. A compressed tar archive can
only be read from its start, so its files are best opened in their order, each where the one before it ended.
"""

import io
import tarfile
import threading
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import BinaryIO, NamedTuple

from isal import isal_zlib

from textgen.corpus.block_files import BLOCK_BYTES, open_blocks, read_blocks
from textgen.corpus.compression import open_decompressed, open_layers
from textgen.corpus.readers.base import InputFile, Member, OpenFile
from textgen.errors import UserError, one_line

_FAULTS = (tarfile.TarError, zipfile.BadZipFile, EOFError, ValueError, NotImplementedError)
_LOCAL_HEADER_BYTES = 30
_IS_ENCRYPTED = 1
_METHODS: Mapping[int, str] = {0: "", 8: "deflate", 12: "bz2", 93: "zstd", 95: "xz"}
"""Compression of a file in a zip archive, by the number of the method."""

_MAX_KEPT = 1 << 23
"""Maximum size of a file of a compressed tar archive that is kept in memory, since readers open a file twice."""


class Found(NamedTuple):
    """A file in an archive.

    Attributes:
        name: its path in the archive.
        member: its place.
        start: its first bytes.
        fault: why it can't be read; empty if it can.
    """

    name: str
    member: Member
    start: bytes = b""
    fault: str = ""


def read_members(file: InputFile, kind: str, open_file: OpenFile, *, start_bytes: int) -> Iterator[Found]:
    """Yields the files of an archive in their order; one that comes again replaces the one before.

    Args:
        file: the archive, with its compression.
        kind: "zip" or "tar".
        open_file: opens a path for reading.
        start_bytes: number of bytes to read of the start of each file.

    Raises:
        UserError: the archive is damaged or can't be decompressed.
    """
    members = _zip_members if kind == "zip" else _tar_members
    try:
        yield from members(file, open_file, start_bytes)
    except UserError:
        raise
    except _FAULTS as error:
        raise UserError(
            f"{file.path} can't be read as a {kind} archive: {one_line(error)}. It is damaged or truncated. "
            "Download it again, or extract its files first."
        ) from error


def open_content(file: InputFile, open_file: OpenFile, *, block_bytes: int = BLOCK_BYTES) -> BinaryIO:
    """Opens a file, also one in an archive, decompressed if it is compressed; memory does not depend on its size.

    Only a file that is neither compressed nor in an archive can seek.

    Raises:
        UserError: the file or its archive is damaged; raised by reads of the returned file.
    """
    if file.member is None:
        return open_decompressed(file, open_file, block_bytes=block_bytes)
    stored = _open_member(file, file.member, open_file, block_bytes)
    return open_layers(stored, file.path, file.compression, block_bytes=block_bytes)


def _open_member(file: InputFile, member: Member, open_file: OpenFile, block_bytes: int) -> BinaryIO:
    """Opens a file in an archive as it was before it was put there."""
    if member.compression:
        return _open_in_stream(file, member, open_file, block_bytes)
    archive = open_file(member.archive)
    archive.seek(member.offset)
    opened: BinaryIO = open_blocks(_exactly(archive, member, block_bytes), source=archive, block_bytes=block_bytes)
    if member.packing:
        opened = open_layers(opened, file.path, (member.packing,), block_bytes=block_bytes)
    if member.checksum >= 0:
        opened = open_blocks(_checked(opened, file.path, member, block_bytes), source=opened, block_bytes=block_bytes)
    return opened


def _exactly(archive: BinaryIO, member: Member, block_bytes: int) -> Iterator[bytes]:
    """Yields the bytes of a member from the current position of an archive."""
    left = member.size
    while left:
        block = archive.read(min(left, block_bytes))
        if not block:
            raise UserError(f"{member.archive} ends within one of its files. Download it again.")
        yield block
        left -= len(block)


def _checked(opened: BinaryIO, path: str, member: Member, block_bytes: int) -> Iterator[bytes]:
    checksum = 0
    for block in read_blocks(opened, block_bytes=block_bytes):
        checksum = isal_zlib.crc32(block, checksum)
        yield block
    if checksum != member.checksum:
        raise UserError(
            f"{path} is damaged: it differs from its checksum in the archive. Download the archive again."
        )


_Archive = tuple[str, int, float]
"""Path, size and time stamp of an archive."""


class _ArchiveStream:
    """A compressed tar archive that is opened, and the offset that has been reached in its content."""

    def __init__(self, archive: _Archive, member: Member, open_file: OpenFile):
        self.archive, self.position = archive, 0
        self.opened = open_layers(open_file(member.archive), member.archive, member.compression)

    def read_member(self, member: Member, block_bytes: int) -> Iterator[bytes]:
        """Yields the bytes of a member at or after the position."""
        while self.position < member.offset:
            skipped = len(self.opened.read(min(BLOCK_BYTES, member.offset - self.position)))
            if not skipped:
                raise UserError(f"{member.archive} became shorter while it was read. Run the command again.")
            self.position += skipped
        for block in _exactly(self.opened, member, block_bytes):
            self.position += len(block)
            yield block


class _Kept(threading.local):
    """State of a thread: the compressed tar archive that it read last, and the content of its last small file."""

    stream: _ArchiveStream | None = None
    member: tuple[_Archive, Member] | None = None
    content: bytes = b""


_KEPT = _Kept()


def _open_in_stream(file: InputFile, member: Member, open_file: OpenFile, block_bytes: int) -> BinaryIO:
    archive = member.archive, member.archive_size, file.modified
    if _KEPT.member == (archive, member):
        return open_blocks(iter([_KEPT.content]), source=io.BytesIO())
    stream, _KEPT.stream = _KEPT.stream, None
    if stream and (stream.archive != archive or stream.position > member.offset):
        stream.opened.close()
        stream = None
    stream = stream or _ArchiveStream(archive, member, open_file)
    if member.size > _MAX_KEPT:
        return open_blocks(stream.read_member(member, block_bytes), source=stream.opened, block_bytes=block_bytes)
    _KEPT.content = b"".join(stream.read_member(member, block_bytes))
    _KEPT.member, _KEPT.stream = (archive, member), stream
    return open_blocks(iter([_KEPT.content]), source=io.BytesIO())


def _name(name: str) -> str:
    """Returns the path of a file in an archive without a leading `/` or `./`."""
    return str(PurePosixPath(name.replace("\\", "/").lstrip("/")))


def _zip_members(file: InputFile, open_file: OpenFile, start_bytes: int) -> Iterator[Found]:
    with open_file(file.path) as opened, zipfile.ZipFile(opened) as archive:
        for info in archive.infolist():
            if info.is_dir():
                continue
            opened.seek(info.header_offset)
            header = opened.read(_LOCAL_HEADER_BYTES)
            lengths = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
            packing = _METHODS.get(info.compress_type)
            offset = info.header_offset + _LOCAL_HEADER_BYTES + lengths
            member = Member(
                file.path, (), file.size, offset, info.compress_size, packing or "", info.CRC, info.file_size
            )
            if info.flag_bits & _IS_ENCRYPTED or packing is None:
                fault = "encrypted" if packing is not None else "compressed by a method that can't be read"
                yield Found(_name(info.filename), member, fault=fault)
                continue
            with archive.open(info) as content:
                yield Found(_name(info.filename), member, content.read(start_bytes))


def _tar_members(file: InputFile, open_file: OpenFile, start_bytes: int) -> Iterator[Found]:
    mode = "r|" if file.compression else "r:"
    with open_decompressed(file, open_file) as opened, tarfile.open(fileobj=opened, mode=mode) as archive:  # type: ignore[call-overload]
        for info in archive:
            if not info.isreg() or info.issparse():
                continue
            content = archive.extractfile(info)
            start = content.read(start_bytes) if content else b""
            member = Member(file.path, file.compression, file.size, info.offset_data, info.size, "", -1, info.size)
            yield Found(_name(info.name), member, start)
