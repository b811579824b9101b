"""Trials of full disks, at every level: working files, shards, the manifest, checkpoints, histories and events.

A disk is a small filesystem in memory, where this process may mount one. Elsewhere the limit of the size of files
stands for it, which the system reports in the same way.
"""

import ctypes
import fnmatch
import functools
import importlib
import os
import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.faults.commands import again, contents, make_corpus, prepare_words, run, train_words
from tests.faults.trial import CannotTry, Trial

_FILLER = "filler"
_SECONDS = 600.0

PREPARED = {
    "working files": "*.documents",
    "shards": "*.tfrecord",
    "vocabulary": "*vocabulary.jsonl",
    "manifest": "*manifest.json",
}
"""Pattern of the file before which the disk is full, by the level."""

TRAINED = {
    "settings of the run": ("textgen.training.output_folder", "make_folder"),
    "history": ("textgen.training.callbacks.history", "History.write"),
    "samples": ("textgen.training.callbacks.samples", "Samples.on_check"),
    "events": ("textgen.training.callbacks.tensorboard", "TensorBoard.on_check"),
    "curves": ("textgen.training.callbacks.curves", "Curves._draw"),
    "checkpoint": ("textgen.training.checkpoints", "Checkpoints._write"),
}
"""Module and function before which the disk is full, by the level."""

_SHARE = ("working files", "shards", "manifest", "events", "checkpoint")


def trials(full: bool) -> Iterator[Trial]:
    """Yields the trials; a share of them unless `full`."""
    for disk, fill in (("a full disk", _fill), ("a limit of file sizes", _limit)):
        for level, pattern in PREPARED.items():
            if full or (level in _SHARE and fill is _fill) or level == "shards":
                yield Trial(f"prepare, {level}: {disk}", functools.partial(_try_prepare, pattern, fill), _SECONDS)
        for level, (module, name) in TRAINED.items():
            if full or (level in _SHARE and fill is _fill):
                yield Trial(f"train, {level}: {disk}", functools.partial(_try_train, module, name, fill), _SECONDS)


def _try_prepare(pattern: str, fill: Callable[[Path], None], folder: Path) -> None:
    corpus, disk = make_corpus(folder), _disk(folder, fill)
    assert run(prepare_words(corpus, folder / "whole")).code == 0
    words = prepare_words(corpus, disk / "data")
    failed = run(words, prepared=functools.partial(_fill_before_file, pattern, disk, fill))
    failed.require_one_line(_reason(fill), "Finished work is kept; run the same command again to continue.")
    _empty(disk)
    assert run(words).code == 0
    assert contents(disk / "data") == contents(folder / "whole")


def _try_train(module: str, name: str, fill: Callable[[Path], None], folder: Path) -> None:
    disk = _disk(folder, fill)
    assert run(prepare_words(make_corpus(folder), folder / "data")).code == 0
    words = train_words(folder / "data", disk / "run")
    failed = run(words, prepared=functools.partial(_fill_before_call, module, name, disk, fill))
    failed.require_one_line(_reason(fill), "run the same command")
    _empty(disk)
    ended = run(again(words))
    assert ended.code == 0, ended


def _disk(folder: Path, fill: Callable[[Path], None]) -> Path:
    disk = folder / "disk"
    disk.mkdir()
    if fill is _fill:
        # In a mount namespace of this process, so that the disk is gone when the trial ends.
        libc = ctypes.CDLL(None, use_errno=True)
        private = libc.unshare(0x00020000) == 0 and libc.mount(b"none", b"/", None, 0x44000, None) == 0
        if not private or libc.mount(b"tmpfs", bytes(disk), b"tmpfs", 0, b"size=16m") != 0:
            raise CannotTry(f"a filesystem cannot be mounted here: {os.strerror(ctypes.get_errno())}")
    return disk


def _fill(disk: Path) -> None:
    """Fills the disk to the last byte."""
    with (disk / _FILLER).open("ab", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while file.write(bytes(size)) == size:
                    pass
            except OSError:
                pass


def _limit(disk: Path) -> None:
    """Lets no file of this process grow from now on."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


def _empty(disk: Path) -> None:
    (disk / _FILLER).unlink(missing_ok=True)


def _reason(fill: Callable[[Path], None]) -> str:
    return "No space left on device" if fill is _fill else "File too large"


def _fill_before_file(pattern: str, disk: Path, fill: Callable[[Path], None]) -> None:
    from textgen import files

    original = files.write_atomically

    def write(path: Any, *arguments: Any, **settings: Any) -> None:
        if fnmatch.fnmatch(str(path), pattern):
            fill(disk)
        original(path, *arguments, **settings)

    files.write_atomically = write


def _fill_before_call(module: str, name: str, disk: Path, fill: Callable[[Path], None]) -> None:
    owner: Any = importlib.import_module(module)
    *classes, method = name.split(".")
    for part in classes:
        owner = getattr(owner, part)
    original = getattr(owner, method)

    def called(*arguments: Any, **settings: Any) -> Any:
        fill(disk)
        return original(*arguments, **settings)

    setattr(owner, method, called)
