"""Samples a corpus: evenly spaced file ranges, as units that the passes of a preparation can process."""

import contextlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from pipelines.inputs import read_options
from pipelines.plan import Plan
from textgen import files
from textgen.corpus.archives import open_content
from textgen.corpus.block_files import BLOCK_BYTES
from textgen.corpus.encodings import is_ascii_compatible
from textgen.corpus.readers.base import FileRange, InputFile, ReadOptions
from textgen.corpus.readers.json_records import json_lines
from textgen.corpus.units import Unit
from textgen.owned_folders import OwnedFolder

_READ_BYTES = 1 << 12
"""Number of bytes to read at once: few, since all that a decompressor has read ahead counts as read."""


class SampleSize(NamedTuple):
    """Size of a sample.

    Attributes:
        ranges: maximum number of file ranges, evenly spaced over the corpus.
        range_bytes: approximate size of each range, in bytes.
        head_bytes: number of bytes to read of a file that can only be read from its start; a multiple of the block
            size, so that no block is decompressed beyond it.
    """

    ranges: int = 16
    range_bytes: int = 1 << 19
    head_bytes: int = 16 * BLOCK_BYTES


class SampledUnit(NamedTuple):
    """One range of a sample.

    Attributes:
        unit: the unit to read.
        corpus_bytes: number of bytes of the corpus that the unit represents.
    """

    unit: Unit
    corpus_bytes: float


def sample_folder() -> OwnedFolder:
    """Returns a temporary folder for samples, which is removed at the end of its context."""
    return OwnedFolder("estimate")


def take_samples(plan: Plan, folder: Path, size: SampleSize) -> Iterator[SampledUnit]:
    """Yields evenly spaced ranges of the corpus.

    Args:
        plan: the plan, which names the files of the corpus.
        folder: local folder for copies of the starts of files that can only be read from their start.
        size: size of the sample.
    """
    small_units = plan.units(unit_bytes=max(size.range_bytes, plan.total_bytes // 4096))
    file_ranges = [file_range for unit in small_units for file_range in unit.file_ranges]
    step = -(-len(file_ranges) // size.ranges)
    for i, file_range in enumerate(file_ranges[step // 2 :: step]):
        if (
            file_range.end - file_range.start <= 2 * size.range_bytes
            and not file_range.file.compression
            and not file_range.file.member
            or file_range.file.format == "parquet"
        ):
            yield SampledUnit(Unit(i, (file_range,)), file_range.end - file_range.start)
        elif file_range.file.format == "json":
            yield _json_head(i, file_range.file, folder, read_options(plan.config), size.head_bytes)
        else:
            yield _head(i, file_range, folder, size.head_bytes)


def _head(index: int, file_range: FileRange, folder: Path, head_bytes: int) -> SampledUnit:
    """Copies the start of a file to a file in `folder`, and returns it as a sample."""
    path, file = folder / f"head-{index}", file_range.file
    with files.open_file(file.member.archive if file.member else file.path) as stored:
        small_reads = _SmallReads(stored)
        text = open_content(file, small_reads.open) if file.compression or file.member else stored
        content = text.read(head_bytes)
        read = small_reads.bytes_read or stored.tell()
        whole = not text.read(1)
    if not whole and is_ascii_compatible(file.encoding):
        content = content[: content.rfind(b"\n") + 1] or content
    path.write_bytes(content)
    corpus_bytes = (file_range.end if whole else min(read, file_range.end)) - file_range.start
    head = InputFile(str(path), len(content), path.stat().st_mtime, file.format, encoding=file.encoding)
    return SampledUnit(Unit(index, (FileRange(head, 0, len(content)),)), corpus_bytes)


def _json_head(index: int, file: InputFile, folder: Path, options: ReadOptions, head_bytes: int) -> SampledUnit:
    """Writes the first records of a JSON file to a JSON Lines file in `folder`, and returns it as a sample."""
    opened: list[_SmallReads] = []

    def open_file(path: str) -> BinaryIO:
        opened.append(_SmallReads(files.open_file(path)))
        return opened[-1]  # type: ignore[return-value]

    path, content, whole = folder / f"head-{index}", bytearray(), True
    with contextlib.closing(json_lines(file, open_file, options)) as lines:
        for line in lines:
            content += line
            if len(content) >= head_bytes:
                whole = False
                break
    path.write_bytes(content)
    head = InputFile(str(path), len(content), path.stat().st_mtime, "jsonl")
    corpus_bytes = file.size if whole else min(opened[-1].bytes_read, file.size)
    return SampledUnit(Unit(index, (FileRange(head, 0, head.size),)), corpus_bytes)


class _SmallReads(io.RawIOBase):
    """Reads a file in small blocks, so that few bytes are read beyond those that the decompressor uses.

    Attributes:
        bytes_read: number of bytes read so far.
    """

    def __init__(self, file: BinaryIO):
        super().__init__()
        self._file, self.bytes_read = file, 0

    def open(self, path: str) -> BinaryIO:
        """Returns this file; used instead of a function that opens `path`."""
        return self  # type: ignore[return-value]

    def readable(self) -> bool:
        """Returns True."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fills a buffer with as many bytes as it holds, and at most `_READ_BYTES`; returns their number."""
        wanted = memoryview(buffer).cast("B")
        data = self._file.read(min(len(wanted), _READ_BYTES))
        wanted[: len(data)] = data
        self.bytes_read += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Moves to an offset of the file."""
        return self._file.seek(offset, whence)

    def close(self) -> None:
        """Closes the file."""
        self._file.close()
        super().close()
