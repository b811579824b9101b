"""Trials of changed runs: each change ends in one clear line, or changes nothing that matters."""

import copy
import functools
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.faults.in_process import expect
from tests.faults.trial import Trial

_TEXT = "the sea is wide and the ship is small, said the old man of the sea. "

_VALUES: tuple[Any, ...] = (
    None, -1, "x\x1b[2J\u202e", [], 10**30, True, 0, 1e300, float("nan"), 2**40, 0.5, "", "../../etc/passwd",
    "\ud800", {}, [[]], [1, "a"], "9" * 5000,
)  # fmt: skip
_FEW = 4
"""Number of values per field of a trial; without `full` there is one such trial."""

_EVERY = 7
"""Without `full`, one in so many changes of files is tried."""


def trials(full: bool) -> Iterator[Trial]:
    """Yields the trials; a share of them unless `full`."""
    for number in range(-(-len(_VALUES) // _FEW) if full else 1):
        values = _VALUES[number * _FEW : (number + 1) * _FEW]
        yield Trial(f"fields of run.json, values {number + 1}", functools.partial(_fields, values), 600)
    for name, changes in _CHANGES.items():
        yield Trial(name, functools.partial(_files, name, 1 if full else _EVERY), 240 + 20 * len(changes))


def _make(folder: Path) -> Path:
    """Makes a dataset and a run in a folder, and returns the run's."""
    (folder / "text").mkdir()
    for number in range(12):
        (folder / "text" / f"{number}.txt").write_text(f"{number} {_TEXT * 3}")
    settings = ["--vocabulary-size", "40", "--window", "6", "--split-by", "tail"]
    expect(folder, 0, "prepare", "--input", f"{folder}/text/*.txt", "--output", f"{folder}/data", *settings)
    sizes = ["--embedding", "4", "--units", "4", "--batch-size", "16", "--epochs", "2", "--sample-tokens", "4"]
    run = folder / "run"
    expect(folder, 0, "train", "--data", f"{folder}/data", "--output", f"{run}", *sizes, "--validate-every", "8")
    return run


def _fields(values: tuple[Any, ...], folder: Path) -> None:
    """Tries every field of run.json with several values, without the field, and beside an unknown one."""
    from textgen.api.run import load_run
    from textgen.errors import UserError

    run = _make(folder)
    sound = json.loads((run / "run.json").read_text())
    for path in _paths(sound):
        for change in (*values, _without, _beside):
            changed = copy.deepcopy(sound)
            _set(changed, path, change)
            (run / "run.json").write_text(json.dumps(changed))
            told = f"{path} = {change!r:.60}"
            try:
                load_run(run)
            except UserError as error:
                assert str(error).isprintable(), told
                continue
            except Exception as error:
                raise AssertionError(f"{told}: {type(error).__name__}: {error}") from error
            if path[0] != "train" and changed != sound:
                expect(told, None, "generate", f"{run}", "--tokens", "3")


def _without(parent: dict[str, Any], key: str) -> None:
    del parent[key]


def _beside(parent: dict[str, Any], key: str) -> None:
    parent[f"{key}\x1b"] = 1


def _paths(value: dict[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, each in value.items():
        yield (*above, key)
        if isinstance(each, dict):
            yield from _paths(each, (*above, key))


def _set(values: dict[str, Any], path: tuple[str, ...], change: Any) -> None:
    for key in path[:-1]:
        values = values[key]
    if callable(change):
        change(values, path[-1])
    else:
        values[path[-1]] = change


def _files(name: str, every: int, folder: Path) -> None:
    """Tries changes of a run's files: commands refuse them, or are as right as before."""
    sound = _make(folder)
    generate = ("generate", "{run}", "--tokens", "8", "--prompt", "the")
    evaluate = ("evaluate", "{run}", "--data", f"{folder}/data", "--split", "validation")
    resume = ("train", "--data", f"{folder}/data", "--output", "{run}", "--resume", "--epochs", "3")
    right = {words: expect("sound", 0, *_in(sound, words)) for words in (generate, evaluate)}
    for number, (change, wanted) in enumerate(list(_CHANGES[name].items())[::every]):
        run = folder / f"changed-{number}"
        shutil.copytree(sound, run)
        change(run)
        for words in (generate, evaluate):
            shown = expect(change, None if wanted is None else wanted[0], *_in(run, words))
            assert "error: " in shown or shown == right[words], (change, shown)
        expect(change, None if wanted is None else wanted[1], *_in(run, resume))


def _in(run: Path, words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word.replace("{run}", str(run)) for word in words)


def _exchange(run: Path) -> None:
    """Exchanges two rows of the vocabulary."""
    first, second, *rest = (run / "vocabulary.jsonl").read_text().splitlines(keepends=True)
    (run / "vocabulary.jsonl").write_text("".join([second, first, *rest]))


def _escape(run: Path) -> None:
    """Puts an escape of terminals into a token."""
    first, *rest = (run / "vocabulary.jsonl").read_text().splitlines(keepends=True)
    (run / "vocabulary.jsonl").write_text(first.replace('["', '["\\u001b[2J') + "".join(rest))


def _cut(run: Path) -> None:
    lines = (run / "vocabulary.jsonl").read_text().splitlines(keepends=True)
    (run / "vocabulary.jsonl").write_text("".join(lines[:-1]))


def _replace(name: str, content: bytes | str, run: Path) -> None:
    """Replaces files by content, or by something that is no file."""
    for path in list(run.glob(name)):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        if content == "pipe":
            os.mkfifo(path)
        elif content == "folder":
            (path / "inside").mkdir(parents=True)
        elif content == "link":
            path.symlink_to("/dev/zero")
        elif isinstance(content, bytes):
            path.write_bytes(content)


def _flip(name: str, run: Path) -> None:
    for path in run.glob(name):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 4
        path.write_bytes(content)


def _lengthen(name: str, run: Path) -> None:
    for path in run.glob(name):
        os.truncate(path, 1 << 40)


def _lead_out(name: str, run: Path) -> None:
    """Moves a folder out of the run, and puts a link in its place."""
    outside = run.with_name(f"{run.name}-outside-{name}")
    (run / name).rename(outside)
    (run / name).symlink_to(outside)


_Change = Callable[[Path], None]
_OTHERS: tuple[bytes | str, ...] = ("pipe", "folder", "link", b"", b"\x00\xff binary \x80", b"[" * 100_000)
_BESIDE = ("history.csv", "samples.jsonl", "curves.png", "tensorboard/events*")

_CHANGES: dict[str, dict[_Change, tuple[int, int] | None]] = {
    "vocabulary of a run": {
        **dict.fromkeys((_exchange, _escape, _cut), (2, 2)),
        **{functools.partial(_replace, "vocabulary.jsonl", content): None for content in _OTHERS},
    },
    "checkpoints of a run": {
        **{functools.partial(_replace, f"*/ckpt-*.{end}*", content): (2, 2)
           for end in ("index", "data") for content in _OTHERS},
        **{functools.partial(_flip, f"*/ckpt-*.{end}*"): None for end in ("index", "data")},
        **{functools.partial(_lengthen, f"*/ckpt-*.{end}*"): (2, 2) for end in ("index", "data")},
        functools.partial(_lead_out, "best"): (2, 2),
        functools.partial(_lead_out, "last"): (0, 2),
        functools.partial(_replace, "best", b""): (2, 2),
    },
    "history, samples, curves and events of a run": {
        **{functools.partial(_replace, name, content): (0, 0) for name in _BESIDE for content in _OTHERS},
        **{functools.partial(_flip, name): (0, 0) for name in _BESIDE},
        functools.partial(_replace, "tensorboard", b""): (0, 0),
        functools.partial(_lead_out, "tensorboard"): (0, 0),
    },
}  # fmt: skip
"""Changes of files by kind; with the exit codes of `generate` and `evaluate`, and of `train --resume`, if known."""
