"""Write new text with a trained model, continuing prompts."""

import argparse
import dataclasses
import json

from textgen.config import STAGES, GenerationConfig, build
from textgen.config.options import CommandParser, add_settings, given
from textgen.console import printable_json, show
from textgen.errors import require


def add_arguments(parser: CommandParser) -> None:
    """Adds the options."""
    parser.usage = "textgen generate RUN [options]"
    parser.add_argument("model", metavar="RUN", help="folder of a run")
    parser.add_argument(
        "--prompt", action="append", metavar="TEXT",
        help="text to continue; may be given more than once (default: empty, the start of a document)",
    )  # fmt: skip
    parser.add_argument("--samples", type=int, default=1, metavar="K", help="number of texts per prompt (default: 1)")
    parser.add_argument("--json", action="store_true", help="print one JSON object per text, each in one line")
    add_settings(parser, STAGES["generate"])


def run(arguments: argparse.Namespace) -> None:
    """Prints the texts, separated by empty lines.

    Raises:
        UserError: the run cannot be read, or an option is not allowed.
    """
    require(arguments.samples >= 1, f"samples is {arguments.samples}; it must be at least 1.")
    config = build(GenerationConfig, given(arguments, STAGES["generate"]))

    from textgen.api.run import load_run

    writer = load_run(arguments.model).writer
    found = writer.write(arguments.prompt or [""], config, samples=arguments.samples)
    if arguments.json:
        for text in found:
            show(printable_json(json.dumps(dataclasses.asdict(text), ensure_ascii=False)))
    else:
        show("\n\n".join(text.text for text in found))
