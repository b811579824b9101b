"""Speed of training, beside PyTorch and Keras's own `fit`.

    python benchmarks/training.py [--peers-python PYTHON] [--only ours torch …] [--models notebook-128 …] [--rounds 5]

Every way trains the same network on random ids from memory, in full windows and batches of one size, by RMSprop, and
counts the pairs of some seconds, once 3 seconds are over. Every run is a process of its own on two cores (Linux);
each round runs every way once, and the table shows medians. The first step is that of the clock from when the network
stands: it traces and compiles, and is four steps where four are one call. Memory is the proportional set size of a
run at its peak, imports included.

One thing favours the peers: their windows being full, they mask and pack nothing; ours is masked all the same.
"""

import argparse
import json
import shlex
import statistics
import sys
from dataclasses import dataclass, field
from pathlib import Path

import memory
import table
from memory import MB

ROOT = Path(__file__).parents[1]
PEERS = ROOT / "benchmarks" / "peers"
PEERS_PYTHON = ROOT / ".venv-peers" / "bin" / "python"
CORES = 2

MODELS = {
    "notebook-128": ["notebook", "--batch", "128"],
    "notebook-1024": ["notebook", "--batch", "1024"],
    "large-256": ["large", "--batch", "256"],
}
DESCRIPTIONS = {
    "notebook": "500 words, embedding 8, 3 × BiLSTM 50, W 44",
    "large": "8,000 words, embedding 128, 2 × BiLSTM 256, W 64",
}

OURS = "textgen"
SCRIPTS = [
    ("ours", OURS, ["textgen_training.py"]),
    ("torch", "PyTorch `nn.LSTM`", ["torch_training.py"]),
    ("torch-compile", "PyTorch `nn.LSTM`, `compile`", ["torch_training.py", "--compile"]),
    ("keras", "Keras `fit`", ["keras_training.py"]),
    ("keras-unroll", "Keras `fit`, `unroll=True`", ["keras_training.py", "--unroll"]),
    ("keras-jit", "Keras `fit`, `jit_compile=True`", ["keras_training.py", "--jit"]),
    ("keras-threads", "Keras `fit`, one thread an op", ["keras_training.py", "--one-thread-an-op"]),
    (
        "keras-unroll-threads",
        "Keras `fit`, `unroll=True`, one thread an op",
        ["keras_training.py", "--unroll", "--one-thread-an-op"],
    ),
]
GROUPS = [group for group, *_ in SCRIPTS]

COLUMNS = ["way", "model", "batch", "first step", "pairs/s", "peak memory", "ours ÷ this"]


@dataclass(kw_only=True)
class Run:
    """One measurement: pairs per second, seconds of the first step, peak bytes of memory."""

    rate: float
    first: float
    memory: int


@dataclass(kw_only=True)
class Way:
    """A row of the table."""

    name: str
    model: str
    command: list[str]
    runs: list[Run] = field(default_factory=list)

    def median(self, measure: str) -> float:
        return statistics.median(getattr(run, measure) for run in self.runs)


def main() -> None:
    arguments = parse()
    ways = [plan(script, model, arguments) for model in arguments.models for script in SCRIPTS]
    ways = [way for way in ways if way is not None]
    for _ in range(arguments.rounds):
        for way in ways:
            measure(way)
    table.show(COLUMNS, rows([way for way in ways if way.runs]))
    if not all(way.runs for way in ways):
        sys.exit("some ways failed")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--peers-python", default=PEERS_PYTHON, help="has PyTorch")
    parser.add_argument("--only", nargs="+", choices=GROUPS, default=GROUPS, metavar="WAY", help=", ".join(GROUPS))
    parser.add_argument(
        "--models", nargs="+", choices=MODELS, default=list(MODELS), metavar="MODEL", help=", ".join(MODELS)
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=6, help="how long a run counts pairs")
    return parser.parse_args()


def plan(script: tuple[str, str, list[str]], model: str, arguments: argparse.Namespace) -> Way | None:
    group, name, (file, *options) = script
    if group not in arguments.only:
        return None
    python = str(arguments.peers_python) if group.startswith("torch") else sys.executable
    command = [python, str(PEERS / file), *MODELS[model], *options, "--seconds", str(arguments.seconds)]
    return Way(name=name, model=model, command=command)


def measure(way: Way) -> None:
    """Runs the way once; a run that fails says why, and is not counted."""
    finished = memory.watched(way.command, cores=CORES, every=0.5)
    if finished.code:
        print(f"{shlex.join(way.command)} failed:\n{finished.errors[-2000:]}", file=sys.stderr, flush=True)
        return
    told = json.loads(finished.printed.splitlines()[-1])
    way.runs.append(Run(rate=told["pairs"] / told["seconds"], first=told["first"], memory=finished.peak))
    print(way.model, way.name, way.runs[-1], file=sys.stderr, flush=True)


def rows(ways: list[Way]) -> list[list[str]]:
    """Medians, and ours as a multiple of each way."""
    ours = {way.model: way.median("rate") for way in ways if way.name == OURS}
    shown = []
    for way in ways:
        model, batch = way.model.split("-")
        rate = way.median("rate")
        cells = [way.name, DESCRIPTIONS[model], f"{int(batch):,}", f"{way.median('first'):.1f} s", f"{rate:,.0f}"]
        cells.append(f"{way.median('memory') / MB:,.0f} MB")
        cells.append(f"{ours[way.model] / rate:.2f} ×" if way.name != OURS and way.model in ours else "")
        shown.append(cells)
    return shown


if __name__ == "__main__":
    main()
