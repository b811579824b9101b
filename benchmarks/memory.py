"""Peak memory of preparation as the corpus grows, beside the notebook's way of holding every pair.

    python benchmarks/memory.py [--scratch DIR] [--sizes 20 200]

The corpus is the sample's documents as rows of one CSV file, repeated until it has the size wanted. Memory is the
proportional set size of all processes of a run together, sampled five times per second from /proc (Linux). Prints a
Markdown table.
"""

import argparse
import csv
import itertools
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"
MB = 1_000_000

NOTEBOOK = """
import sys, keras, numpy as np
texts = open(sys.argv[1]).read()[: int(sys.argv[2])].lower().split()
rank = {word: i for i, word in enumerate(dict.fromkeys(texts))}
ids = [min(rank[word], 499) for word in texts]
x = keras.utils.pad_sequences([ids[max(0, p - 44) : p] for p in range(1, len(ids))], maxlen=44)
y = keras.utils.to_categorical(ids[1:], 500)
print(len(x))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--scratch", help="where the corpora and datasets are written for the time being")
    parser.add_argument("--sizes", type=int, nargs="+", default=[20, 200], metavar="MB")
    arguments = parser.parse_args()
    print("| way | text | pairs | peak memory | seconds |\n|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory(dir=arguments.scratch) as scratch:
        for layout in ("pairs", "spans"):
            for size in arguments.sizes:
                corpus = Path(scratch) / f"{size}.csv"
                if not corpus.exists():
                    write_corpus(corpus, size * MB)
                with tempfile.TemporaryDirectory(dir=scratch) as output:
                    row(f"`prepare --layout {layout}`", size, prepare(corpus, layout, Path(output) / "data"))
        texts = Path(scratch) / "texts"
        texts.write_text("\n".join(documents()), encoding="utf-8")
        for size in (1, 2):
            row("the notebook's: windows and one-hot targets in arrays", size, notebook(texts, size * MB))


def documents() -> list[str]:
    """The texts of the sample corpus."""
    csv.field_size_limit(1 << 30)
    with (EXAMPLES / "sotu_1961_2021.csv").open(encoding="utf-8", newline="") as file:
        speeches = [line["narrative"] for line in csv.DictReader(file)]
    return speeches + [path.read_text(encoding="utf-8") for path in sorted(EXAMPLES.glob("moby_dick/*.txt"))]


def write_corpus(path: Path, size: int) -> None:
    """The sample's documents as a column, again and again."""
    texts = documents()
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["narrative"])
        for text in itertools.cycle(texts):
            writer.writerow([text])
            if file.tell() >= size:
                return


def prepare(corpus: Path, layout: str, output: Path) -> tuple[int, int, float]:
    """Pairs, peak bytes and seconds of a preparation."""
    textgen = Path(sys.executable).with_name("textgen")
    options = ["--input", str(corpus), "--text-field", "narrative", "--output", str(output), "--layout", layout]
    peak, seconds, printed = measured([str(textgen), "prepare", *options])
    columns = [line.split() for line in printed.splitlines()]
    return sum(int(c[5].replace(",", "")) for c in columns if c[0] in ("train", "validation", "test")), peak, seconds


def notebook(texts: Path, size: int) -> tuple[int, int, float]:
    """Pairs, peak bytes and seconds of making all of them as arrays."""
    peak, seconds, printed = measured([sys.executable, "-c", NOTEBOOK, str(texts), str(size)])
    return int(printed), peak, seconds


def measured(command: list[str]) -> tuple[int, float, str]:
    """Peak bytes of the command and all its children, its seconds, and what it printed."""
    finished = watched(command)
    if finished.code:
        sys.exit(f"{' '.join(command)} failed with exit code {finished.code}")
    return finished.peak, finished.seconds, finished.printed


@dataclass(kw_only=True)
class Finished:
    """A command that has ended: its exit code, peak bytes of memory, seconds, CPU seconds, and what it said."""

    code: int
    peak: int
    seconds: float
    cpu: float
    printed: str
    errors: str


def watched(command: list[str], *, every: float = 0.2, cores: int | None = None) -> Finished:
    """Runs a command and looks at the memory of it and all below it.

    Args:
        command: what to run.
        every: seconds from one look to the next.
        cores: confines it to so many (Linux).
    """
    if cores:
        command = ["taskset", "--cpu-list", ",".join(map(str, sorted(os.sched_getaffinity(0))[:cores])), *command]
    with tempfile.TemporaryFile("w+") as errors:
        started, before = time.monotonic(), children_cpu()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        peak = [0]
        watcher = threading.Thread(target=watch, args=(process, every, peak))
        watcher.start()
        printed, _ = process.communicate()
        seconds = time.monotonic() - started
        watcher.join()
        errors.seek(0)
        said = errors.read()
    cpu = children_cpu() - before
    return Finished(code=process.returncode, peak=peak[0], seconds=seconds, cpu=cpu, printed=printed, errors=said)


def children_cpu() -> float:
    """CPU seconds of all processes below this one that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def watch(process: subprocess.Popen, every: float, peak: list[int]) -> None:
    """Keeps the greatest proportional set size of the process and all below it."""
    while process.poll() is None:
        peak[0] = max(peak[0], sum(memory(pid) for pid in tree(process.pid)))
        time.sleep(every)


def tree(pid: int) -> list[int]:
    """The process and all below it."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        # A child belongs to the thread that started it.
        for thread in Path(f"/proc/{pid}/task").iterdir():
            if thread.name != str(pid):
                children += (thread / "children").read_text().split()
    except OSError:
        return [pid]
    return [pid, *(descendant for child in children for descendant in tree(int(child)))]


def memory(pid: int) -> int:
    """Proportional set size in bytes; 0 for a process that has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def row(way: str, size: int, measurement: tuple[int, int, float]) -> None:
    """Prints a row of the table."""
    pairs, peak, seconds = measurement
    print(f"| {way} | {size} MB | {pairs:,} | {peak / MB:,.0f} MB | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()
