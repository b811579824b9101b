"""Tells which process holds the lock of a folder, without taking the lock."""

import time
from typing import NamedTuple

from textgen.locks.folder_lock import LEASE_SECONDS, lock_file_of
from textgen.locks.owners import Condition, Owner


class Holder(NamedTuple):
    """The process that has written the lock of a folder.

    Attributes:
        owner: the process; None where its record was not written to the end.
        is_running: whether it is running, as far as it can be known: one of another machine is if its last sign of
            life is younger than a minute, or if the store does not tell the time of its files.
        silent_seconds: time since its last sign of life; None where the store does not tell.
    """

    owner: Owner | None
    is_running: bool
    silent_seconds: float | None


def holder(directory: str) -> Holder | None:
    """Returns the process that holds the lock of a folder, or held it when it was killed; None if none does.

    Args:
        directory: path or URL of the folder.

    Raises:
        UserError: another file is in the place of the lock.
        OSError: the lock can't be read.
    """
    seen = lock_file_of(directory).read()
    if seen is None:
        return None
    silent = max(0.0, time.time() - seen.modified) if seen.modified else None
    condition = seen.owner.condition() if seen.owner else Condition.ENDED
    is_recent = silent is None or silent < LEASE_SECONDS
    return Holder(
        seen.owner, condition is Condition.RUNNING or (condition is Condition.UNKNOWN and is_recent), silent
    )
