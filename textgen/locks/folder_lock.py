"""Takes the lock of a folder, keeps it alive, and releases it."""

import contextlib
import dataclasses
import errno
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from textgen import files, remote_files, store_drivers, store_retries
from textgen.console import say
from textgen.errors import UserError
from textgen.locks import owners
from textgen.locks.lock_file import LocalLockFile, LockFile, Seen
from textgen.locks.owners import Condition, Owner
from textgen.locks.store_lock import StoreLockFile

RENEW_SECONDS = 10.0
"""Time between two signs of life of an owner."""

LEASE_SECONDS = 60.0
"""Time without a sign of life after which an owner of another machine or container counts as ended."""

_OLD_SECONDS = 24 * 3600.0
"""Age of a record at which nobody waits for a sign of life; the clocks of two machines differ by less."""

_POLL_SECONDS = 0.5
_TELL_SECONDS = 1.0
_NOT_WRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS)


class LostLockError(UserError):
    """The lock of a folder was lost while this process held it; a signal ends the main thread's work."""


class Lock:
    """A lock that this process owns.

    Attributes:
        directory: the locked folder, as the user wrote it.
    """

    def __init__(self, directory: str, file: LockFile, owner: Owner):
        self.directory = directory
        self._file, self._owner = file, owner
        self._loss: str | None = None
        self._stopped, self._renewed_at = threading.Event(), time.monotonic()
        self._renewing = threading.Lock()
        self._thread = threading.Thread(target=self._renew_on, name="textgen-lock", daemon=True)
        self._of_main_thread = threading.current_thread() is threading.main_thread()
        self._thread.start()

    def require_held(self) -> None:
        """Checks by a look at its file that this process has the lock; call it before each write that counts.

        Raises:
            UserError: another process has taken the lock, or may have taken it since this one gave no sign of life.
        """
        if not self._renew():
            raise LostLockError(_loss(self.directory, self._loss or ""))

    def release(self) -> None:
        """Removes the lock file, unless the lock is lost or this is a forked child of the owner."""
        if os.getpid() != self._owner.pid:
            return
        self._stopped.set()
        self._thread.join(RENEW_SECONDS)
        # The folder may be gone, or may not be writable any more; what is left counts as an ended owner's.
        with contextlib.suppress(OSError, UserError):
            self._file.remove(self._owner)

    def _renew_on(self) -> None:
        while not self._stopped.wait(RENEW_SECONDS):
            if not self._renew():
                if self._of_main_thread:
                    # Unlike `_thread.interrupt_main`, this also ends a call that waits.
                    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
                return

    def _renew(self) -> bool:
        """Gives a sign of life; returns False if the lock is lost."""
        with self._renewing:
            if self._loss is None and not self._stopped.is_set() and not self._is_renewed():
                self._loss = self._reason()
        return self._loss is None

    def _is_renewed(self) -> bool:
        self._owner = dataclasses.replace(self._owner, beat=self._owner.beat + 1)
        try:
            # A store that does not answer must not hold up the next sign of life.
            with store_retries.within(RENEW_SECONDS):
                # Another process may have taken the lock since, and have ended.
                is_held = not (self._is_late and self._file.read() is None) and self._file.renew(self._owner)
        except (OSError, UserError):
            return not self._is_late
        self._renewed_at = time.monotonic() if is_held else self._renewed_at
        return is_held

    @property
    def _is_late(self) -> bool:
        return time.monotonic() - self._renewed_at > LEASE_SECONDS

    def _reason(self) -> str:
        seen = None
        with contextlib.suppress(OSError, UserError):
            seen = self._file.read()
        is_taken = seen is not None and seen.owner is not None and seen.token != self._owner.token
        return f"{seen.owner} has taken it over" if seen and is_taken else "its lock could not be renewed"


def owner_token(directory: str) -> str:
    """Returns the token of the process that holds the lock of a folder; empty if none does.

    Raises:
        UserError: another file is in the place of the lock.
        OSError: the lock can't be read.
    """
    seen = lock_file_of(directory).read()
    return seen.token if seen else ""


def require_token(directory: str, token: str) -> None:
    """Checks in a worker process that the lock of a folder has the owner for which the worker works.

    Args:
        directory: path or URL of the folder.
        token: the owner's token; empty if the folder is not locked.

    Raises:
        UserError: another process has taken the lock.
        OSError: the lock can't be read.
    """
    seen = lock_file_of(directory).read() if token else None
    if seen and seen.owner and seen.token != token:
        raise LostLockError(_loss(directory, f"{seen.owner} has taken it over"))


def lock_file_of(path: str) -> LockFile:
    """Returns the file of the lock of a folder."""
    folder = _local_folder(path)
    return StoreLockFile(path) if folder is None else LocalLockFile(folder)


def _loss(directory: str, reason: str) -> str:
    return (
        f"{directory} is not written any more by this process, which was held up: {reason}. "
        "See that no other process writes there, then run this again."
    )


@contextlib.contextmanager
def hold(directory: str | os.PathLike[str], *, command: str, make: bool = True) -> Iterator[Lock | None]:
    """Holds the lock of a folder: inside the context, no other process that asks for it writes to the folder.

    The lock is given back at the end of the context, whatever ends it. If another process takes it over because this
    one was held up, the main thread is interrupted.

    Args:
        directory: path or URL of the folder.
        command: what the process does in the folder, such as "prepare"; other processes show it.
        make: whether to make a missing folder, which is removed at the end if nothing is in it; False to go on
            without a lock where there is no folder.

    Yields:
        The lock; None if there is no folder.

    Raises:
        UserError: another process holds the lock or has taken it over, the folder is a file, or no lock can be made.
        OSError: the lock can't be written for another reason.
    """
    path = str(directory)
    files.require_writable(path)
    if files.size(path) is not None:
        raise UserError(f"{path} is a file. Name a folder with --output.")
    if not make and not files.exists(path):
        yield None
        return
    made = _make(path)
    try:
        lock = _take(path, command)
        try:
            yield lock
        except BaseException:
            lock.require_held()
            raise
        finally:
            lock.release()
        lock.require_held()
    finally:
        for folder in made:
            with contextlib.suppress(OSError):
                folder.rmdir()


def _make(path: str) -> list[Path]:
    """Makes a folder and those above it; returns the local ones that were missing, the innermost first."""
    folder = _local_folder(path)
    if folder is None:
        return []
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    with _clear_errors(path):
        folder.mkdir(parents=True, exist_ok=True)
    return missing


def _local_folder(path: str) -> Path | None:
    """Returns the folder of this machine that a path or URL names; None for a folder of a store."""
    if not files.is_remote(path):
        return Path(files.join(path))
    driver, name = remote_files.connect(path)
    return Path(name) if "local" in store_drivers.protocols(driver) else None


def _take(path: str, command: str) -> Lock:
    with _clear_errors(path):
        folder, file = _local_folder(path), lock_file_of(path)
        inode = 0 if folder is None else folder.stat().st_ino
        owner = owners.this_process(command, folder=inode)
        watch = _Watch(path, file.path, inode)
        while not file.create(owner):
            seen = file.read()
            if seen and watch.has_ended(seen) and file.replace(seen, owner):
                say(f"{path} was locked by {_name(seen)}, which has ended; its lock is taken over.")
                break
            if seen:
                time.sleep(_POLL_SECONDS)
    return Lock(path, file, owner)


@contextlib.contextmanager
def _clear_errors(path: str) -> Iterator[None]:
    """Inside the context, the error of a folder that can't be written is one line with a remedy."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NOT_WRITABLE:
            raise
        raise UserError(
            f"{path} can't be locked for writing: {error.strerror}. Make the folder writable, or name another one."
        ) from None


def _name(seen: Seen) -> str:
    return str(seen.owner or "an unknown process")


class _Watch:
    """Watches a lock of another owner until it is known whether that has ended."""

    def __init__(self, folder: str, path: str, inode: int):
        self._folder, self._path, self._inode = folder, path, inode
        self._first: Seen | None = None
        self._since = 0.0
        self._has_told = False

    def has_ended(self, seen: Seen) -> bool:
        """Returns whether the owner has ended; False if that is not known yet.

        Raises:
            UserError: the owner is at work.
        """
        if self._first is None or self._first.token != seen.token:
            self._first, self._since = seen, time.monotonic()
        condition = seen.owner.condition() if seen.owner else Condition.UNKNOWN
        if condition is Condition.ENDED:
            return True
        # A folder that was copied during a run holds the lock of a process that writes to the original.
        is_original = seen.owner is not None and seen.owner.folder == self._inode
        if seen != self._first or (condition is Condition.RUNNING and is_original):
            raise UserError(self._refusal(seen))
        waited, age = time.monotonic() - self._since, time.time() - seen.modified
        if waited >= LEASE_SECONDS or (seen.modified and age >= _OLD_SECONDS):
            return True
        self._tell(seen, waited)
        return False

    def _refusal(self, seen: Seen) -> str:
        own = seen.owner is not None and seen.owner.condition() is Condition.RUNNING and seen.owner.pid == os.getpid()
        by = "another call in this process" if own else _name(seen)
        return (
            f"{self._folder} is being written by {by}. Wait for its end, or stop it, then run this again. "
            f"If there is no such process, delete {self._path}."
        )

    def _tell(self, seen: Seen, waited: float) -> None:
        if waited >= _TELL_SECONDS and not self._has_told:
            self._has_told = True
            say(
                f"{self._folder} is locked by {_name(seen)}, which can't be looked up from here; waiting"
                f" up to {LEASE_SECONDS:g} s for a sign of life."
            )
