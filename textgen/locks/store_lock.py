"""The file of a lock at a URL, in a store that may have a conditional write.

Google's store and fsspec's memory refuse to create an object that is there. At other stores, those with the interface
of S3 included, two processes may write at the same moment; the one whose record is there a moment later has the lock.
An owner that has ended is replaced by the one process that creates a marker named after its token.
"""

import contextlib
import hashlib
import inspect
import threading
import time
from typing import Any

from textgen import remote_files, store_drivers
from textgen.files import join
from textgen.locks.lock_file import NAME, Seen
from textgen.locks.owners import MAX_BYTES, Owner, parse

_CONDITIONAL = {"gs", "gcs", "memory"}
"""Schemes whose driver refuses to create an object that is there. `s3` does too, but other stores with the interface
of S3 may ignore the condition."""

SETTLE_SECONDS = 2.0
"""Time after which the record of the last of several processes is there, in stores without a conditional write."""

MARKER_SECONDS = 60.0
"""Time after which the marker of a process that was killed while it took over a lock is removed."""


class StoreLockFile:
    """The file of a lock at a URL."""

    _in_process = threading.Lock()
    """In fsspec's memory, two threads could create the same object."""

    def __init__(self, folder: str):
        self.path = join(folder, NAME)
        self._driver, _ = remote_files.connect(folder)
        self._markers: dict[str, float] = {}

    def create(self, owner: Owner) -> bool:
        """Writes the file if there is none; see LockFile."""
        return self._create(self.path, owner)

    def read(self) -> Seen | None:
        """Returns the state of the file; see LockFile."""
        return self._read(self.path)

    def replace(self, seen: Seen, owner: Owner) -> bool:
        """Gives the lock to another owner; see LockFile."""
        marker = f"{self.path}-{hashlib.sha256(seen.content).hexdigest()[:32]}"
        if not self._create(marker, owner):
            self._remove_old(marker)
            return False
        try:
            if self.read() != seen:
                return False
            self._write(self.path, owner)
            return self._is_settled(self.path, owner)
        finally:
            self._remove(marker)

    def renew(self, owner: Owner) -> bool:
        """Writes the file again, with another number of renewals; see LockFile."""
        seen = self.read()
        if seen is None:
            return self.create(owner)
        if seen.token != owner.token:
            return False
        self._write(self.path, owner)
        return True

    def remove(self, owner: Owner) -> None:
        """Removes the file if it is the owner's; see LockFile."""
        if not store_drivers.is_object_store(self._driver):
            self._remove(self._temporary(owner))
        seen = self.read()
        if seen and seen.token == owner.token:
            self._remove(self.path)

    def _create(self, url: str, owner: Owner) -> bool:
        with self._in_process:
            # Drivers without a conditional write would replace the file.
            if self._read(url) is not None:
                return False
            try:
                self._write(url, owner, create=True)
            except OSError:
                if self._read(url) is None:
                    raise
        return self._is_settled(url, owner)

    def _is_settled(self, url: str, owner: Owner) -> bool:
        if not self._is_conditional:
            time.sleep(SETTLE_SECONDS)
        seen = self._read(url)
        return seen is not None and seen.token == owner.token

    def _read(self, url: str) -> Seen | None:
        stamp = remote_files.stamp(url)
        if stamp is None:
            return None
        if stamp.size > MAX_BYTES:
            # Never a lock; the error says so.
            parse(b"x", url)
        with contextlib.suppress(FileNotFoundError):
            content = remote_files.read(url)
            return Seen(parse(content, url), content, stamp.modified)
        return None

    def _write(self, url: str, owner: Owner, *, create: bool = False) -> None:
        temporary = self._temporary(owner)
        if create:
            mode = {"mode": "create"} if self._has_mode else {}
            remote_files.create(url, owner.to_bytes(), temporary=temporary, **mode)
        else:
            remote_files.write_atomically(url, owner.to_bytes(), temporary=temporary)

    def _temporary(self, owner: Owner) -> str:
        """Returns the URL of an owner's record until it is complete, in a store that has a rename.

        Its name is one of the lock's, as that of a marker is, so that nobody takes it for a file of the folder.
        """
        return f"{self.path}-{hashlib.sha256(owner.token.encode()).hexdigest()[:32]}"

    def _remove(self, url: str) -> None:
        with contextlib.suppress(OSError):
            remote_files.remove(url)

    def _remove_old(self, marker: str) -> None:
        since = self._markers.setdefault(marker, time.monotonic())
        if time.monotonic() - since > MARKER_SECONDS:
            self._remove(marker)
            del self._markers[marker]

    @property
    def _has_mode(self) -> bool:
        """Whether the driver's version knows exclusive creation."""
        return any("mode" in inspect.signature(write).parameters for write in self._writers)

    @property
    def _is_conditional(self) -> bool:
        return self._has_mode and not _CONDITIONAL.isdisjoint(store_drivers.protocols(self._driver))

    @property
    def _writers(self) -> list[Any]:
        # Drivers that run in an event loop declare their arguments at the coroutine.
        found = [getattr(self._driver, name, None) for name in ("_pipe_file", "pipe_file")]
        return [each for each in found if each is not None]
