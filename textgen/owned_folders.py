"""Temporary folders that are known by their owner: those of processes that were killed are removed by the next.

The owner holds a lock of the operating system on its folder (`flock`), which ends with the process, whatever ends it.
"""

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

PREFIX = "textgen-"
"""Start of the names of all temporary folders of this program."""


class OwnedFolder:
    """A temporary folder of this process; its child processes may use it too.

    Attributes:
        path: its path.
    """

    def __init__(self, kind: str):
        """Makes a folder, and removes those of the same kind whose processes have ended.

        Args:
            kind: the part of the folder's name that says what it is for.

        Raises:
            OSError: no folder can be made.
        """
        prefix = f"{PREFIX}{kind}-"
        _remove_abandoned(prefix)
        while True:
            self.path = Path(tempfile.mkdtemp(prefix=prefix))
            self._descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
            # Another process may have taken the folder for an abandoned one, before it was locked.
            if _lock(self._descriptor) is not False and self.path.exists():
                return
            os.close(self._descriptor)

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *_: object) -> None:
        self.remove()

    def remove(self) -> None:
        """Removes the folder with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        with contextlib.suppress(OSError):
            os.close(self._descriptor)


@contextlib.contextmanager
def own_temporary_files() -> Iterator[None]:
    """Inside the context, all temporary files of this process and its children are in a folder of its own.

    They are those of Beam and TensorFlow too, which leave some behind where a process is ended without Python's
    shutdown. It is for processes that run one command: the folder for temporary files is a setting of the process.
    """
    before = tempfile.tempdir, os.environ.get("TMPDIR")
    try:
        folder = OwnedFolder("process")
    except OSError:
        # Commands that need no temporary files work without a place for them.
        yield
        return
    tempfile.tempdir = os.environ["TMPDIR"] = str(folder.path)
    try:
        yield
    finally:
        tempfile.tempdir = before[0]
        os.environ.pop("TMPDIR")
        if before[1] is not None:
            os.environ["TMPDIR"] = before[1]
        folder.remove()


def shared_temporary_folder() -> str:
    """Returns the folder for temporary files of the machine, in which this process may have one of its own."""
    own = Path(tempfile.gettempdir())
    return str(own.parent if own.name.startswith(PREFIX) else own)


def _remove_abandoned(prefix: str) -> None:
    """Removes this user's folders with a prefix that no process has locked."""
    for path in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        with contextlib.suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                found = os.fstat(descriptor)
                if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and _lock(descriptor):
                    shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(descriptor)


def _lock(descriptor: int) -> bool | None:
    """Locks a folder until all copies of its descriptor are closed.

    Returns:
        False if another process has locked it; None if the filesystem has no such locks.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True
