"""What every pair is worth: the notebook's model on every pair, and on the notebook's two targets per document.

    python benchmarks/headline.py --input reviews.csv --text-field narrative [--minutes 10]

Both train the same network for the same time on the same training documents, with the same optimizer and speed, and
are measured on every target of the same held-out documents. Memory is the proportional set size of all processes of a
run at its peak. Preparation and measuring take none of the time. Prints a Markdown table.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import memory
import table
from memory import MB

ROOT = Path(__file__).parents[1]
TEXTGEN = Path(sys.executable).with_name("textgen")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--input", default=str(ROOT / "examples" / "sotu_1961_2021.csv"))
    parser.add_argument("--text-field", default="narrative")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--scratch", help="where datasets and runs are written for the time being")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.scratch) as scratch:
        data = Path(scratch) / "data"
        run(
            [str(TEXTGEN), "prepare", "--preset", "notebook", "--layout", "spans", "--input", given.input]
            + ["--text-field", given.text_field, "--output", str(data)]
        )
        rows = [every_pair(data, given.minutes), two_targets(data, given.minutes)]
    table.show(["trained on", "pairs", "test perplexity", "at the end", "peak memory"], rows)


def every_pair(data: Path, minutes: float) -> list[str]:
    output = data.with_name("run")
    finished = run(
        [str(TEXTGEN), "train", "--preset", "notebook", "--data", str(data), "--output", str(output)]
        # One check, when the time is up, so that it takes none of it.
        + ["--max-minutes", str(minutes), "--validate-every", "1000000"]
    )
    told = json.loads(run([str(TEXTGEN), "evaluate", str(output), "--data", str(data), "--json"]).printed)
    accounts = json.loads(run([str(TEXTGEN), "inspect", str(data), "--json"]).printed)
    pairs = accounts["splits"]["train"]["pairs"]
    return ["every pair", f"{pairs:,}", f"{told['perplexity']:.1f}", "", f"{finished.peak / MB:,.0f} MB"]


def two_targets(data: Path, minutes: float) -> list[str]:
    script = ROOT / "benchmarks" / "peers" / "notebook_targets.py"
    finished = run([sys.executable, str(script), str(data), "--minutes", str(minutes)])
    told = json.loads(finished.printed.splitlines()[-1])
    name = "two targets per document"
    return [name, f"{told['pairs']:,}", f"{told['best']:.1f}", f"{told['last']:.1f}", f"{finished.peak / MB:,.0f} MB"]


def run(command: list[str]) -> memory.Finished:
    finished = memory.watched(command)
    if finished.code:
        sys.exit(f"{' '.join(command)} failed:\n{finished.errors[-2000:]}")
    return finished


if __name__ == "__main__":
    main()
