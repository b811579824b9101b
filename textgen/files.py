"""The files of a folder, wherever it lies: on this machine, or at a URL for which fsspec has a driver."""

import contextlib
import errno
import hashlib
import os
import re
import threading
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from fsspec.core import url_to_fs

from textgen.errors import UserError, require

_LOCAL = "file://"
_REMOTE = re.compile(r"(?!file://)[\w.+:-]+://")
_EXTRAS = {"gs": "gcp", "gcs": "gcp", "s3": "aws", "s3a": "aws"}
"""What installs the driver of a scheme."""

_CACHED = "range-"
_SHARE = 16


class Range(NamedTuple):
    """The bytes of a file from `start` on and before `end`."""

    name: str
    start: int
    end: int


class Folder(Protocol):
    """A folder that is read, by several threads at once if need be."""

    def path(self, name: str) -> str:
        """The path of a file as a user writes it."""
        ...

    def read(self, name: str) -> bytes:
        """All of a file.

        Raises:
            FileNotFoundError: there is no such file.
            OSError: it can't be read.
        """
        ...

    def read_ranges(self, ranges: Sequence[Range], *, fresh: bool = False) -> list[bytes]:
        """The bytes of each range, in order; fewer where the file ends before it.

        Nothing of them is checked. Whoever finds them wrong asks once more with `fresh`, which takes nothing from a
        cache and puts what it reads in the place of what the cache had.

        Raises:
            FileNotFoundError: there is no such file.
            OSError: one can't be read.
        """
        ...

    def size(self, name: str) -> int | None:
        """The bytes of a file; None where there is no such file.

        Raises:
            OSError: that can't be told.
        """
        ...


def is_remote(directory: str | Path) -> bool:
    """Whether a folder is named by a URL, as `gs://bucket/data`; `file:///data` is a folder of this machine."""
    return bool(_REMOTE.match(str(directory)))


def open_folder(directory: str | Path, *, cache: "Cache | None" = None) -> Folder:
    """A folder to read from; whether it is there shows when it is read.

    Args:
        directory: a path or a URL.
        cache: keeps what is read by range; a folder of this machine needs none, and uses none.

    Raises:
        UserError: the URL has a scheme without a driver, or one that no driver knows.
        OSError: the driver can't start.
    """
    if is_remote(directory):
        return _RemoteFolder(str(directory), cache)
    return _LocalFolder(Path(str(directory).removeprefix(_LOCAL)))


class _LocalFolder:
    """A folder of this machine."""

    def __init__(self, directory: Path):
        self._directory = directory

    def path(self, name: str) -> str:
        return str(self._directory / name)

    def read(self, name: str) -> bytes:
        path = self._directory / name
        if not path.is_file():
            raise _missing(str(path))
        return path.read_bytes()

    def read_ranges(self, ranges: Sequence[Range], *, fresh: bool = False) -> list[bytes]:
        return [self._read_range(wanted) for wanted in ranges]

    def size(self, name: str) -> int | None:
        path = self._directory / name
        return path.stat().st_size if path.is_file() else None

    def _read_range(self, wanted: Range) -> bytes:
        with (self._directory / wanted.name).open("rb") as file:
            file.seek(wanted.start)
            return file.read(wanted.end - wanted.start)


class _RemoteFolder:
    """A folder at a URL, read by fsspec's driver for its scheme, which tries again what fails for a moment."""

    def __init__(self, url: str, cache: "Cache | None" = None):
        self._url, self._cache = url.rstrip("/"), cache
        self._driver, self._root = _connect(url)

    def path(self, name: str) -> str:
        return f"{self._url}/{name}"

    def read(self, name: str) -> bytes:
        with _as_os_error(self.path(name)):
            return self._driver.cat_file(self._place(name))

    def read_ranges(self, ranges: Sequence[Range], *, fresh: bool = False) -> list[bytes]:
        kept = [None if fresh else self._kept(wanted) for wanted in ranges]
        fetched = iter(self._fetch([wanted for wanted, content in zip(ranges, kept, strict=True) if content is None]))
        return [next(fetched) if content is None else content for content in kept]

    def size(self, name: str) -> int | None:
        try:
            with _as_os_error(self.path(name)):
                return self._driver.size(self._place(name))
        except FileNotFoundError:
            return None

    def _place(self, name: str) -> str:
        """The path of a file as the driver names it."""
        return f"{self._root}/{name}"

    def _kept(self, wanted: Range) -> bytes | None:
        content = self._cache.get(self._key(wanted)) if self._cache else None
        # A crash of the machine may have cut what was kept.
        return content if content is not None and len(content) == wanted.end - wanted.start else None

    def _fetch(self, ranges: Sequence[Range]) -> list[bytes]:
        """All of them at once, each put into the cache."""
        if not ranges:
            return []
        places = [self._place(wanted.name) for wanted in ranges]
        starts, ends = [wanted.start for wanted in ranges], [wanted.end for wanted in ranges]
        with _as_os_error(self._url):
            # Errors come as results, since not every driver raises them where it is asked to.
            found = self._driver.cat_ranges(places, starts, ends, on_error="return")
        contents = [self._content(*pair) for pair in zip(ranges, found, strict=True)]
        for wanted, content in zip(ranges, contents, strict=True):
            if self._cache and len(content) == wanted.end - wanted.start:
                self._cache.put(self._key(wanted), content)
        return contents

    def _content(self, wanted: Range, found: bytes | Exception) -> bytes:
        if not isinstance(found, Exception):
            return found
        size = self.size(wanted.name)
        if size is not None and size <= wanted.start:
            # Some stores refuse a range that starts where the file has ended.
            return b""
        raise _os_error(found, self.path(wanted.name)) from found

    def _key(self, wanted: Range) -> str:
        return f"{self.path(wanted.name)} {wanted.start} {wanted.end}"


class Cache:
    """Ranges of remote files, kept in a folder of this machine; the least recently used go first.

    Several processes may share the folder, each of which may exceed the limit by a sixteenth. A range that can't be
    kept, since it is larger than the limit or the disk is full, is not kept, and that is no error.
    """

    def __init__(self, directory: Path, max_bytes: int):
        """Makes the folder.

        Raises:
            UserError: `max_bytes` is below 1.
            OSError: the folder can't be made.
        """
        require(max_bytes >= 1, f"the cache has a limit of {max_bytes} bytes; it must be at least 1.")
        directory.mkdir(parents=True, exist_ok=True)
        self._directory, self._max_bytes = directory, max_bytes
        self._lock = threading.Lock()
        # How much may be written before the folder is looked through.
        self._room = 0

    def get(self, key: str) -> bytes | None:
        """What was kept under a key; None where nothing is."""
        path = self._path(key)
        try:
            content = path.read_bytes()
        except OSError:
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return content

    def put(self, key: str, content: bytes) -> None:
        """Keeps `content`, in the place of what was kept under the key."""
        if len(content) > self._max_bytes:
            return
        path = self._path(key)
        temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
        try:
            self._make_room(len(content))
            temporary.write_bytes(content)
            temporary.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self._directory / (_CACHED + hashlib.sha256(key.encode()).hexdigest())

    def _make_room(self, size: int) -> None:
        """Takes `size` from the room; where it is short, the folder is looked through for what can go."""
        with self._lock:
            if self._room < size:
                # No more than a share of the limit at a time, since others may write to the folder too.
                self._room = max(size, self._max_bytes // _SHARE)
                self._shrink(self._max_bytes - self._room)
            self._room -= size

    def _shrink(self, max_bytes: int) -> None:
        files = sorted(self._files())
        total = sum(size for _, size, _ in files)
        for _, size, path in files:
            if total <= max_bytes:
                return
            path.unlink(missing_ok=True)
            total -= size

    def _files(self) -> Iterator[tuple[int, int, Path]]:
        """When each file was last used, its size, and its path; temporary ones of killed processes too."""
        for path in self._directory.glob(f"{_CACHED}*"):
            with contextlib.suppress(FileNotFoundError):
                stat = path.stat()
                yield stat.st_mtime_ns, stat.st_size, path


def _connect(url: str) -> tuple[Any, str]:
    """The driver of a URL, and the folder's path as the driver names it."""
    try:
        driver, root = url_to_fs(url)
    except ImportError as error:
        extra = _EXTRAS.get(url.partition("://")[0])
        remedy = f"Install it: pip install 'textgen-stream[{extra}]'." if extra else f"{error}."
        raise UserError(f"{url} is read by a driver of fsspec that is not installed here. {remedy}") from None
    except ValueError as error:
        raise UserError(
            f"{url} cannot be read: {error}. Name a folder of this machine, or a URL as gs://bucket/data or "
            "s3://bucket/data."
        ) from None
    except Exception as error:
        raise _os_error(error, url) from error
    return driver, root.rstrip("/")


@contextlib.contextmanager
def _as_os_error(path: str) -> Iterator[None]:
    """Drivers raise what their libraries raise; callers need to know OSError alone."""
    try:
        yield
    except Exception as error:
        raise _os_error(error, path) from error


def _os_error(error: Exception, path: str) -> OSError:
    if isinstance(error, FileNotFoundError):
        return _missing(path)
    code, text = getattr(error, "errno", None), getattr(error, "strerror", None)
    return OSError(code if isinstance(code, int) else errno.EIO, text or f"{type(error).__name__}: {error}", path)


def _missing(path: str) -> FileNotFoundError:
    return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
