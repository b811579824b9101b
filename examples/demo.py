"""The main job on the sample corpus, command by command, as a user would type it; then a summary.

The corpus is 62 State-of-the-Union speeches in a CSV file and the 135 chapters of Moby-Dick in text files.
"""

import contextlib
import io
import json
import shlex
import sys
import time
from pathlib import Path

from textgen.cli import main

EXAMPLES = Path(__file__).parent
OUTPUT = Path("demo")
DATA, RUN = OUTPUT / "data", OUTPUT / "run"
PROMPT = "It is not"
TRAINING_MINUTES = 3.5


def textgen(*arguments: object, show: bool = True) -> str:
    """Runs a command and returns what it printed; the demo ends with the first that fails."""
    words = [str(argument) for argument in arguments]
    if show:
        print(f"\n$ textgen {shlex.join(words)}", flush=True)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        code = main(words)
    if code:
        sys.exit(code)
    if show:
        print(printed.getvalue(), end="", flush=True)
    return printed.getvalue()


def run_main_job() -> None:
    """Prepares and trains; what an earlier demo did is used again."""
    textgen(
        "prepare", "--input", EXAMPLES / "sotu_1961_2021.csv", EXAMPLES / "moby_dick" / "*.txt",
        "--text-field", "narrative", "--vocabulary-size", 4000, "--window", 10, "--output", DATA,
    )  # fmt: skip
    textgen("verify", DATA)
    if (RUN / "curves.png").exists():
        print(f"\n{RUN} is trained already; `make clean` removes it.")
        return
    textgen(
        "train", "--data", DATA, "--output", RUN, "--embedding", 64, "--units", 64, "--tied", "--dropout", 0.1,
        "--batch-size", 128, "--learning-rate", 0.01, "--schedule", "cosine", "--warmup-steps", 100,
        "--max-minutes", TRAINING_MINUTES, "--sample-prompt", PROMPT,
    )  # fmt: skip


def summarize(seconds: float) -> None:
    """Prints what came of it."""
    accounts = json.loads(textgen("inspect", DATA, "--json", show=False))
    score = json.loads(textgen("evaluate", RUN, "--data", DATA, "--json", show=False))
    unigram, _, trigram = score["baselines"]
    pairs = sum(split["pairs"] for split in accounts["splits"].values())
    size = sum(split["bytes"] for split in accounts["splits"].values())
    dropped = ", ".join(f"{count} {reason}" for reason, count in accounts["dropped"].items()) or "none"
    print(f"""
Summary, {seconds:.0f} seconds after the start
  documents   {accounts["kept"]} kept, dropped: {dropped}
  pairs       {pairs:,} of {accounts["window"]} tokens → 1, {size / pairs:.0f} bytes per pair on disk
  held out    {score["pairs"]:,} targets of documents never trained on     model   unigram   trigram
                loss, nats per token                {score["loss"]:>14.3f}   {unigram["loss"]:>7.3f}   {trigram["loss"]:>7.3f}
                perplexity                          {score["perplexity"]:>14.1f}   {unigram["perplexity"]:>7.1f}   {trigram["perplexity"]:>7.1f}
                bits per character                  {score["bits_per_character"]:>14.3f}   {unigram["bits_per_character"]:>7.3f}   {trigram["bits_per_character"]:>7.3f}
                unknown words                       {score["unknown_rate"]:>14.1%}
  samples     of 40 tokens after {PROMPT!r}""")
    for temperature in (0.3, 0.7, 1.0):
        text = textgen(
            "generate",
            RUN,
            "--prompt",
            PROMPT,
            "--tokens",
            40,
            "--temperature",
            temperature,
            "--seed",
            1,
            show=False,
        )
        print(f"    {temperature}: {text.strip()}")
    print(f"""  files       {DATA}/            manifest.json, vocabulary.jsonl, train-*, validation-*, test-*.tfrecord
              {RUN}/             run.json, best/ and last/ checkpoints, history.csv, curves.png, samples.jsonl, tensorboard/""")


if __name__ == "__main__":
    started = time.monotonic()
    run_main_job()
    summarize(time.monotonic() - started)
