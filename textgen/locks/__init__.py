"""Locks of folders: one process at a time writes a dataset or a run.

The lock is the file `_lock` in the folder, with a record of its owner. A process that ends removes it; one that is
killed leaves it, and the next command takes it over. Commands that only read take no lock and wait for none.
"""

from textgen.locks.folder_lock import Lock, LostLockError, hold, owner_token, require_token
from textgen.locks.holder import Holder, holder
from textgen.locks.lock_file import NAME, is_lock_name

__all__ = [
    "NAME",
    "Holder",
    "Lock",
    "LostLockError",
    "hold",
    "holder",
    "is_lock_name",
    "owner_token",
    "require_token",
]
