"""Files at URLs, read and written by fsspec's drivers; whatever their libraries raise becomes an OSError."""

import contextlib
import errno
import io
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from fsspec.config import conf
from fsspec.core import url_to_fs

from textgen import store_drivers, store_retries
from textgen.errors import UserError, one_line
from textgen.file_versions import Stamp, Version, version_in

_EXTRAS = {"gs": "gcp", "gcs": "gcp", "s3": "aws", "s3a": "aws", "http": "http", "https": "http", "hf": "hf"}
"""The extra of this package that installs the driver of a scheme."""

_READ_AHEAD_BYTES = 1 << 22

_HTTP = ("http://", "https://")
_GONE = (404, 410)

_P = ParamSpec("_P")
_T = TypeVar("_T")


def connect(url: str) -> tuple[Any, str]:
    """Returns fsspec's driver for a URL, and the path as the driver names it.

    Raises:
        UserError: the scheme has no driver, or it is not installed.
        OSError: the driver cannot start.
    """
    try:
        # Other processes write to the same folders, so a listing must not be kept.
        options = store_retries.driver_options(url, conf.get(url.partition("://")[0], {}))
        driver, path = url_to_fs(url, use_listings_cache=False, **options)
    except ImportError as error:
        extra = _EXTRAS.get(url.partition("://")[0])
        remedy = f"Install it: pip install 'textgen-stream[{extra}]'." if extra else f"{error}."
        raise UserError(f"{url} needs a driver of fsspec that is not installed. {remedy}") from None
    except ValueError as error:
        raise UserError(
            f"{url} cannot be opened: {error}. Name a folder of this machine, or a URL such as gs://bucket/data or "
            "s3://bucket/data."
        ) from None
    except Exception as error:
        raise os_error(error, url) from error
    store_retries.repeat_nothing(driver)
    store_retries.mend_session(driver)
    return driver, path.rstrip("/")


def open_file(url: str) -> io.BufferedReader:
    """Opens a file; each reader has its own position, and each error while reading is an OSError."""
    return io.BufferedReader(_RangeFile(url), _READ_AHEAD_BYTES)


def read(url: str) -> bytes:
    """Returns the content of a file."""
    driver, name = connect(url)
    content: bytes = _ask(url, driver.cat_file, name)
    return content


def read_ranges(urls: Sequence[str], starts: Sequence[int], ends: Sequence[int]) -> list[bytes]:
    """Returns the bytes [start, end) of each file, fewer where it ends before; all are asked for at once."""
    if not urls:
        return []
    driver, _ = connect(urls[0])
    names = [connect(url)[1] for url in urls]
    # Errors come as results, since not every driver raises them where it is asked to.
    found = _ask(urls[0], driver.cat_ranges, names, list(starts), list(ends), on_error="return")
    return [_content(*each) for each in zip(urls, starts, ends, found, strict=True)]


def stamp(url: str) -> Stamp | None:
    """Returns the size and time of a file, or None if there is no such file."""
    found = version(url)
    return found.stamp if found else None


def version(url: str) -> Version | None:
    """Returns the version of a file, or None if there is no such file."""
    driver, name = connect(url)
    try:
        info = _ask(url, driver.info, name)
        return None if info["type"] == "directory" else _ask(url, version_in, driver, info)
    except FileNotFoundError:
        return None


def list_names(directory: str, *, files_only: bool) -> list[str]:
    """Returns the names of what is directly in a directory; none if it is not there."""
    driver, root = connect(directory)
    try:
        found = _ask(directory, driver.ls, root, detail=True)
    except FileNotFoundError:
        return []
    # Some stores list an empty object under the name of the directory itself.
    paths = [info["name"].rstrip("/") for info in found if not (files_only and info["type"] == "directory")]
    return [path.rpartition("/")[2] for path in paths if path != root]


def list_sizes(directory: str) -> dict[str, int]:
    """Returns the size in bytes of each file directly in a directory by its name."""
    driver, root = connect(directory)
    try:
        found = _ask(directory, driver.ls, root, detail=True)
    except FileNotFoundError:
        return {}
    return {info["name"].rpartition("/")[2]: info["size"] or 0 for info in found if info["type"] != "directory"}


def walk(directory: str) -> Iterator[tuple[str, str, Stamp]]:
    """Yields URL, kind and stamp of every file in a directory and below it; none if it is not there.

    The kind is that of the driver: `file`, or `link`, `other` and so on for what cannot be read.
    """
    driver, root = connect(directory)
    for name, info in _ask(directory, driver.find, root, detail=True).items():
        # Some stores have empty objects in place of directories.
        if name != root and not name.endswith("/"):
            found = _ask(directory, version_in, driver, info)
            yield directory.rstrip("/") + name[len(root) :], info["type"], found.stamp


def exists(url: str) -> bool:
    """Returns whether there is a file or directory."""
    driver, name = connect(url)
    return bool(_ask(url, driver.exists, name))


def make_directory(url: str) -> None:
    """Makes a directory where the store has directories."""
    driver, name = connect(url)
    if not store_drivers.is_object_store(driver):
        _ask(url, driver.makedirs, name, exist_ok=True)


def remove(url: str) -> None:
    """Removes a file, or a directory with everything in it; a missing one is no error."""
    driver, name = connect(url)
    with contextlib.suppress(FileNotFoundError):
        _ask(url, driver.rm, name, recursive=True)


def move(url: str, target: str) -> None:
    """Moves a file, or a directory with everything in it; object stores copy each file, then remove it."""
    driver, name = connect(url)
    _, target_name = connect(target)
    # A repetition would not find what the first try has moved.
    with store_retries.within(0):
        _ask(url, driver.mv, name, target_name, recursive=True)


def write_atomically(url: str, content: bytes | Path, *, temporary: str) -> None:
    """Writes a file, or copies a local one, so that readers find all of it or nothing.

    Args:
        url: the file.
        content: its bytes, or a local file.
        temporary: the URL that it has until it is complete, where the store has a rename.
    """
    driver, name = connect(url)
    if store_drivers.is_object_store(driver):
        _ask(url, store_drivers.put, driver, name, content)
        return
    _, temporary_name = connect(temporary)
    for made in (name, temporary_name):
        _ask(url, driver.makedirs, made.rpartition("/")[0], exist_ok=True)
    # Repeated as a whole: a rename whose answer was lost leaves nothing to rename.
    _ask(url, _put_and_rename, driver, temporary_name, name, content)


def _put_and_rename(driver: Any, temporary: str, name: str, content: bytes | Path) -> None:
    store_drivers.put(driver, temporary, content)
    store_drivers.rename_over(driver, temporary, name)


def create(url: str, content: bytes, *, temporary: str, **options: Any) -> None:
    """Writes a small file that is not there, as far as the store can refuse to replace one.

    Args:
        url: the file.
        content: its bytes.
        temporary: the URL that it has until it is complete, where the store would show a part of it.
        **options: of the driver's `pipe_file`, such as `mode="create"`, which refuses to replace a file.

    Raises:
        FileExistsError: the file is there; also if the answer to an earlier try of this call was lost.
        OSError: the store cannot be asked.
    """
    driver, name = connect(url)
    if not store_drivers.is_object_store(driver):
        make_directory(url.rpartition("/")[0])
    if not store_drivers.shows_parts(driver):
        _ask(url, driver.pipe_file, name, content, **options)
        return
    _, temporary_name = connect(temporary)
    _ask(url, store_drivers.put, driver, temporary_name, content)
    if not _ask(url, store_drivers.rename_new, driver, temporary_name, name):
        remove(temporary)
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), url)


def os_error(error: Exception, path: str) -> OSError:
    """Returns the OSError that stands for an error of a driver."""
    if is_http(path) and error.__cause__ and getattr(error.__cause__, "status", None) not in _GONE:
        # The driver reports every failure, such as a refused connection, as a missing file.
        error = error.__cause__ if isinstance(error.__cause__, Exception) else error
    if isinstance(error, (FileNotFoundError, IsADirectoryError)):
        return missing(path)
    code, text = getattr(error, "errno", None), getattr(error, "strerror", None)
    text = one_line(Exception(text or f"{type(error).__name__}: {error}"))
    return OSError(code if isinstance(code, int) else errno.EIO, text, path)


def is_http(url: str) -> bool:
    """Returns whether a URL names a file of a web server, which can only be read, and not listed."""
    return url.lower().startswith(_HTTP)


def missing(path: str) -> FileNotFoundError:
    """Returns the error of a file that is not there."""
    return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)


def _ask(url: str, call: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Returns the result of a call of a driver, repeated after passing errors; what it raises becomes an OSError."""
    try:
        return store_retries.retried(url, call, *args, **kwargs)
    except Exception as error:
        raise os_error(error, url) from error


class _RangeFile(io.RawIOBase):
    """A file that asks its driver for the bytes that are read."""

    def __init__(self, url: str):
        super().__init__()
        found = stamp(url)
        if found is None:
            raise missing(url)
        self._url, self._size, self._position = url, found.size, 0
        self._driver, self._name = connect(url)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: Any) -> int:
        end = min(self._position + len(buffer), self._size)
        if end <= self._position:
            return 0
        content = _ask(self._url, self._driver.cat_file, self._name, start=self._position, end=end)
        content = _part(self._url, self._position, end, content)
        buffer[: len(content)] = content
        self._position += len(content)
        return len(content)


def _part(url: str, start: int, end: int, content: bytes) -> bytes:
    """Returns the bytes that were asked for, where a server may have sent the whole file instead.

    Raises:
        UserError: they are not at the start of the file, so that each part would take a download of the whole.
    """
    if len(content) > end - start and start:
        raise UserError(f"{url}: the server sends whole files only, no parts of them. Download the file and name it.")
    return content[: end - start]


def _content(url: str, start: int, end: int, found: bytes | Exception) -> bytes:
    if not isinstance(found, Exception):
        return _part(url, start, end, found)
    if store_retries.is_passing(found):
        driver, name = connect(url)
        return _part(url, start, end, _ask(url, driver.cat_file, name, start=start, end=end))
    now = stamp(url)
    if now and now.size <= start:
        # Some stores refuse a range that starts where the file has ended.
        return b""
    raise os_error(found, url) from found
