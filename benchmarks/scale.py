"""Time and memory of the parts of a preparation that do not run on workers, for many units, without their text.

    python benchmarks/scale.py [--units 1000000] [--blocks 1] [--latency 0.02] [--only NAME]

Each part runs in a process of its own: the plan of that many files, the size of the job that reaches an engine, the
look at what an interrupted run has left at a store with latency, the manifest's commit and load, and the order of an
epoch. The store is fsspec's memory, whose every request waits, and lists 1,000 names per request. Prints a Markdown
table.
"""

import argparse
import json
import multiprocessing
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
from fsspec.implementations.memory import MemoryFileSystem

from pipelines import claims
from pipelines.jobs import ProcessUnits
from pipelines.plan import Plan
from pipelines.workspace import SHARDS, TOKENS, Workspace
from textgen.config import SPLITS, PrepareConfig, TextConfig
from textgen.corpus.readers.base import FileRange, InputFile
from textgen.corpus.units import Unit
from textgen.dataset.loading.shuffle import blocks_per_group, epoch_order
from textgen.dataset.storage.blocks import locate_blocks
from textgen.dataset.storage.manifest import Manifest, UnitReport, parse
from textgen.dataset.storage.shards import Block, Blocks, Shard
from textgen.dataset.storage.split_counts import SplitCounts

CONFIG = PrepareConfig(text=TextConfig())
UNIT_BYTES = 4 << 20
PAGE = 1000


class SlowStore(MemoryFileSystem):
    """Files in memory, each request to which takes a while."""

    protocol = "slow"
    store: dict[str, Any] = {}
    pseudo_dirs = [""]
    latency = 0.02
    requests = 0
    sizes: dict[str, int] = {}
    _lock = threading.Lock()

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return super()._strip_protocol(path.removeprefix("slow://"))

    def _wait(self, requests: int = 1) -> None:
        with self._lock:
            SlowStore.requests += requests
        time.sleep(self.latency * requests)

    def ls(self, path: str, detail: bool = True, **options: Any) -> Any:
        prefix = self._strip_protocol(path) + "/"
        names = [name for name in self.sizes if name.startswith(prefix) and "/" not in name[len(prefix) :]]
        self._wait(1 + len(names) // PAGE)
        return [{"name": name, "size": self.sizes[name], "type": "file", "created": "1"} for name in names]

    def info(self, path: str, **options: Any) -> dict[str, Any]:
        self._wait()
        name = self._strip_protocol(path)
        if name not in self.sizes:
            raise FileNotFoundError(name)
        return {"name": name, "size": self.sizes[name], "type": "file", "created": "1"}

    def modified(self, path: str) -> float:
        return 0.0

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **options: Any) -> bytes:
        self._wait()
        name = self._strip_protocol(path)
        if name.endswith(".json") and name.rpartition("/")[2][:6].isdigit():
            unit = int(name.rpartition("/")[2].partition(".")[0])
            return json.dumps(report(unit, 1).to_json()).encode()
        raise FileNotFoundError(name)


def input_files(count: int) -> tuple[InputFile, ...]:
    return tuple(InputFile(f"gs://bucket/texts/part-{i:07d}.txt", UNIT_BYTES, 1.7e9, "lines") for i in range(count))


def report(unit: int, blocks: int) -> UnitReport:
    """The report of a unit with a shard for each split, as a real one has it."""
    shards = [
        Shard(
            name=f"{split}-{unit:06d}.tfrecord", split=split, unit=unit,
            records=16_384 * blocks, pairs=16_384 * blocks,
            bytes=1_505_000 * blocks, sha256=f"{unit:064x}",
            blocks=Blocks([Block(1_505_000, 16_384, 16_384, unit * 4001 % (1 << 32))] * blocks),
        )
        for split in SPLITS
    ]  # fmt: skip
    counts = {
        split: SplitCounts(
            documents=100, tokens=16_384 * blocks - 100, pairs=16_384 * blocks, characters=9, unknown=9
        )
        for split in SPLITS
    }
    return UnitReport(unit=unit, bytes=UNIT_BYTES, documents=300, kept=300, splits=counts, shards=shards)


def plan(units: int, blocks: int) -> str:
    made = Plan(CONFIG, input_files(units))
    size = len(made.inputs())
    found = made.units(unit_bytes=UNIT_BYTES)
    made.fingerprint()
    return f"{len(found):,} units, inputs.jsonl {size / 1e6:,.0f} MB"


def job_size(units: int, blocks: int) -> str:
    import apache_beam as beam

    work = _Work()
    with tempfile.TemporaryDirectory() as folder:
        pipeline = beam.Pipeline()
        listed = [Unit(i, (FileRange(file, 0, UNIT_BYTES),)) for i, file in enumerate(input_files(units))]
        _ = pipeline | ProcessUnits(listed, work, Workspace(folder))
        size = len(pipeline.to_runner_api().SerializeToString())
    return f"job of {size / 1e6:,.3f} MB"


class _Work:
    stage = TOKENS

    def setup(self) -> None:
        pass

    def process(self, unit: Unit) -> dict[str, Any]:
        return {}


def resume(units: int, blocks: int) -> str:
    """The look at the shards of an interrupted run, all of which are there."""
    workspace = _store(units, blocks)
    claims._forget_lost_shards(workspace)
    return f"{SlowStore.requests:,} requests"


def is_complete(units: int, blocks: int) -> str:
    """The look at the files of a complete dataset."""
    workspace = _store(units, blocks)
    dataset = _manifest(units, blocks)
    claims.has_vocabulary = lambda *_: True  # type: ignore[assignment]
    begun = time.monotonic()
    assert claims.is_complete(workspace, dataset)
    return f"{SlowStore.requests:,} requests, {time.monotonic() - begun:,.1f} s"


def commit(units: int, blocks: int) -> str:
    made = _manifest(units, blocks)
    begun = time.monotonic()
    size = len(made.to_bytes())
    return f"{size / 1e6:,.0f} MB written in {time.monotonic() - begun:,.1f} s"


def load(units: int, blocks: int) -> str:
    content = _manifest(units, blocks).to_bytes()
    begun = time.monotonic()
    found = parse(content)
    pairs = found.total.splits["train"].pairs
    return f"{len(content) / 1e6:,.0f} MB read in {time.monotonic() - begun:,.1f} s, {pairs:,} pairs"


def order(units: int, blocks: int) -> str:
    """The blocks of the training split and the order of an epoch, without their records."""
    found = locate_blocks(_manifest(units, blocks).shards("train"))
    begun = time.monotonic()
    ordered = epoch_order(found.pairs, group_blocks=blocks_per_group(found.bytes), seed=1, epoch=0)
    return f"{len(ordered.blocks):,} blocks ordered in {time.monotonic() - begun:,.1f} s"


def _store(units: int, blocks: int) -> Workspace:
    fsspec.register_implementation("slow", SlowStore, clobber=True)
    for unit in range(units):
        SlowStore.sizes[f"/bucket/data/_work/{SHARDS}/{unit:06d}.json"] = 1
        for split in SPLITS:
            SlowStore.sizes[f"/bucket/data/{split}-{unit:06d}.tfrecord"] = 1_505_000 * blocks
    return Workspace("slow://bucket/data")


def _manifest(units: int, blocks: int) -> Manifest:
    return Manifest(
        config=CONFIG, fingerprint="0" * 64, vocabulary_size=8000, vocabulary_sha256="0" * 64,
        tokens_sha256="0" * 64, inputs_sha256="0" * 64, files=units,
        units=tuple(report(i, blocks) for i in range(units)),
    )  # fmt: skip


PARTS: dict[str, Callable[[int, int], str]] = {
    "plan": plan,
    "job size": job_size,
    "resume: look at shards": resume,
    "look at a complete dataset": is_complete,
    "manifest: write": commit,
    "manifest: load": load,
    "loader: order of an epoch": order,
}


def _measure(name: str, units: int, blocks: int, latency: float, results: Any) -> None:
    SlowStore.latency = latency
    begun = time.monotonic()
    try:
        found = PARTS[name](units, blocks)
    except Exception as error:
        found = f"{type(error).__name__}: {str(error)[:150]}"
    seconds = time.monotonic() - begun
    results.put((found, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--units", type=int, default=1_000_000)
    parser.add_argument("--blocks", type=int, default=1, help="blocks per shard")
    parser.add_argument("--latency", type=float, default=0.02, help="seconds per request to the store")
    parser.add_argument("--only", default="", help="measure parts alone whose name contains this text")
    arguments = parser.parse_args()
    print("| part | result | seconds | peak memory |\n|---|---|---|---|", flush=True)
    for name in PARTS:
        if arguments.only in name:
            results: Any = multiprocessing.Queue()
            words = (name, arguments.units, arguments.blocks, arguments.latency, results)
            process = multiprocessing.get_context("fork").Process(target=_measure, args=words)
            process.start()
            process.join()
            row = results.get(timeout=1) if process.exitcode == 0 else (f"exit code {process.exitcode}", 0, 0)
            print(f"| {name} | {row[0]} | {row[1]:,.1f} | {row[2]:,.0f} MB |", flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    main()
