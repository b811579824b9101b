"""One filesystem for paths of this machine and for URLs such as `gs://bucket/data`.

Everything takes paths as strings, which travel to Beam's workers. Local files are opened without a driver.

Every function raises UserError where the scheme of a URL has no driver, and OSError where the file or its store
cannot be read or written.
"""

import contextlib
import os
import re
import shutil
import stat
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from textgen import regular_files, remote_files
from textgen.errors import UserError
from textgen.file_versions import Stamp, Version
from textgen.owned_folders import OwnedFolder
from textgen.remote_files import missing
from textgen.system_errors import naming

_LOCAL = "file://"
_TEMPORARY = re.compile(r"(?:(.*)\.)?[0-9a-f]{32}\.tmp")
_REMOTE = re.compile(r"(?!file://)[\w.+:-]+://")


def is_remote(path: str | Path) -> bool:
    """Returns whether a path is a URL, as `gs://bucket/data` is; `file:///data` is a path of this machine."""
    return bool(_REMOTE.match(str(path)))


def require_writable(path: str) -> None:
    """Checks that a path is not of a filesystem that can only be read.

    Raises:
        UserError: it is a URL of a web server.
    """
    if remote_files.is_http(path):
        raise UserError(
            f"{path} is a URL of a web server, which can only be read. Name a local folder, or one of a store, as "
            "gs://bucket/data or s3://bucket/data."
        )


def local_path(path: str | Path, *, what: str) -> Path:
    """Returns the path of something that must be on this machine.

    Args:
        path: as a user wrote it.
        what: the thing that must be there, for the error.

    Raises:
        UserError: the path is a URL.
    """
    if is_remote(path):
        raise UserError(
            f"{path} is a URL; {what} must be in a folder of this machine. "
            "Name a local or mounted folder, and copy it to or from the URL."
        )
    return _local(expand_home(str(path)))


def expand_home(path: str) -> str:
    """Returns a path in which a `~` or `~name` at the start is replaced by the home folder, as shells do.

    A file whose own name begins with `~` is written `./~name`.
    """
    return path if is_remote(path) else os.path.expanduser(path.removeprefix(_LOCAL))  # noqa: PTH111


def exists(path: str) -> bool:
    """Returns whether there is a file, folder or link, whatever characters are in its name."""
    return remote_files.exists(path) if is_remote(path) else os.path.lexists(path.removeprefix(_LOCAL))


def join(directory: str, *names: str) -> str:
    """Returns the path of a file in a directory."""
    if is_remote(directory):
        return "/".join([directory.rstrip("/"), *names])
    return os.path.join(directory.removeprefix(_LOCAL), *names)  # noqa: PTH118 - It must keep a leading "./".


def open_file(path: str) -> BinaryIO:
    """Opens a file to read its bytes as they are stored, without decompression."""
    return remote_files.open_file(path) if is_remote(path) else _local(path).open("rb")


def read(path: str) -> bytes:
    """Returns the content of a file.

    Raises:
        FileNotFoundError: there is no such file.
    """
    if is_remote(path):
        return remote_files.read(path)
    if _local(path).is_dir():
        raise missing(str(_local(path)))
    with naming(path):
        return _local(path).read_bytes()


def read_head(path: str, size: int) -> bytes:
    """Returns the first `size` bytes of a file, or all of a shorter one.

    Raises:
        FileNotFoundError: there is no such file.
    """
    if is_remote(path):
        return remote_files.read_ranges([path], [0], [size])[0]
    with naming(path), _local(path).open("rb", buffering=0) as file:
        return file.read(size) or b""


def read_if_present(path: str) -> bytes | None:
    """Returns the content of a file, or None if there is no such file."""
    try:
        return read(path)
    except FileNotFoundError:
        return None


def stamp(path: str) -> Stamp | None:
    """Returns the size and time of a file, or None if there is no such file."""
    if is_remote(path):
        return remote_files.stamp(path)
    return _stamp(_local(path)) if _local(path).is_file() else None


def version(path: str) -> Version | None:
    """Returns the version of a file, or None if there is no such file."""
    if is_remote(path):
        return remote_files.version(path)
    try:
        found = _local(path).stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return Version(Stamp(found.st_size, found.st_mtime), str(found.st_ctime_ns))


def size(path: str) -> int | None:
    """Returns the size of a file in bytes, or None if there is no such file."""
    found = stamp(path)
    return found.size if found else None


def list_names(directory: str, *, files_only: bool = False) -> list[str]:
    """Returns the sorted names of what is directly in a directory; none if it is not there."""
    if is_remote(directory):
        return sorted(remote_files.list_names(directory, files_only=files_only))
    if not _local(directory).is_dir():
        return []
    return sorted(path.name for path in _local(directory).iterdir() if not (files_only and path.is_dir()))


def make_directory(path: str) -> None:
    """Makes a directory and those above it where they are missing; object stores need none."""
    if is_remote(path):
        remote_files.make_directory(path)
    else:
        _local(path).mkdir(parents=True, exist_ok=True)


def remove(path: str) -> None:
    """Removes a file, or a directory with everything in it; a missing one is no error."""
    if is_remote(path):
        remote_files.remove(path)
    elif _local(path).is_dir():
        shutil.rmtree(_local(path))
    else:
        _local(path).unlink(missing_ok=True)


def move(path: str, target: str) -> None:
    """Moves a file, or a directory with everything in it, to a path of the same disk or store that is not taken."""
    if is_remote(path):
        remote_files.move(path, target)
    else:
        _local(path).replace(_local(target))


def write_atomically(path: str | Path, content: bytes | Path, *, temporary_folder: str | None = None) -> None:
    """Writes a file so that its readers find the old content or the new one, never a part.

    It is written under a temporary name and then renamed. Object stores have no rename and need none: they show an
    object when all of it is there.

    Args:
        path: the file; missing directories are made.
        content: its bytes, or a finished local file, which is moved there, or copied to a URL.
        temporary_folder: a folder of the same disk or store for the temporary file; None: beside the file.
    """
    temporary = join(temporary_folder, temporary_name()) if temporary_folder else f"{path}.{temporary_name()}"
    if is_remote(path):
        remote_files.write_atomically(str(path), content, temporary=temporary)
    elif isinstance(content, Path):
        content.replace(_local(path))
    else:
        _write(_local(path), content, _local(temporary))


def write_scratch(path: Path, content: bytes) -> None:
    """Writes a local file that no other process reads before it is moved; an error names the file."""
    with naming(path):
        path.write_bytes(content)


@contextlib.contextmanager
def scratch_folder(directory: str) -> Iterator[Path]:
    """Makes a local folder that is removed at the end: in `directory`, under a temporary name, if that is local."""
    if is_remote(directory):
        with OwnedFolder("scratch") as folder:
            yield folder
        return
    folder = _local(directory) / temporary_name()
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def temporary_name(name: str = "") -> str:
    """Returns a unique name for a file that is not finished, or for a folder of such files.

    Args:
        name: name of the finished file; empty for none.
    """
    return f"{name}.{uuid.uuid4().hex}.tmp".removeprefix(".")


def finished_name(name: str) -> str | None:
    """Returns the name that a file with a temporary name was to have, which may be empty; None for another name."""
    found = _TEMPORARY.fullmatch(name)
    return (found[1] or "") if found else None


def remove_unfinished(directory: str, is_own: Callable[[str], bool]) -> None:
    """Removes the files and folders with temporary names that a killed process has left in a directory.

    Only a process that holds the lock of the directory may call it. What cannot be removed stays.

    Args:
        directory: path or URL; what is below its folders is not looked at.
        is_own: returns whether a finished name is one that this program gives to a file there.
    """
    for name in list_names(directory):
        finished, path = finished_name(name), join(directory, name)
        if finished is not None and is_own(finished) and unusual(path) in ("", "a folder"):
            with contextlib.suppress(OSError):
                remove(path)


def unusual(path: str) -> str:
    """Returns the kind of what is at a path, such as `a symbolic link`; empty for a regular file, or for nothing."""
    return "" if is_remote(path) else regular_files.unusual(_local(path))


def remove_file(path: str) -> None:
    """Removes a file, or a link but not the file that it names; a missing one is no error.

    Raises:
        UserError: it is a folder of this machine.
    """
    if is_remote(path):
        remote_files.remove(path)
    else:
        regular_files.remove_file(_local(path))


def _local(path: str | Path) -> Path:
    return Path(str(path).removeprefix(_LOCAL))


def _stamp(path: Path) -> Stamp:
    found = path.stat()
    return Stamp(found.st_size, found.st_mtime)


def _write(path: Path, content: bytes, temporary: Path) -> None:
    temporary.parent.mkdir(parents=True, exist_ok=True)
    try:
        with naming(path):
            temporary.write_bytes(content)
        temporary.replace(path)
    except Exception:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
