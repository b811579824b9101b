"""Print the log-probability of each token of a text, and the text's perplexity."""

import argparse
import dataclasses
import json
import sys
from typing import TYPE_CHECKING

from textgen.config.options import CommandParser
from textgen.console import printable, printable_json, show
from textgen.errors import require

if TYPE_CHECKING:
    from textgen.generation.scoring import Score

STDIN = "-"


def add_arguments(parser: CommandParser) -> None:
    """Adds the options."""
    parser.usage = "textgen score RUN [options]"
    parser.add_argument("model", metavar="RUN", help="folder of a run")
    parser.add_argument(
        "--text", action="append", default=[], metavar="TEXT",
        help="text to score; may be given more than once (default: what is piped into the command, as one text)",
    )  # fmt: skip
    parser.add_argument(
        "--text-file", action="append", default=[], metavar="FILE",
        help=f"file that is one text; {STDIN}: standard input; may be given more than once",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print one JSON object per text, each in one line")


def run(arguments: argparse.Namespace) -> None:
    """Prints the scores of each text.

    Raises:
        UserError: the run or a text cannot be read, or there is no text.
        OSError: a file cannot be read.
    """
    from textgen.generation.prompts import decode, read, read_stream

    texts = list(arguments.text)
    files = arguments.text_file or ([STDIN] if not texts and not sys.stdin.isatty() else [])
    for path in files:
        content = read_stream(sys.stdin.buffer, "standard input") if path == STDIN else read(path)
        texts.append(decode(content, "standard input" if path == STDIN else path))
    require(bool(texts), "there is no text; there must be at least one. Use --text, --text-file, or a pipe.")

    from textgen.api.run import load_run

    for number, score in enumerate(load_run(arguments.model).score(texts)):
        if arguments.json:
            show(printable_json(json.dumps(dataclasses.asdict(score), ensure_ascii=False)))
        else:
            show("\n" * (number > 0) + _table(score))


def _table(score: "Score") -> str:
    """Returns a line per token, and one for the text."""
    # A token with a line end must not take two lines.
    lines = [
        f"{'-' if log_probability is None else format(log_probability, '.4f'):>10}  {printable(token)}"
        for token, log_probability in zip(score.tokens, score.log_probabilities, strict=True)
    ]
    tokens = len(score.tokens)
    if score.loss is None or score.perplexity is None:
        return "\n".join([*lines, f"{tokens:,} tokens, none with a probability"])
    total = sum(one for one in score.log_probabilities if one is not None)
    summary = f"{tokens:,} tokens, log-probability {total:.4f}, {score.loss:.4f} nats per token"
    return "\n".join([*lines, f"{summary}, perplexity {score.perplexity:.2f}"])
