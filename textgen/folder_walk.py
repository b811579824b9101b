"""Lists the files of a folder and everything below it, on any filesystem, together with what cannot be read.

Folders behind links are listed once, after all others, so that loops end.
"""

import os
import stat
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from textgen import remote_files
from textgen.file_versions import Stamp
from textgen.files import is_remote, join

FILE, FOLDER = "file", "folder"
"""Kinds of entries that can be read."""

AGAIN = "already read by another name"
BROKEN_LINK = "broken link"
SPECIAL = "pipe, socket or device"
UNREADABLE = "unreadable"
"""Kinds of entries that cannot, and reasons to pass over them."""

Parts = tuple[str, ...]
"""Names from a folder down to something below it."""


class Entry(NamedTuple):
    """File or folder directly in a folder.

    Attributes:
        name: its name in the folder.
        path: its path or URL; that of a folder that is not listed ends in a slash.
        kind: `FILE`, `FOLDER`, or the reason why it cannot be read.
        stamp: size and time of a file.
        identity: device and inode, which all names of a file on this machine share; None where they are unknown.
        detail: the operating system's message, the target of a link, or the other name.
    """

    name: str
    path: str
    kind: str
    stamp: Stamp = Stamp(0, 0.0)
    identity: tuple[int, int] | None = None
    detail: str = ""


class Listed(NamedTuple):
    """A folder and its entries.

    Attributes:
        parts: names from the folder where the walk began.
        path: path or URL.
        entries: what is directly in it, by name. If the folder cannot be listed, one entry says so, whose name is
            empty.
    """

    parts: Parts
    path: str
    entries: list[Entry]


def walk(root: str, enter: Callable[[Parts], bool]) -> Iterator[Listed]:
    """Yields a folder and the folders below it, each after the one that holds it; none if it is not there.

    Args:
        root: path or URL, with which every path begins. Empty: the current directory.
        enter: returns whether to list a folder below the root, given its names from there. Stores of objects are
            listed as a whole.

    Raises:
        UserError: the URL has no driver.
        OSError: the store cannot be listed.
    """
    return _walk_remote(root) if is_remote(root) else _walk_local(root, enter)


def entry_of(path: str, name: str = "") -> Entry | None:
    """Returns what a path of this machine names, links followed; None if there is nothing."""
    try:
        found = os.stat(path)  # noqa: PTH116 - Path would change "./a" to "a".
    except OSError as error:
        return _failed(path, name, error)
    identity = (found.st_dev, found.st_ino) if found.st_ino else None
    if stat.S_ISDIR(found.st_mode):
        return Entry(name, path, FOLDER, identity=identity)
    kind = FILE if stat.S_ISREG(found.st_mode) else SPECIAL
    return Entry(name, path, kind, Stamp(found.st_size, found.st_mtime), identity)


def _failed(path: str, name: str, error: OSError) -> Entry | None:
    """Returns the entry of a path that `stat` refuses: a broken link or an unreadable file; None if it is gone."""
    if os.path.islink(path):  # noqa: PTH114
        target = os.readlink(path)  # noqa: PTH115
        if not isinstance(error, PermissionError):
            return Entry(name, path, BROKEN_LINK, detail=f"to {target}")
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return None
    return Entry(name, path, UNREADABLE, detail=error.strerror or str(error))


def _walk_local(root: str, enter: Callable[[Parts], bool]) -> Iterator[Listed]:
    listed: dict[tuple[int, int] | None, str] = {}
    folders, links = deque[Parts]([()]), deque[Parts]()
    while folders or links:
        parts = folders.popleft() if folders else links.popleft()
        path = join(root, *parts)
        found = entry_of(path or ".")
        if found is None:
            continue
        if found.identity and found.identity in listed:
            again = Entry("", join(path, ""), AGAIN, detail=f"as {listed[found.identity]}")
            yield Listed(parts, path, [again])
            continue
        listed[found.identity] = path
        try:
            entries = _entries(path)
        except OSError as error:
            yield Listed(parts, path, [Entry("", join(path, ""), UNREADABLE, detail=error.strerror or str(error))])
            continue
        yield Listed(parts, path, entries)
        for entry in entries:
            below = (*parts, entry.name)
            if entry.kind == FOLDER and enter(below):
                (links if os.path.islink(entry.path) else folders).append(below)  # noqa: PTH114


def _entries(folder: str) -> list[Entry]:
    names = sorted(os.listdir(folder or "."))  # noqa: PTH208
    found = (entry_of(join(folder, name), name) for name in names)
    # Files may disappear meanwhile.
    return [entry for entry in found if entry is not None]


def _walk_remote(root: str) -> Iterator[Listed]:
    folders: dict[Parts, dict[str, Entry]] = {}
    base = len(root.rstrip("/")) + 1
    for path, kind, stamp in remote_files.walk(root):
        parts = tuple(path[base:].split("/"))
        folders.setdefault(parts[:-1], {})[parts[-1]] = Entry(parts[-1], path, _KINDS.get(kind, SPECIAL), stamp)
        for depth in range(len(parts) - 1):
            above, name = parts[:depth], parts[depth]
            entry = Entry(name, join(root, *above, name), FOLDER)
            folders.setdefault(above, {}).setdefault(name, entry)
    for parts in sorted(folders):
        yield Listed(parts, join(root, *parts), _by_name(folders[parts].values()))


_KINDS = {"file": FILE, "link": BROKEN_LINK}
"""Kinds of fsspec's drivers; a link that leads to a file is a file."""


def _by_name(entries: Iterable[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda entry: entry.name)
