"""A local or remote folder whose files are read, whole or by ranges of bytes."""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from textgen import files, regular_files, remote_files


class Range(NamedTuple):
    """The bytes [start, end) of a file in a folder."""

    name: str
    start: int
    end: int


class Folder:
    """A folder to read from, by several threads at once if need be; a missing one is noticed when it is read.

    Links and files that are not regular are not opened: a stranger may have made the folder.
    """

    def __init__(self, directory: str | Path):
        self._directory = files.expand_home(str(directory))
        if not files.is_remote(directory):
            self._directory = str(Path(self._directory))
        if files.is_remote(directory):
            # So that a missing driver is an error here.
            remote_files.connect(self._directory)

    def path(self, name: str) -> str:
        """Returns the path of a file as a user writes it."""
        return files.join(self._directory, name)

    def open(self, name: str) -> BinaryIO:
        """Opens a file to read its bytes.

        Raises:
            FileNotFoundError: there is no such file.
            UserError: it is not a regular file.
            OSError: it cannot be read.
        """
        path = self.path(name)
        return remote_files.open_file(path) if files.is_remote(path) else regular_files.open_regular(Path(path))

    def read(self, name: str, *, max_bytes: int | None = None) -> bytes:
        """Returns the content of a file.

        Args:
            name: name of the file.
            max_bytes: maximum size of the file, which is not read if it is larger; None for any.

        Raises:
            FileNotFoundError: there is no such file.
            UserError: it is not a regular file, or too large.
            OSError: it cannot be read.
        """
        path = self.path(name)
        if not files.is_remote(path):
            return regular_files.read_regular(Path(path), max_bytes=max_bytes)
        if max_bytes is not None:
            regular_files.require_size(path, files.size(path) or 0, max_bytes)
        return remote_files.read(path)

    def read_ranges(self, ranges: Sequence[Range], *, fresh: bool = False) -> list[bytes]:
        """Returns the bytes of each range, in order; fewer where the file ends before the range does.

        They are not checked. A caller that finds them wrong asks again with `fresh`.

        Args:
            ranges: N of them.
            fresh: whether to take nothing from a cache, and to replace what the cache has.

        Raises:
            FileNotFoundError: there is no such file.
            UserError: one is not a regular file.
            OSError: one cannot be read.
        """
        names, starts, ends = zip(*ranges, strict=True) if ranges else ((), (), ())
        paths = [self.path(name) for name in names]
        if files.is_remote(self._directory):
            return remote_files.read_ranges(paths, starts, ends)
        return [_read_range(*each) for each in zip(paths, starts, ends, strict=True)]

    def size(self, name: str) -> int | None:
        """Returns the size of a file in bytes, or None if there is no such file.

        Raises:
            OSError: the store cannot be asked.
        """
        return files.size(self.path(name))

    def sizes(self) -> dict[str, int]:
        """Returns the size in bytes of each file directly in the folder by its name, from one listing of the folder.

        Raises:
            OSError: the folder cannot be listed.
        """
        if files.is_remote(self._directory):
            return remote_files.list_sizes(self._directory)
        with contextlib.suppress(FileNotFoundError), os.scandir(self._directory) as entries:
            return {entry.name: entry.stat().st_size for entry in entries if entry.is_file()}
        return {}


def _read_range(path: str, start: int, end: int) -> bytes:
    with regular_files.open_regular(Path(path)) as file:
        file.seek(start)
        return file.read(end - start)
