"""Recognizes the folders that this project writes, which are never read as text: datasets and runs."""

import os
from collections.abc import Set

from textgen import files, locks
from textgen.dataset.storage.manifest import FILE_NAME, SHARD_NAME, WORK_FOLDER
from textgen.files import is_remote, join

_RUN_FILE = "run.json"
_PLAN = "plan.json"
_MARKS = {FILE_NAME: b'"vocabulary_sha256"', _RUN_FILE: b'"tokens_sha256"', locks.NAME: b'"process_start"'}
"""Files that make a folder a dataset or a run, or show that one begins there, and what stands near their start."""

_HEAD_BYTES = 1 << 16


def is_own_folder(directory: str, names: Set[str]) -> bool:
    """Returns whether a folder is a dataset or a run, complete, damaged or of a process that was killed.

    Args:
        directory: path or URL of the folder.
        names: names of what is directly in it.
    """
    if any(SHARD_NAME.fullmatch(name) for name in names):
        return True
    if WORK_FOLDER in names and files.size(join(directory, WORK_FOLDER, _PLAN)) is not None:
        return True
    return any(mark in _head(join(directory, name)) for name, mark in _MARKS.items() if name in names)


def is_within(path: str, folder: str) -> bool:
    """Returns whether a path is a folder or lies in it, links followed on this machine."""
    path, folder = _real(path), _real(folder)
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _real(path: str) -> str:
    return path.rstrip("/") if is_remote(path) else os.path.realpath(join(path))


def _head(path: str) -> bytes:
    try:
        return files.read_head(path, _HEAD_BYTES)
    except OSError:
        # It is counted as unreadable, or as a broken link, where files are checked.
        return b""
