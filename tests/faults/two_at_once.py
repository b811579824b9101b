"""Trials of two commands in one folder: one ends as if it were alone, and the other says who holds the folder."""

import functools
import importlib
import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.faults.commands import Ended, contents, make_corpus, prepare_words, run, train_words
from tests.faults.kills import before_changes
from tests.faults.trial import Trial
from textgen.locks.owners import this_process

_SECONDS = 300.0
_WAIT_SECONDS = 50.0
"""Less than the time for which a process waits for a sign of life of an owner whom it can't look up."""

_BEGINNING = 1
_MIDDLE = 8
"""Number of changes of the folder before the first command is held up."""


def trials(full: bool) -> Iterator[Trial]:
    """Yields the trials; a share of them unless `full`."""
    yield Trial("prepare and repair while repair works", _repair, _SECONDS)
    yield Trial("four preparations begin at once", _begin_at_once, _SECONDS)
    if full:
        for changes in (_BEGINNING, _MIDDLE):
            prepare = functools.partial(_prepare, changes)
            yield Trial(f"prepare while prepare is at change {changes}", prepare, _SECONDS)
        yield Trial("prepare, whose lock is taken over before the shards", _prepare_without_lock, _SECONDS)
        for name, make in _NO_LOCKS.items():
            yield Trial(f"prepare, {name} in the place of the lock", functools.partial(_no_lock, make), _SECONDS)
        yield Trial("two preparations after a kill", _after_kill, _SECONDS)
        yield Trial("train and resume while train works", _train, _SECONDS)
        yield Trial("train, whose lock is taken over before a checkpoint", _train_without_lock, _SECONDS)
        yield Trial("prepare, a record of a lock that was never finished", _unfinished_lock, _SECONDS)


def _prepare(changes: int, folder: Path) -> None:
    corpus, data = make_corpus(folder), folder / "data"
    assert run(prepare_words(corpus, folder / "whole")).code == 0
    words = prepare_words(corpus, data)
    with ThreadPoolExecutor(1) as pool:
        first = _held_up(pool, words, changes, folder)
        _require_refused(run([*words, "--window", "4"]), "prepare")
        _require_refused(run(words), "prepare")
        _require_ended(first(), 0)
    assert contents(data) == contents(folder / "whole")


def _repair(folder: Path) -> None:
    corpus, data = make_corpus(folder), folder / "data"
    words = prepare_words(corpus, data)
    _require_ended(run(words), 0)
    whole = contents(data)
    (data / "train-000001.tfrecord").unlink()
    with ThreadPoolExecutor(1) as pool:
        first = _held_up(pool, ["repair", str(data), "--yes"], 0, folder)
        _require_refused(run(words), "repair")
        _require_refused(run(["repair", str(data), "--yes"]), "repair")
        # A command that only reads is not kept waiting, and finds the missing shard.
        _require_ended(run(["verify", str(data)]), 1)
        _require_ended(first(), 0)
    assert contents(data) == whole


def _begin_at_once(folder: Path) -> None:
    corpus, data = make_corpus(folder), folder / "data"
    words = {width: [*prepare_words(corpus, data), "--window", str(width)] for width in (3, 4, 5, 6)}
    ends = _at_once(list(words.values()))
    codes = [ended.code for ended in ends]
    assert sorted(codes) == [0, 2, 2, 2], ends
    winner = list(words)[codes.index(0)]
    _require_ended(run([*prepare_words(corpus, folder / "whole"), "--window", str(winner)]), 0)
    assert contents(data) == contents(folder / "whole")


def _after_kill(folder: Path) -> None:
    corpus, data = make_corpus(folder), folder / "data"
    _require_ended(run(prepare_words(corpus, folder / "whole")), 0)
    words = prepare_words(corpus, data)
    assert run(words, kill_when=(data / "_work").exists).code == -9
    ends = _at_once([words, words])
    assert {ended.code for ended in ends} <= {0, 2}, ends
    assert any(ended.code == 0 and "is taken over" in ended.errors for ended in ends), ends
    assert contents(data) == contents(folder / "whole")


def _train(folder: Path) -> None:
    data, output = folder / "data", folder / "run"
    _require_ended(run(prepare_words(make_corpus(folder), data)), 0)
    words = train_words(data, output)
    with ThreadPoolExecutor(1) as pool:
        first = _held_up(pool, words, _BEGINNING, folder)
        _require_refused(run(words), "train")
        _require_refused(run([*words, "--resume"]), "train", "error: ")
        _require_ended(first(), 0)
    assert not (output / "_lock").exists()


def _prepare_without_lock(folder: Path) -> None:
    data = folder / "data"
    take = functools.partial(_take_before, "pipelines.split_writer", "SplitWriter", "close", data)
    ended = run(prepare_words(make_corpus(folder), data), prepared=take)
    _require_lost(ended)
    assert list(data.glob("*.tfrecord")) == [] and not (data / "manifest.json").exists()


def _train_without_lock(folder: Path) -> None:
    data, output = folder / "data", folder / "run"
    _require_ended(run(prepare_words(make_corpus(folder), data)), 0)
    take = functools.partial(_take_before, "textgen.training.checkpoints", "Checkpoints", "save", output)
    ended = run(train_words(data, output), prepared=take)
    _require_lost(ended)
    assert list(output.glob("*/*.index")) == []


def _take_before(module: str, owner: str, name: str, directory: Path) -> None:
    """Lets another process take over the lock of a folder before each call of a method."""
    found = getattr(importlib.import_module(module), owner)
    method = getattr(found, name)

    def taken(*arguments: Any, **settings: Any) -> Any:
        (directory / "_lock").write_bytes(this_process("repair", folder=0).to_bytes())
        return method(*arguments, **settings)

    setattr(found, name, taken)


def _unfinished_lock(folder: Path) -> None:
    data = folder / "data"
    data.mkdir()
    (data / f"_lock-{'0f' * 16}").write_bytes(b'{"token": "0f')
    begun = time.monotonic()
    _require_ended(run(prepare_words(make_corpus(folder), data)), 0)
    assert time.monotonic() - begun < _WAIT_SECONDS
    assert not list(data.glob("_lock*"))


def _no_lock(make: Callable[[Path], None], folder: Path) -> None:
    data = folder / "data"
    data.mkdir()
    make(data / "_lock")
    ended = run(prepare_words(make_corpus(folder), data))
    _require_ended(ended, 2)
    assert "Traceback" not in ended.errors, ended.errors
    assert [path.name for path in data.iterdir()] == ["_lock"]
    assert (folder / "other").read_text() == "kept" if (data / "_lock").is_symlink() else True


def _link(path: Path) -> None:
    (path.parent.parent / "other").write_text("kept")
    path.symlink_to("../other")


def _foreign_file(path: Path) -> None:
    path.write_text("locked")


def _large_file(path: Path) -> None:
    path.touch()
    os.truncate(path, 1 << 40)


_NO_LOCKS: dict[str, Callable[[Path], None]] = {
    "a link": _link,
    "a folder": Path.mkdir,
    "a pipe": os.mkfifo,
    "a file of another program": _foreign_file,
    "a large file": _large_file,
}


def _held_up(pool: ThreadPoolExecutor, words: list[str], changes: int, folder: Path) -> Callable[[], Ended]:
    """Begins a command and returns when it waits before a change of its folder.

    Returns:
        a function that lets the command go on, and returns its end.
    """
    reached, go = folder / "reached", folder / "go"
    first = pool.submit(run, words, prepared=functools.partial(_wait_before, changes, reached, go))
    while not reached.exists():
        assert not first.done(), first.result()
        time.sleep(0.01)

    def end() -> Ended:
        go.touch()
        return first.result()

    return end


def _wait_before(number: int, reached: Path, go: Path) -> None:
    numbers = itertools.count()

    def wait() -> None:
        if next(numbers) == number:
            reached.touch()
            deadline = time.monotonic() + _SECONDS
            while not go.exists() and time.monotonic() < deadline:
                time.sleep(0.01)

    before_changes(wait)


def _at_once(commands: list[list[str]]) -> list[Ended]:
    together = threading.Barrier(len(commands))

    def begin(words: list[str]) -> Ended:
        together.wait()
        return run(words)

    with ThreadPoolExecutor(len(commands)) as pool:
        return list(pool.map(begin, commands))


def _require_ended(ended: Ended, code: int) -> None:
    assert ended.code == code, ended


def _require_lost(ended: Ended) -> None:
    _require_ended(ended, 2)
    assert "Traceback" not in ended.errors, ended.errors
    assert "is not written any more by this process" in ended.errors, ended.errors
    assert "has taken it over" in ended.errors, ended.errors


def _require_refused(ended: Ended, owner: str, *words: str) -> None:
    assert ended.code == 2, ended
    assert "Traceback" not in ended.errors, ended.errors
    for word in (f"is being written by `textgen {owner}`, process ", *words):
        assert word in ended.errors, ended.errors
