"""Trials of changed datasets: every value of every file, with right checksums, as a stranger can make them.

Each command ends in 0 with the right data, or in one clear line, and touches nothing outside of the dataset.
"""

import contextlib
import functools
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from tests.faults.in_process import expect
from tests.faults.trial import Trial
from tests.sealed import HOSTILE, at, changed, places, sealed

_TEXT = "the sea is wide and the ship is small, said the old man of the sea. "
_LISTS = {"inputs.jsonl": "inputs", "vocabulary.jsonl": "vocabulary", "passed_over.jsonl": "passed_over"}
_CONTENTS: tuple[bytes, ...] = (
    b"", b"\n", b"{}\n", b"[]\n", b"null\n", b"[" * 100_000, b"\xff\xfe\n", b"\x00\n", b"\xef\xbb\xbf[]\n",
    b'"' + b"x" * 3_000_000 + b'"\n', b"\x1b[2J\n", b"9" * 5_000 + b"\n",
)  # fmt: skip
_SHARE, _COMMANDS_EVERY = 29, 25
"""Without `full`, one change in so many is tried; and the commands are run for one in so many of those tried."""

_CHOICES = ("window", "stride")
"""Settings of a dataset in spans that choose other pairs, of which each is a right one."""


class _Change(NamedTuple):
    """A changed file: its name, where, and its new content or, of the manifest, its new values."""

    name: str
    where: str
    content: Any


def trials(full: bool) -> Iterator[Trial]:
    """Yields the trials; a share of them unless `full`."""
    for layout in ("spans", "pairs") if full else ("spans",):
        for number in range(8 if full else 1):
            share = (number, 8) if full else (3, _SHARE)
            name = f"values of all files, {layout}, share {number + 1}"
            yield Trial(name, functools.partial(_try_all, layout, *share), 3600 if full else 120)


def _try_all(layout: str, offset: int, every: int, folder: Path) -> None:
    """Tries one in `every` changes: reads the dataset, and runs the commands for some."""
    data, run = _make(folder, layout)
    victim = folder / "x"
    victim.mkdir()
    (victim / "photo").write_bytes(b"precious")
    right = _served(data)
    for number, change in enumerate(list(_changes(data))[offset::every]):
        tampered = folder / "tampered"
        shutil.copytree(data, tampered)
        _write(tampered, change)
        told = f"{change.name} {change.where}"
        with _nothing_outside(victim, told):
            accepted = _read(tampered, right, change, told)
            if accepted or number % _COMMANDS_EVERY == 0:
                _run_commands(tampered, run, told, trains=accepted and number % 2 == 0)
        shutil.rmtree(tampered)
        assert [each.name for each in victim.iterdir()] == ["photo"], told


def _make(folder: Path, layout: str) -> tuple[Path, Path]:
    """Makes a dataset with every kind of file, and a run; returns their folders."""
    text = folder / "text"
    text.mkdir()
    for number in range(12):
        (text / f"{number}.txt").write_text(f"{number} {_TEXT * 3}")
    (text / "empty.txt").touch()
    (text / "again.txt").write_text(f"1 {_TEXT * 3}")
    options = f"--vocabulary-size 40 --window 6 --split-by tail --keep-dropped --duplicates drop --layout {layout}"
    expect("sound", 0, "prepare", "--input", f"{text}", "--output", f"{folder}/data", *options.split())
    expect("sound", 0, *_train(folder / "data", folder / "run"))
    return folder / "data", folder / "run"


def _train(data: Path, run: Path) -> list[str]:
    sizes = "--embedding 4 --units 4 --batch-size 64 --epochs 1 --sample-tokens 4"
    return ["train", "--data", f"{data}", "--output", f"{run}", *sizes.split()]


def _changes(data: Path) -> Iterator[_Change]:
    """Yields the changes: each value by hostile ones and by its neighbours, and each file by other contents."""
    manifest = json.loads((data / "manifest.json").read_bytes())
    for place in places(manifest):
        if place and place[0] != "sha256":
            for value in _others(at(manifest, place)):
                yield _Change("manifest.json", f"{place} = {value!r:.40}", changed(manifest, place, value))
    for name in _LISTS:
        rows = [json.loads(line) for line in (data / name).read_text().splitlines()]
        for index in sorted({0, len(rows) - 1}):
            for place in places(rows[index]):
                for value in _others(at(rows[index], place)):
                    lines = _lines([*rows[:index], changed(rows[index], place, value), *rows[index + 1 :]])
                    yield _Change(name, f"line {index + 1} {place} = {value!r:.40}", lines)
        yield _Change(name, "without its last line", _lines(rows[:-1]))
        yield _Change(name, "with its last line twice", _lines([*rows, rows[-1]]))
        yield _Change(name, "in another order", _lines(rows[::-1]))
    for name in (*_LISTS, *sorted(path.name for path in data.glob("*.tfrecord"))):
        for content in _CONTENTS:
            yield _Change(name, f"is {content[:12]!r}", content)


def _others(value: Any) -> Iterator[Any]:
    yield from HOSTILE
    if type(value) is int:
        yield from (value + 1, value - 1, 2 * value, 0, 2**31, 2**53)


def _lines(rows: list[Any]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode(errors="surrogatepass")


def _write(data: Path, change: _Change) -> None:
    """Writes a change, and the checksums that belong to it."""
    if change.name == "manifest.json":
        (data / change.name).write_bytes(sealed(change.content))
        return
    (data / change.name).write_bytes(change.content)
    manifest, sha256 = json.loads((data / "manifest.json").read_bytes()), hashlib.sha256(change.content).hexdigest()
    if change.name in _LISTS:
        manifest[f"{_LISTS[change.name]}_sha256"] = sha256
    with contextlib.suppress(ValueError, TypeError, IndexError, KeyError):
        if change.name == "vocabulary.jsonl":
            tokens = [json.loads(line)[0] for line in change.content.splitlines()]
            manifest["tokens_sha256"] = hashlib.sha256(json.dumps(tokens).encode()).hexdigest()
    for report in manifest["units"]:
        for shard in report["shards"]:
            if shard["name"] == change.name:
                shard.update(bytes=len(change.content), sha256=sha256)
    fingerprint = {
        "config": manifest["config"], "inputs": manifest["inputs_sha256"], "manifest": manifest["version"],
        "tensorflow-text": version("tensorflow-text"),
    }  # fmt: skip
    manifest["fingerprint"] = hashlib.sha256(json.dumps(fingerprint, sort_keys=True).encode()).hexdigest()
    (data / "manifest.json").write_bytes(sealed(manifest))


def _served(data: Path) -> list[bytes]:
    """Returns the pairs of all splits, sorted."""
    from textgen.dataset import read_pairs

    pairs = read_pairs(data, split="all", batch_size=64, drop_remainder=False, seed=None)
    return sorted(
        x.tobytes() + y.tobytes() for xs, ys in pairs.as_numpy_iterator() for x, y in zip(xs, ys, strict=True)
    )


def _read(data: Path, right: list[bytes], change: _Change, told: str) -> bool:
    """Reads all pairs and verifies the dataset; returns whether its manifest is accepted."""
    from textgen.dataset import read_manifest, verify
    from textgen.errors import user_error

    for read in (read_manifest, verify, _served):
        try:
            found = read(data)
        except Exception as error:
            # tf.data wraps the error of a block.
            line = user_error(error)
            if line is None:
                raise AssertionError(f"{told}: {read.__name__}: {type(error).__name__}: {error}") from error
            assert str(line).isprintable() and len(str(line)) < 3_000, told
            if read is read_manifest:
                return False
        else:
            chosen = any(f"'config', '{name}'" in change.where for name in _CHOICES)
            assert read is not _served or chosen or found == right, f"{told}: other pairs are served"
    return True


def _run_commands(data: Path, run: Path, told: str, *, trains: bool) -> None:
    """Runs the commands on a dataset, whose first shard is lost for the repair."""
    expect(told, None, "verify", f"{data}")
    expect(told, None, "inspect", f"{data}")
    expect(told, None, "evaluate", f"{run}", "--data", f"{data}", "--split", "validation")
    if trains:
        made = data.with_name("trained")
        if "error: " not in expect(told, None, *_train(data, made)):
            expect(told, 0, "generate", f"{made}", "--tokens", "3")
        shutil.rmtree(made, ignore_errors=True)
    next(iter(sorted(data.glob("*.tfrecord")))).unlink()
    if "inputs.jsonl" in told:
        # Without consent, no file that it names may be opened.
        expect(told, 2, "repair", f"{data}")
    else:
        expect(told, None, "repair", f"{data}", "--yes")


_watched: list[str] = []
"""Beginnings of paths that must not be opened or removed; an audit hook stays for good."""


@contextlib.contextmanager
def _nothing_outside(victim: Path, told: str) -> Iterator[None]:
    """Checks that nothing in a folder is opened, renamed or removed."""
    touched: list[str] = []

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if _watched and event in ("open", "os.remove", "os.rename", "os.rmdir", "os.listdir", "shutil.rmtree"):
            touched.extend(str(each) for each in arguments[:2] if os.path.abspath(str(each)).startswith(_watched[-1]))

    if not getattr(_nothing_outside, "hook", None):
        sys.addaudithook(lambda *all_: _nothing_outside.hook(*all_))  # type: ignore[attr-defined]
    _nothing_outside.hook = watch  # type: ignore[attr-defined]
    _watched.append(str(victim))
    try:
        yield
    finally:
        _watched.clear()
    assert not touched, f"{told}: {touched[:3]}"
