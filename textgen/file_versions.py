"""Identifies versions of files without reading them."""

import contextlib
from datetime import datetime
from typing import Any, NamedTuple

_MODIFIED_KEYS = ("mtime", "LastModified", "last_modified", "updated")
"""Names that drivers give to the time of the last change."""

_TAG_KEYS = ("ETag", "etag", "generation", "blob_id", "Content-MD5", "Last-Modified", "created")
"""Names that drivers give to what differs between versions of a file; the first that is there is used."""


class Stamp(NamedTuple):
    """Identifies a version of a file without reading it.

    Attributes:
        size: in bytes.
        modified: time of the last change, in seconds since 1970; 0 where the store does not keep it.
    """

    size: int
    modified: float


class Version(NamedTuple):
    """Identifies a version of a file without reading it, more closely than its stamp.

    Attributes:
        stamp: its size and time.
        tag: text that differs between versions with the same stamp: of a file of this machine, the time of the last
            change of its inode, which no user can set; of a remote one, its ETag or what the store gives instead,
            empty where it gives nothing.
    """

    stamp: Stamp
    tag: str


def version_in(driver: Any, info: dict[str, Any]) -> Version:
    """Returns the version of a file, given fsspec's driver of its store and what the driver says about the file."""
    modified = next((info[key] for key in _MODIFIED_KEYS if info.get(key)), None)
    if modified is None:
        with contextlib.suppress(NotImplementedError):
            modified = driver.modified(info["name"])
    if isinstance(modified, str):
        modified = datetime.fromisoformat(modified.replace("Z", "+00:00"))
    if isinstance(modified, datetime):
        modified = modified.timestamp()
    tag = next((info[key] for key in _TAG_KEYS if info.get(key)), "")
    return Version(Stamp(info["size"] or 0, float(modified or 0)), str(tag))
