"""Speed of serving pairs, beside other libraries that serve windows of token ids.

    python benchmarks/loader.py [--corpora DIR] [--peers-python PYTHON] [--only ours torch …] [--rounds 5]

Every way serves each id of a corpus as the target of the 44 before it, in shuffled batches of 1,024, from files; a
Python loop takes the batches, or where it says so a loop in a graph, as in training. Every run is a process of its
own on two cores (Linux); each round runs every way once, and the table shows medians. A run counts the pairs of some
seconds, once 3 seconds and 50 batches are over. The time to the first batch is that from opening the files, after the
imports. Memory is the proportional set size of all processes of a run together at its peak; what is mapped from files
counts too.

Some things favour the peers. Their ids are those of our dataset, made beforehand and in the format that each serves
fastest; their windows run across the edges of documents, so that none has to be padded; nanoGPT's way draws with
replacement, and a buffer of 100,000 pairs mixes no more than a stretch of the corpus. The ways that store every pair
do so for less text.
"""

import argparse
import json
import shlex
import statistics
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import corpus
import memory
import numpy as np
import table
from memory import MB

from textgen.dataset import read_pairs

ROOT = Path(__file__).parents[1]
PEERS = ROOT / "benchmarks" / "peers"
PEERS_PYTHON = ROOT / ".venv-peers" / "bin" / "python"
CORES = 2
WINDOW = 44
BATCH = 1024

# What is served: our datasets, the bare ids, and in the formats of two peers the pairs of fewer ids.
SPANS, PAIRS, IDS, ARROW, MDS = "spans", "pairs", "ids.bin", "arrow", "mds"
FEWER = "fewer.bin"

OURS_SPANS = "`read_pairs`, spans"
OURS_PAIRS = "`read_pairs`, pairs"
OURS_PAIRS_IN_GRAPH = "`read_pairs`, pairs, taken in a graph"
OURS_SPANS_IN_GRAPH = "`read_pairs`, spans, taken in a graph"
RESUMED = "`read_pairs`, spans, resumed in the middle"

SCRIPTS = [
    ("ours", OURS_SPANS, SPANS, ["textgen_loader.py"]),
    ("ours", "`read_pairs`, spans, `compact=True`", SPANS, ["textgen_loader.py", "--compact"]),
    ("ours", OURS_SPANS_IN_GRAPH, SPANS, ["textgen_loader.py", "--graph"]),
    ("ours", "`numpy_pairs`, spans", SPANS, ["textgen_loader.py", "--numpy"]),
    ("ours", OURS_PAIRS, PAIRS, ["textgen_loader.py"]),
    ("ours", OURS_PAIRS_IN_GRAPH, PAIRS, ["textgen_loader.py", "--graph"]),
    ("ours", "`numpy_pairs`, pairs", PAIRS, ["textgen_loader.py", "--numpy"]),
    ("ours", RESUMED, SPANS, ["textgen_loader.py"]),
    ("tfrecord", "TFRecordDataset of pairs, a buffer of 100,000", PAIRS, ["tfrecord_loader.py"]),
    ("timeseries", "`keras.utils.timeseries_dataset_from_array`", IDS, ["timeseries_loader.py"]),
    ("torch", "PyTorch DataLoader, 2 workers", IDS, ["torch_loader.py", "--workers", "2"]),
    ("torch", "PyTorch DataLoader, one array a batch", IDS, ["torch_loader.py", "--kind", "arrays"]),
    ("torch", "PyTorch DataLoader, one gather per batch", IDS, ["torch_loader.py", "--kind", "gather"]),
    ("nanogpt", "nanoGPT's `get_batch`", IDS, ["nanogpt_loader.py"]),
    ("datasets", "datasets, one row per pair", ARROW, ["datasets_loader.py"]),
    ("datasets", "datasets, streamed, a buffer of 100,000", ARROW, ["datasets_loader.py", "--stream"]),
    ("grain", "grain, 2 workers", IDS, ["grain_loader.py"]),
    ("grain", "grain, 2 workers, one gather per batch", IDS, ["grain_loader.py", "--gather"]),
    ("streaming", "streaming, a sample a pair, 2 workers", MDS, ["streaming_loader.py"]),
]
GROUPS = list(dict.fromkeys(group for group, *_ in SCRIPTS))
# These run where textgen is installed.
OUR_PYTHON = ("ours", "tfrecord", "timeseries")

COLUMNS = ["way", "pairs/s", "to the first batch", "peak memory", "bytes per pair"]
COLUMNS += ["ours (spans) ÷ this", "ours (pairs) ÷ this"]


@dataclass(kw_only=True)
class Run:
    """One measurement: pairs per second, seconds to the first batch, peak bytes of memory."""

    rate: float
    first: float
    memory: int


@dataclass(kw_only=True)
class Way:
    """A row of the table; `bytes` is what a pair takes on disk."""

    group: str
    name: str
    bytes: float
    command: list[str]
    runs: list[Run] = field(default_factory=list)

    def median(self, measure: str) -> float:
        return statistics.median(getattr(run, measure) for run in self.runs)


def main() -> None:
    arguments = parse()
    with tempfile.TemporaryDirectory(dir=arguments.scratch) as scratch:
        folder = Path(scratch)
        chosen = [script for script in SCRIPTS if script[0] in arguments.only]
        make_data(arguments, folder, {data for _, _, data, _ in chosen})
        ways = [plan(script, arguments, folder) for script in chosen]
        for _ in range(arguments.rounds):
            for way in ways:
                measure(way)
    print_table([way for way in ways if way.runs])
    if not all(way.runs for way in ways):
        sys.exit("some ways failed")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--corpora", type=Path, help="a folder of CSV and text files; default: the sample's documents"
    )
    parser.add_argument("--scratch", help="where corpora and datasets are written for the time being")
    parser.add_argument("--peers-python", default=PEERS_PYTHON, help="has the peers")
    parser.add_argument("--only", nargs="+", choices=GROUPS, default=GROUPS, metavar="WAY", help=", ".join(GROUPS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=6, help="how long a run counts pairs")
    parser.add_argument("--mb", type=int, default=60, help="text for ways that cut windows as they serve them")
    parser.add_argument("--pairs-mb", type=int, default=20, help="text for ways that store every pair")
    return parser.parse_args()


def make_data(arguments: argparse.Namespace, folder: Path, wanted: set[str]) -> None:
    """What the ways serve: our datasets, and the ids of the spans in each other form that is wanted."""
    texts = corpus.documents(arguments.corpora)
    prepare(SPANS, texts, arguments.mb, folder)
    if PAIRS in wanted:
        prepare(PAIRS, texts, arguments.pairs_mb, folder)
    ids = token_ids(folder / SPANS)
    ids.tofile(folder / IDS)
    ids[: len(ids) * min(arguments.pairs_mb, arguments.mb) // arguments.mb].tofile(folder / FEWER)
    for data, script in ((ARROW, "datasets_loader.py"), (MDS, "streaming_loader.py")):
        if data in wanted:
            run([str(arguments.peers_python), str(PEERS / script), str(folder / data), "--ids", str(folder / FEWER)])


def prepare(layout: str, texts: list[str], mb: int, folder: Path) -> None:
    """A dataset of some of the texts, all in one split."""
    text = folder / f"{layout}-text"
    corpus.write(text, texts, mb * MB)
    textgen = Path(sys.executable).with_name("textgen")
    command = [str(textgen), "prepare", "--input", *map(str, corpus.parts(text)), "--text-field", "text"]
    command += ["--output", str(folder / layout), "--layout", layout, "--window", str(WINDOW)]
    command += ["--vocabulary-size", "8000", "--validation-percent", "0", "--test-percent", "0"]
    run([*command, f"--direct_num_workers={CORES}"])


def token_ids(dataset: Path) -> np.ndarray:
    """The ids of all documents on end, [BOS] and [EOS] among them: uint16 [T]."""
    pieces = []
    for x, y in read_pairs(dataset, batch_size=1 << 16).as_numpy_iterator():
        # A document's first X is its [BOS] alone, which is no target.
        begins = np.flatnonzero(x[:, 1] == 0)
        pieces.append(np.insert(y, begins, x[begins, 0]).astype(np.uint16))
    return np.concatenate(pieces)


def run(command: list[str]) -> memory.Finished:
    """Runs a command to its end on the cores of all measurements; one that fails says why."""
    finished = memory.watched(command, cores=CORES, every=0.5)
    if finished.code:
        print(f"{shlex.join(command)} failed:\n{finished.errors[-2000:]}", file=sys.stderr, flush=True)
    return finished


def plan(script: tuple[str, str, str, list[str]], arguments: argparse.Namespace, folder: Path) -> Way:
    group, name, data, (file, *options) = script
    python = sys.executable if group in OUR_PYTHON else str(arguments.peers_python)
    command = [python, str(PEERS / file), str(folder / data), *options, "--seconds", str(arguments.seconds)]
    if name == RESUMED:
        command += ["--start-step", str(len(read_pairs(folder / data, batch_size=BATCH)) // 2)]
    return Way(group=group, name=name, bytes=bytes_a_pair(folder, data), command=command)


def bytes_a_pair(folder: Path, data: str) -> float:
    """What a pair takes on disk."""
    path = folder / data
    size = sum(file.stat().st_size for file in (path, *path.rglob("*")) if file.is_file())
    if data in (SPANS, PAIRS):
        return size / len(read_pairs(path, batch_size=1))
    ids = (folder / (IDS if data == IDS else FEWER)).stat().st_size // 2
    return size / (ids - WINDOW)


def measure(way: Way) -> None:
    """Runs the way once; a run that fails is not counted."""
    finished = run(way.command)
    if not finished.code:
        told = json.loads(finished.printed.splitlines()[-1])
        way.runs.append(Run(rate=told["pairs"] / told["seconds"], first=told["first"], memory=finished.peak))
        print(way.name, way.runs[-1], file=sys.stderr, flush=True)


def print_table(ways: list[Way]) -> None:
    """Medians, and ours as a multiple of each way."""
    rates = {way.name: way.median("rate") for way in ways}
    rows = []
    for way in ways:
        cells = [
            way.name,
            f"{rates[way.name]:,.0f}",
            f"{way.median('first'):.2f} s",
            f"{way.median('memory') / MB:,.0f} MB",
            f"{way.bytes:.1f}",
        ]
        for ours in (OURS_SPANS, OURS_PAIRS):
            compared = way.group != "ours" and ours in rates
            cells.append(f"{rates[ours] / rates[way.name]:.2f} ×" if compared else "")
        rows.append(cells)
    table.show(COLUMNS, rows)


if __name__ == "__main__":
    main()
