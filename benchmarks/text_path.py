"""CPU time of a whole preparation beside that of the graph alone, which defines how text is cleaned and cut.

    python benchmarks/text_path.py [--corpora DIR] [--scratch DIR] [--mb 300] [--graph-mb 20] [--rounds 5]

Each round runs `textgen prepare` of a corpus and of 0.1 MB of it, both of words with all defaults, and calls
the graph on its first documents, in batches of a preparation's size. The command's CPU time less that of the
0.1 MB is what a megabyte costs: reading CSV, cleaning, splitting, counting and writing, in all its processes. The
graph's is that of its calls in this process. Prints a Markdown table of medians.
"""

import argparse
import itertools
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import corpus
import memory
import table
from memory import MB

from textgen.config import TextConfig
from textgen.corpus.batching import merge_batches
from textgen.corpus.readers.base import ReadLimits, TextBatch
from textgen.text.preprocessor import Analyzer

COLUMNS = ["what", "text", "CPU, ms per MB", "÷ the graph"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--corpora", type=Path, help="a folder of CSV and text files; default: the sample's documents"
    )
    parser.add_argument("--scratch", help="where corpora and outputs are written for the time being")
    parser.add_argument("--mb", type=int, default=300, help="text for the command")
    parser.add_argument("--graph-mb", type=int, default=20, help="text for the graph")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    texts = corpus.documents(arguments.corpora)
    graph = graph_of(texts, arguments.graph_mb * MB)
    with tempfile.TemporaryDirectory(dir=arguments.scratch) as scratch:
        corpus.write(Path(scratch) / "all", texts, arguments.mb * MB)
        corpus.write(Path(scratch) / "small", texts, 100_000)
        # The first run of all compiles the loops.
        cpu_of_command(Path(scratch) / "small" / "corpus.csv", Path(scratch) / "output")
        rounds = [measure(Path(scratch), graph, arguments) for _ in range(arguments.rounds)]
    whole, alone = (statistics.median(column) for column in zip(*rounds, strict=True))
    ratio = statistics.median(command / cut for command, cut in rounds)
    rows = [
        ["`prepare --layout spans`, less its start", f"{arguments.mb} MB", f"{whole:.1f}", f"{ratio:.2f}"],
        ["the graph: clean, split, make distinct", f"{arguments.graph_mb} MB", f"{alone:.1f}", ""],
    ]
    table.show(COLUMNS, rows)


def measure(scratch: Path, graph: Callable[[], float], arguments: argparse.Namespace) -> tuple[float, float]:
    """Milliseconds a megabyte of the command less its start, and of the graph."""
    start, whole = (cpu_of_command(scratch / name / "corpus.csv", scratch / "output") for name in ("small", "all"))
    return 1000 * (whole - start) / (arguments.mb - 0.1), 1000 * graph() / arguments.graph_mb


def cpu_of_command(source: Path, output: Path) -> float:
    """CPU seconds of a preparation, whose dataset is then deleted."""
    textgen = str(Path(sys.executable).with_name("textgen"))
    options = ["--input", str(source), "--text-field", "text", "--layout", "spans"]
    finished = memory.watched([textgen, "prepare", *options, "--output", str(output)], every=1)
    if finished.code:
        sys.exit(finished.errors)
    shutil.rmtree(output)
    return finished.cpu


def graph_of(texts: list[str], size: int) -> Callable[[], float]:
    """A function that has the graph cut the first texts, and returns its CPU seconds."""
    batches = list(batches_of(texts, size))
    analyzer = Analyzer(TextConfig())

    def cut() -> float:
        started = time.process_time()
        for batch in batches:
            analyzer.tokenize(batch, [False] * len(batch))
        return time.process_time() - started

    cut()
    return cut


def batches_of(texts: list[str], size: int) -> list[list[bytes]]:
    """The first texts up to a size, again and again if there are fewer, in batches of a preparation's size."""
    chosen, left = [], size
    for text in itertools.cycle(text.encode() for text in texts):
        chosen.append(text)
        left -= len(text)
        if left <= 0:
            break
    merged = merge_batches((TextBatch([text], [False]) for text in chosen), ReadLimits())
    return [batch.texts for batch in merged]


if __name__ == "__main__":
    main()
