"""How well characters are predicted after a training of some minutes: the causal LSTM, and the BiLSTM beside it.

    python benchmarks/shakespeare.py --input tinyshakespeare.txt

The last tenth of the text is held out. Settings were chosen on validation text, the end of the rest; here all of the
rest is trained on, for five minutes on two cores (the LSTM for a number of epochs that takes as long), and each
held-out character is scored once, by the weights at the end: nats per character. Prints a Markdown table.
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import table

TEXTGEN = str(Path(sys.executable).with_name("textgen"))
MODELS = {
    "LSTM": "--preset char --epochs 12",
    "BiLSTM": "--network bilstm --window 64 --embedding 64 --units 128 --epochs 1 --max-minutes 5 --batch-size 256 "
    "--learning-rate 0.004 --schedule cosine --warmup-steps 50 --decay-steps 3400",
}
MEMORY = {"LSTM": 8000, "BiLSTM": 0}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--input", required=True, help="the text")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch) / "data"
        held_out = ["--validation-percent", "0", "--test-percent", "10"]
        textgen("prepare", "--preset", "char", *held_out, "--input", given.input, "--output", data)
        table.show(
            ["model", "whole training", "characters/s", "test", "with cache"],
            [measure(name, data) for name in given.models],
        )


def measure(name: str, data: Path) -> list[str]:
    run = data.with_name(name)
    started = time.monotonic()
    # One check, at the end.
    textgen("train", *MODELS[name].split(), "--validate-every", "1000000", "--data", data, "--output", run)
    seconds = time.monotonic() - started
    with (run / "history.csv").open(encoding="utf-8") as history:
        (check,) = csv.DictReader(history)
    told = json.loads(textgen("evaluate", run, "--data", data, "--neural-cache", MEMORY[name], "--json"))
    with_cache = f"{told['neural_cache']['loss']:.3f}" if told["neural_cache"] else ""
    rate = float(check["pairs_per_second"])
    return [name, f"{seconds:.0f} s", f"{rate:,.0f}", f"{told['loss']:.3f}", with_cache]


def textgen(*arguments: object) -> str:
    done = subprocess.run([TEXTGEN, *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout


if __name__ == "__main__":
    main()
