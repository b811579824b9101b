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
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tests.faults.in_process import expect
from tests.faults.trial import Trial
from tests.sealed import HOSTILE, at, changed, places, sealed
from textgen.dataset.storage.framing import AFTER_RECORD, BEFORE_RECORD, frame
from textgen.dataset.storage.records import Records

_TEXT = "the sea is wide and the ship is small, said the old man of the sea. "
_LISTS = {"inputs.jsonl": "inputs", "vocabulary.jsonl": "vocabulary", "passed_over.jsonl": "passed_over"}
_CONTENTS: tuple[bytes, ...] = (
    b"", b"\n", b"{}\n", b"[]\n", b"null\n", b"[" * 100_000, b"\xff\xfe\n", b"\x00\n", b"\xef\xbb\xbf[]\n",
    b'"' + b"x" * 3_000_000 + b'"\n', b"\x1b[2J\n", b"9" * 5_000 + b"\n",
)  # fmt: skip
_RECORDS: dict[str, Callable[[bytes], bytes]] = {
    "of empty records": lambda record: b"",
    "of halves of records": lambda record: record[: len(record) // 2],
    "of records and a byte more": lambda record: record + b"\0",
    "of records twice as long": lambda record: record * 2,
    "of records that end in the largest number": lambda record: record[:-4] + b"\xff" * 4,
    "of records that begin with the largest number": lambda record: b"\xff" * 4 + record[4:],
    "of records of ones": lambda record: b"\xff" * len(record),
}
"""Changes of each record of a shard, whose framing stays right."""

_TOUCHES = ("open", "os.listdir", "os.scandir", "os.remove", "os.rename", "os.rmdir", "shutil.rmtree")

_SHARE = 13
"""Without `full`, one change in so many is tried."""

_COMMANDS_EVERY = 10
"""With `full`, the commands are run for one in so many changes of a kind of file; else for the first."""

_PARTS = 8
"""With `full`, the changes of a layout are tried in so many trials."""

_CHOICES = ("window", "stride")
"""Settings of a dataset in spans that choose other pairs, of which each is a right one."""


class _Change(NamedTuple):
    """A changed file: its name, where, and its new content or, of the manifest, its new values."""

    name: str
    where: str
    content: Any

    @property
    def kind(self) -> str:
        """The kind of file: all shards are of one."""
        return ".tfrecord" if self.name.endswith(".tfrecord") else self.name


def trials(full: bool) -> Iterator[Trial]:
    """Yields the trials; a share of them unless `full`."""
    for layout in ("spans", "pairs") if full else ("spans",):
        for number in range(_PARTS if full else 1):
            try_all = functools.partial(_try_all, layout, number, full)
            yield Trial(f"values of all files, {layout}, share {number + 1}", try_all, 3600 if full else 180)


def _try_all(layout: str, number: int, full: bool, folder: Path) -> None:
    """Tries a share of all changes: reads each dataset, and runs the commands for some."""
    data, run = _make(folder, layout)
    victim = folder / "x"
    victim.mkdir()
    (victim / "photo").write_bytes(b"precious")
    right = _served(data)
    touched = _watch(victim)
    seen: Counter[tuple[str, bool]] = Counter()
    for change in list(_changes(data))[number :: _PARTS if full else _SHARE]:
        tampered = folder / "tampered"
        shutil.copytree(data, tampered)
        _write(tampered, change)
        told = f"{change.name} {change.where}"
        accepted = _read(tampered, right, change, told)
        kind = (change.kind, accepted)
        if seen[kind] == 0 or (full and seen[kind] % _COMMANDS_EVERY == 0):
            trains = accepted and (full or not any(was_accepted for _, was_accepted in seen))
            _run_commands(tampered, run, told, trains=trains)
        seen[kind] += 1
        assert not touched, f"{told}: {touched[:3]}"
        shutil.rmtree(tampered)


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
    shards = sorted(path.name for path in data.glob("*.tfrecord"))
    for name in (*_LISTS, *shards):
        for content in _CONTENTS:
            yield _Change(name, f"is {content[:12]!r}", content)
    for name in shards:
        records = _records((data / name).read_bytes())
        for what, change in _RECORDS.items():
            yield _Change(name, what, _framed([change(record) for record in records]))


def _others(value: Any) -> Iterator[Any]:
    yield from HOSTILE
    if type(value) is int:
        yield from (value + 1, value - 1, 2 * value, 0, 2**31, 2**53)


def _records(data: bytes) -> list[bytes]:
    """Returns the records of a shard."""
    records, start = [], BEFORE_RECORD
    while start < len(data):
        end = start + int.from_bytes(data[start - BEFORE_RECORD : start - 4], "little")
        records.append(data[start:end])
        start = end + AFTER_RECORD + BEFORE_RECORD
    return records


def _framed(records: list[bytes]) -> bytes:
    lengths = np.array([len(record) for record in records])
    data = np.frombuffer(b"".join(records), np.uint8)
    return bytes(frame(Records(data, np.cumsum(lengths), np.ones_like(lengths)))[0])


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
    with contextlib.suppress(ValueError, TypeError, IndexError, KeyError, RecursionError):
        if change.name == "vocabulary.jsonl":
            tokens = [json.loads(line)[0] for line in change.content.splitlines()]
            manifest["tokens_sha256"] = hashlib.sha256(json.dumps(tokens).encode()).hexdigest()
    for report in manifest["units"]:
        for shard in report["shards"]:
            if shard["name"] == change.name:
                block = [len(change.content), shard["records"], shard["pairs"], zlib.crc32(change.content)]
                shard.update(bytes=len(change.content), sha256=sha256, blocks=[block])
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


def _watch(victim: Path) -> list[str]:
    """Returns a list to which each path in a folder is added that this process opens, lists, renames or removes."""
    touched: list[str] = []

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _TOUCHES:
            # Without a look at the files, which would be an event in turn.
            paths = (os.path.abspath(str(each)) for each in arguments[:2])  # noqa: PTH100
            touched.extend(path for path in paths if path.startswith(str(victim)))

    # It stays for good: the process is that of one trial.
    sys.addaudithook(hook)
    return touched
