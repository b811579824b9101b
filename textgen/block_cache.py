"""Caches byte ranges of remote files on the local disk."""

import contextlib
import hashlib
import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from textgen.errors import require
from textgen.files import is_remote, local_path, write_atomically
from textgen.folder import Folder, Range

_PREFIX = "range-"

_SHARE = 16
"""A process reserves one sixteenth of the limit at a time, since other processes may write to the folder too."""


class BlockCache:
    """Keeps byte ranges of remote files in a local folder; the least recently used are removed first.

    Several processes may share the folder; each may exceed the limit by one sixteenth. A range that cannot be stored,
    because it is larger than the limit or the disk is full, is skipped without an error.

    Example:
        >>> cache = textgen.BlockCache("/tmp/blocks", max_bytes=10**10)  # doctest: +SKIP
        >>> batches = textgen.read_pairs("gs://bucket/data", batch_size=512, cache=cache)  # doctest: +SKIP
    """

    def __init__(self, directory: str | os.PathLike[str], max_bytes: int):
        """Creates the folder if it does not exist.

        Args:
            directory: path of the folder, on this machine.
            max_bytes: maximum size of all ranges, in bytes.

        Raises:
            UserError: `max_bytes` is below 1, or the folder is a URL.
            OSError: the folder cannot be created.
        """
        require(max_bytes >= 1, f"the cache has a limit of {max_bytes} bytes; it must be at least 1.")
        self._directory, self._max_bytes = local_path(os.fspath(directory), what="the cache"), max_bytes
        self._directory.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        # Number of bytes that may be written before the size of the folder is computed again.
        self._reserved = 0

    def get(self, key: str) -> bytes | None:
        """Returns the content stored under a key, or None."""
        path = self._path(key)
        try:
            content = path.read_bytes()
        except OSError:
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return content

    def put(self, key: str, content: bytes) -> None:
        """Stores `content` under a key, and replaces any older content."""
        if len(content) > self._max_bytes:
            return
        with contextlib.suppress(OSError):
            self._reserve(len(content))
            write_atomically(self._path(key), content)

    def _path(self, key: str) -> Path:
        return self._directory / (_PREFIX + hashlib.sha256(key.encode()).hexdigest())

    def _reserve(self, size: int) -> None:
        """Takes `size` bytes from the reserve; if it is too small, first removes old files and renews the reserve."""
        with self._lock:
            if self._reserved < size:
                self._reserved = max(size, self._max_bytes // _SHARE)
                self._shrink(self._max_bytes - self._reserved)
            self._reserved -= size

    def _shrink(self, max_bytes: int) -> None:
        files = sorted(self._files())
        total = sum(size for _, size, _ in files)
        for _, size, path in files:
            if total <= max_bytes:
                return
            path.unlink(missing_ok=True)
            total -= size

    def _files(self) -> Iterator[tuple[int, int, Path]]:
        """Yields the last use in ns, the size in bytes and the path of each file, including temporary ones."""
        for path in self._directory.glob(f"{_PREFIX}*"):
            with contextlib.suppress(FileNotFoundError):
                stat = path.stat()
                yield stat.st_mtime_ns, stat.st_size, path


class CachedFolder(Folder):
    """A remote folder whose byte ranges are kept in a cache."""

    def __init__(self, directory: str | Path, cache: BlockCache):
        super().__init__(directory)
        self._cache = cache

    def read_ranges(self, ranges: Sequence[Range], *, fresh: bool = False) -> list[bytes]:
        """Returns the bytes of each range, as `Folder.read_ranges` does; those in the cache are not fetched."""
        kept = [None if fresh else self._kept(wanted) for wanted in ranges]
        missing = [wanted for wanted, content in zip(ranges, kept, strict=True) if content is None]
        fetched = super().read_ranges(missing, fresh=fresh)
        for wanted, content in zip(missing, fetched, strict=True):
            if len(content) == wanted.end - wanted.start:
                self._cache.put(self._key(wanted), content)
        found = iter(fetched)
        return [next(found) if content is None else content for content in kept]

    def _kept(self, wanted: Range) -> bytes | None:
        content = self._cache.get(self._key(wanted))
        # A crash of the machine may have truncated the file.
        return content if content is not None and len(content) == wanted.end - wanted.start else None

    def _key(self, wanted: Range) -> str:
        return f"{self.path(wanted.name)} {wanted.start} {wanted.end}"


def open_folder(directory: str | Path, *, cache: BlockCache | None) -> Folder:
    """Opens a folder for reading.

    Args:
        directory: path or URL of the folder.
        cache: cache for the byte ranges that are read from a remote folder; None for no cache.

    Raises:
        UserError: the scheme of the URL has no driver.
        OSError: the driver cannot start.
    """
    return CachedFolder(directory, cache) if cache and is_remote(directory) else Folder(directory)
