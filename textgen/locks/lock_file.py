"""The file of a lock in a folder of this machine, with exclusive creation and exclusive replacement.

The record is written under a name of its own and then linked to that of the lock, which is exclusive on network
filesystems too, so that no other process finds a part of it. The record of an owner that has ended is replaced under
`flock`; where a filesystem has none, what was written is read again.
"""

import contextlib
import errno
import fcntl
import os
import re
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from textgen.errors import UserError
from textgen.locks.owners import MAX_BYTES, Owner, parse

NAME = "_lock"
"""Name of the lock file in the folder."""

_NAMES = re.compile(rf"{NAME}(-[0-9a-f]{{32}})?")
_NO_LINKS = {errno.EPERM, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.EINVAL}
"""Errors of filesystems that have no links."""

_SETTLE_SECONDS = 0.5
_REMOVAL_TRIES = 50


class Seen(NamedTuple):
    """The state of a lock file; another state means that its owner has renewed it, or another one has taken it.

    Attributes:
        owner: the owner; None where the record was not written to the end.
        content: content of the file.
        modified: time of the last change in seconds since 1970; 0 where it is unknown.
    """

    owner: Owner | None
    content: bytes
    modified: float

    @property
    def token(self) -> str:
        """Token of the owner; empty if there is none."""
        return self.owner.token if self.owner else ""


class LockFile(Protocol):
    """The file of a lock.

    Attributes:
        path: its path or URL.
    """

    path: str

    def create(self, owner: Owner) -> bool:
        """Writes the file if there is none, and returns whether it is the owner's now.

        Raises:
            OSError: it can't be written.
        """

    def read(self) -> Seen | None:
        """Returns the state of the file; None if there is none.

        Raises:
            UserError: it is not a lock of this program.
            OSError: it can't be read.
        """

    def replace(self, seen: Seen, owner: Owner) -> bool:
        """Gives the lock to another owner if it is still as it was seen; returns whether it is the owner's now.

        Raises:
            OSError: it can't be written.
        """

    def renew(self, owner: Owner) -> bool:
        """Changes the state as a sign of life; returns False if the lock has another owner, or none.

        Raises:
            OSError: it can't be written.
        """

    def remove(self, owner: Owner) -> None:
        """Removes the file if it is the owner's.

        Raises:
            OSError: it can't be removed.
        """


def is_lock_name(name: str) -> bool:
    """Returns whether a file in a locked folder belongs to the lock, and not to what the folder holds."""
    return bool(_NAMES.fullmatch(name))


class LocalLockFile:
    """The file of a lock in a folder of this machine."""

    _in_process = threading.Lock()
    """On some network filesystems `flock` does not keep the threads of a process apart."""

    def __init__(self, folder: Path):
        self.path = str(folder / NAME)

    def create(self, owner: Owner) -> bool:
        """Writes the file if there is none; see LockFile."""
        if os.path.lexists(self.path):
            return False
        record = f"{self.path}-{owner.token}"
        is_mine = _write(record, owner) and _link(record, self.path)
        if is_mine is None:
            is_mine = _write(self.path, owner)
        Path(record).unlink(missing_ok=True)
        if is_mine:
            self._remove_records()
        return is_mine

    def _remove_records(self) -> None:
        """Removes the records of processes that were killed before they had linked them, or that come too late."""
        with contextlib.suppress(OSError):
            for path in Path(self.path).parent.glob(f"{NAME}-*"):
                if is_lock_name(path.name):
                    path.unlink(missing_ok=True)

    def read(self) -> Seen | None:
        """Returns the state of the file; see LockFile."""
        try:
            # A pipe would keep the process waiting, and a link could name any file.
            file = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._require_regular()
            raise error
        try:
            self._require_regular()
            return self._seen(file)
        finally:
            os.close(file)

    def replace(self, seen: Seen, owner: Owner) -> bool:
        """Gives the lock to another owner; see LockFile."""
        with self._exclusively() as file:
            if file is None or self._seen(file) != seen:
                return False
            content = owner.to_bytes()
            os.pwrite(file, content, 0)
            os.ftruncate(file, len(content))
            has_flock = _has_flock(file)
        if not has_flock:
            time.sleep(_SETTLE_SECONDS)
        return self._is_of(owner)

    def renew(self, owner: Owner) -> bool:
        """Sets the file's time; see LockFile."""
        if not self._is_of(owner):
            # Somebody has removed the file alone.
            return self.create(owner)
        os.utime(self.path)
        return True

    def remove(self, owner: Owner) -> None:
        """Removes the file if it is the owner's; see LockFile."""
        for _ in range(_REMOVAL_TRIES):
            with self._exclusively() as file:
                if file is not None and self._is_of(owner):
                    Path(self.path).unlink()
            if not self._is_of(owner):
                return
            # A process that looks for ended owners holds the file for an instant.
            time.sleep(_SETTLE_SECONDS / _REMOVAL_TRIES)

    def _is_of(self, owner: Owner) -> bool:
        seen = self.read()
        return seen is not None and seen.token == owner.token

    def _seen(self, file: int) -> Seen:
        content = os.pread(file, MAX_BYTES + 1, 0)
        return Seen(parse(content, self.path), content, os.fstat(file).st_mtime)

    def _require_regular(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            if not stat.S_ISREG(Path(self.path).lstat().st_mode):
                raise UserError(
                    f"{self.path} is no regular file; textgen keeps its lock under this name. "
                    "Remove it, or name another folder."
                )

    @contextlib.contextmanager
    def _exclusively(self) -> Iterator[int | None]:
        """Opens the file; no other process or thread is inside the context with it.

        Yields its descriptor, or None if the file is gone or another process is inside.
        """
        with self._in_process:
            try:
                file = os.open(self.path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
            except FileNotFoundError:
                yield None
                return
            try:
                yield file if _flock(file) and self._is_current(file) else None
            finally:
                os.close(file)

    def _is_current(self, file: int) -> bool:
        """Returns whether an open file is still the one under the name."""
        try:
            return os.path.samestat(os.fstat(file), Path(self.path).lstat())
        except FileNotFoundError:
            return False


def _write(path: str, owner: Owner) -> bool:
    """Writes a new file; returns False if there is one."""
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        return False
    try:
        os.write(file, owner.to_bytes())
    except OSError:
        Path(path).unlink(missing_ok=True)
        raise
    finally:
        os.close(file)
    return True


def _link(record: str, path: str) -> bool | None:
    """Gives a file a second name; returns False if the name is taken, None where the filesystem has no links."""
    try:
        os.link(record, path)
    except OSError as error:
        if error.errno in _NO_LINKS:
            return None
        # A network filesystem may report the repetition of what it has done.
        with contextlib.suppress(FileNotFoundError):
            if Path(record).stat().st_nlink > 1:
                return True
        if isinstance(error, FileExistsError | FileNotFoundError):
            # The owner of the lock removes the records of others.
            return False
        Path(record).unlink(missing_ok=True)
        raise
    return True


def _flock(file: int) -> bool:
    """Locks an open file until it is closed; returns False if another process has locked it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        # The filesystem has no such locks.
        pass
    return True


def _has_flock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
