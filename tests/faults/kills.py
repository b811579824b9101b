"""Trials of SIGKILL: at any stage of a command, after which the same command ends as one that was not killed.

Each kill leaves files behind, in the folder and among the temporary ones, of which nothing is left afterwards.
"""

import dataclasses
import functools
import itertools
import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tests.faults.commands import again, contents, make_corpus, prepare_words, run, train_words
from tests.faults.trial import Trial
from textgen import files, runs
from textgen.training.callbacks.history import History

_SECONDS = 600.0

PREPARED = {
    "before anything is written": 0,
    "while the folder is claimed": 2,
    "in the first pass": 6,
    "between the passes": 12,
    "while shards are written": -8,
    "before the manifest": -4,
    "after the manifest": -2,
    "before the last change": -1,
}
"""Number of changes of the folder before the kill, or minus the number of those that are left."""

TRAINED: dict[str, Callable[[Path], bool]] = {
    "before the settings": lambda run: run.exists(),
    "before the first checkpoint": lambda run: (run / "history.csv").exists() or (run / "tensorboard").exists(),
    "within the first checkpoint": lambda run: _exists(run, "last/*_temp") or _exists(run, "last/*.data-*"),
    "within a later checkpoint": lambda run: bool(_steps(run)) and _exists(run, "last/*_temp"),
    "in the second epoch": lambda run: bool(_steps(run)) and max(_steps(run)) >= 40,
    "after the last checkpoint": lambda run: bool(_steps(run)) and max(_steps(run)) >= _LAST_STEP,
}
"""Whether a training is where it is killed, given its folder."""

_LAST_STEP = 62
_TEMPORARY = "temporary"
_UNFINISHED = re.compile(r"tmp$|_temp$|tempstate|^_lock")
"""Names that a finished run has not; how many checkpoints it has depends on the time."""

_TIMES = ("seconds", "spent")
_SHARE = ("while the folder is claimed", "before the manifest")
_TRAINED_SHARE = ("within the first checkpoint", "in the second epoch")


def trials(full: bool) -> Iterator[Trial]:
    """Yields the trials; a share of them unless `full`."""
    for stage, changes in PREPARED.items():
        if full or stage in _SHARE:
            yield Trial(f"prepare, {stage}", functools.partial(_try_prepare, changes), _SECONDS)
    for changes in (1, 5, -3, -1) if full else (-1,):
        yield Trial(f"repair, at change {changes}", functools.partial(_try_repair, changes), _SECONDS)
    for stage in TRAINED:
        if full or stage in _TRAINED_SHARE:
            yield Trial(f"train, {stage}", functools.partial(_try_train, stage), _SECONDS)


def _try_prepare(changes: int, folder: Path) -> None:
    corpus, count = make_corpus(folder), folder / "count"
    assert run(prepare_words(corpus, folder / "whole"), prepared=functools.partial(_count, count)).code == 0
    words = prepare_words(corpus, folder / "data")
    _kill(words, changes, count)
    _require_clean_end(words, folder)
    assert _names(folder / "data") == _names(folder / "whole")
    assert contents(folder / "data") == contents(folder / "whole")


def _try_repair(changes: int, folder: Path) -> None:
    corpus, count = make_corpus(folder), folder / "count"
    for name in ("whole", "first", "data"):
        # The paths of the input are in a dataset's files, that of the output is not.
        assert run(prepare_words(corpus, folder / name)).code == 0
    for name in ("first", "data"):
        (folder / name / "train-000001.tfrecord").unlink()
        (folder / name / "vocabulary.jsonl").unlink()
    assert run(["repair", str(folder / "first"), "--yes"], prepared=functools.partial(_count, count)).code == 0
    _kill(["repair", str(folder / "data"), "--yes"], changes, count)
    _require_clean_end(["repair", str(folder / "data"), "--yes"], folder)
    assert _names(folder / "data") == _names(folder / "whole")
    assert contents(folder / "data") == contents(folder / "whole")


def _try_train(stage: str, folder: Path) -> None:
    assert run(prepare_words(make_corpus(folder), folder / "data")).code == 0
    whole, killed = folder / "whole", folder / "killed"
    assert run(train_words(folder / "data", whole)).code == 0
    words = train_words(folder / "data", killed)
    ended = run(words, kill_when=functools.partial(TRAINED[stage], killed), temporary=folder / _TEMPORARY)
    # The last stage may be over before it is seen.
    assert ended.code == -signal.SIGKILL or (ended.code == 0 and stage == "after the last checkpoint"), ended
    _require_clean_end(again(words), folder)
    _require_same(killed, whole)
    assert [name for name in _names(killed) if _UNFINISHED.search(name)] == []


def _kill(words: list[str], changes: int, count: Path) -> None:
    number = changes if changes >= 0 else len(count.read_bytes()) + changes
    kill = functools.partial(_kill_before, number)
    ended = run(words, prepared=kill, temporary=count.parent / _TEMPORARY)
    assert ended.code == -signal.SIGKILL, ended


def _require_clean_end(words: list[str], folder: Path) -> None:
    """Checks that the same command succeeds after a kill, and that no temporary file of either is left."""
    temporary = folder / _TEMPORARY
    assert list(temporary.iterdir()), "the killed process had a folder for its temporary files"
    ended = run(words, temporary=temporary)
    assert ended.code == 0, ended
    assert list(temporary.iterdir()) == []


def _names(folder: Path) -> set[str]:
    """Returns the names of all files and folders in a folder."""
    return {path.name for path in folder.rglob("*")}


def _count(count: Path) -> None:
    """Lets every change of a folder add a byte to a file."""

    def add() -> None:
        with count.open("ab") as file:
            file.write(b".")

    before_changes(add)


def _kill_before(number: int) -> None:
    """Kills this process before the change of this number, counted from 0."""
    numbers = itertools.count()

    def check() -> None:
        if next(numbers) >= number:
            os.kill(os.getpid(), signal.SIGKILL)

    before_changes(check)


def before_changes(act: Callable[[], None]) -> None:
    """Calls a function before each change of a folder by this process; a file is written then but for its name."""
    for owner, name in ((files, "remove"), (files, "remove_file"), (Path, "replace")):
        setattr(owner, name, _acting(act, getattr(owner, name)))


def _acting(act: Callable[[], None], change: Callable[..., Any]) -> Callable[..., Any]:
    def changing(*arguments: Any, **settings: Any) -> Any:
        act()
        return change(*arguments, **settings)

    return changing


def _exists(run: Path, pattern: str) -> bool:
    return any(run.glob(pattern))


def _steps(run: Path) -> list[int]:
    return [int(path.name.rpartition("-")[2]) for path in runs.checkpoints_in(run / runs.LAST)]


def _require_same(ours: Path, theirs: Path) -> None:
    (our_rows, our_values), (their_rows, their_values) = _result(ours), _result(theirs)
    assert our_rows == their_rows
    assert our_values.keys() == their_values.keys()
    for name, value in our_values.items():
        np.testing.assert_array_equal(value, their_values[name], err_msg=name)


def _result(run: Path) -> tuple[list[Any], dict[str, np.ndarray]]:
    """Returns the rows of the history but for their times, and all that the last checkpoint holds."""
    rows = History(run / "history.csv", until_step=10**9).rows
    reader = tf.train.load_checkpoint(str(runs.checkpoints_in(run / runs.LAST)[0]))
    names = set(reader.get_variable_to_shape_map()) - {"_CHECKPOINTABLE_OBJECT_GRAPH"}
    return (
        [dataclasses.replace(row, seconds=0, pairs_per_second=0, waited=0) for row in rows],
        {name: reader.get_tensor(name) for name in names if not name.startswith(_TIMES)},
    )
