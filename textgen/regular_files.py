"""Opens and removes local files of a folder that a stranger may have made: regular files only, and no links.

A link could name a file outside the folder, and opening a named pipe or a device could wait without end.
"""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

from textgen.errors import require

_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}

# Windows has neither; the check before the opening serves there.
_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_FLAGS |= getattr(os, "O_BINARY", 0)


def unusual(path: Path) -> str:
    """Returns the kind of what is at a path, such as `a symbolic link`; empty for a regular file, or for nothing."""
    try:
        mode = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return ""
    return "" if stat.S_ISREG(mode) else _KINDS.get(stat.S_IFMT(mode), "no regular file")


def open_regular(path: Path) -> BinaryIO:
    """Opens a regular file to read its bytes, without waiting.

    Raises:
        FileNotFoundError: there is nothing at the path.
        UserError: it is not a regular file.
        OSError: it cannot be opened.
    """
    _require_regular(path, unusual(path))
    try:
        number = os.open(path, _FLAGS)
    except OSError as error:
        # It became a link or a socket since.
        _require_regular(path, "a symbolic link" if error.errno == errno.ELOOP else "")
        raise
    file = os.fdopen(number, "rb")
    mode = os.fstat(number).st_mode
    if not stat.S_ISREG(mode):
        file.close()
        _require_regular(path, _KINDS.get(stat.S_IFMT(mode), "no regular file"))
    return file


def read_regular(path: Path, *, max_bytes: int | None = None) -> bytes:
    """Returns the content of a regular file; see `open_regular`.

    Args:
        path: the file.
        max_bytes: maximum size of the file, which is not read if it is larger; None for any.

    Raises:
        UserError: the file is not regular, or too large.
        OSError: it cannot be read.
    """
    with open_regular(path) as file:
        if max_bytes is None:
            return file.read()
        size = os.fstat(file.fileno()).st_size
        # As much memory is reserved as is asked for, and the file may grow while it is read.
        content = b"" if size > max_bytes else file.read(size + 1)
        while size < len(content) <= max_bytes:
            size, content = len(content), content + file.read(len(content))
    require_size(str(path), max(size, len(content)), max_bytes)
    return content


def require_size(path: str, size: int, max_bytes: int) -> None:
    """Checks the size of a file.

    Raises:
        UserError: it is larger than `max_bytes`.
    """
    require(
        size <= max_bytes,
        f"{path} has {size:,} bytes; such a file may have at most {max_bytes:,}. Get a sound copy of it.",
    )


def remove_file(path: Path) -> None:
    """Removes a file, or a link but not the file that it names; a missing one is no error.

    Raises:
        UserError: it is a folder.
        OSError: it cannot be removed.
    """
    require(
        unusual(path) != "a folder",
        f"{path} is a folder, where a file is expected; folders are not removed. Move it away.",
    )
    path.unlink(missing_ok=True)


def require_no_links(folder: Path) -> None:
    """Checks that a folder, and all that is in it, are folders and regular files; a missing folder is allowed.

    Raises:
        UserError: one is something else, such as a link to another folder.
    """
    found = unusual(folder)
    require(found in ("", "a folder"), _not_own(folder, found))
    if not found:
        return
    for parent, folders, names in os.walk(folder):
        for name in (*folders, *names):
            kind = unusual(Path(parent, name))
            require(kind in ("", "a folder"), _not_own(Path(parent, name), kind))


def _require_regular(path: Path, kind: str) -> None:
    require(not kind, _not_own(path, kind))


def _not_own(path: Path, kind: str) -> str:
    return f"{path} is {kind}; it must be a regular file of its folder. Put a copy of the file in its place."
