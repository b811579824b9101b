"""Write new text with a trained model, continuing prompts."""

import argparse
import dataclasses
import json
import os
import stat
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from textgen.config import STAGES, AdaptationConfig, GenerationConfig, build
from textgen.config.options import CommandParser, add_settings, given
from textgen.console import printable_json, show, show_part
from textgen.errors import require

if TYPE_CHECKING:
    from textgen.generation.writer import Continuation, Writer

STDIN = "-"


def add_arguments(parser: CommandParser) -> None:
    """Adds the options."""
    parser.usage = "textgen generate RUN [options]"
    parser.add_argument("model", metavar="RUN", help="folder of a run")
    parser.add_argument(
        "--prompt", action="append", default=[], metavar="TEXT",
        help="text to continue; may be given more than once (default: what is piped into the command, one prompt per "
        "line, or empty, the start of a document)",
    )  # fmt: skip
    parser.add_argument(
        "--prompts-file", metavar="FILE",
        help=f"file with one prompt per line, or a JSON string if it ends in .jsonl; {STDIN}: standard input",
    )  # fmt: skip
    parser.add_argument("--samples", type=int, default=1, metavar="K", help="number of texts per prompt (default: 1)")
    parser.add_argument("--json", action="store_true", help="print one JSON object per text, each in one line")
    parser.add_argument(
        "--stream", action=argparse.BooleanOptionalAction, default=None,
        help="print a single text token by token (default: if standard output is a terminal)",
    )  # fmt: skip
    parser.add_argument(
        "--interactive", action="store_true",
        help="show the most likely next tokens and choose one, step by step; input comes line by line",
    )  # fmt: skip
    parser.add_argument(
        "--top", type=int, default=10, metavar="N", help="number of tokens that --interactive shows (default: 10)"
    )
    add_settings(parser, STAGES["generate"])


def run(arguments: argparse.Namespace) -> None:
    """Prints the texts, separated by empty lines.

    Raises:
        UserError: the run or a prompt cannot be read, or an option is not allowed.
        OSError: the file of prompts cannot be read.
    """
    for name, number in (("samples", arguments.samples), ("top", arguments.top)):
        require(number >= 1, f"{name} is {number}; it must be at least 1.")
    settings = given(arguments, STAGES["generate"])
    config, adaptation = build(GenerationConfig, settings), build(AdaptationConfig, settings)
    prompts = _prompts(arguments)
    count = len(prompts) * arguments.samples
    is_single = count == 1 and not arguments.json
    require(
        is_single or not (arguments.stream or arguments.interactive),
        "--stream and --interactive write one text, and not as JSON; here "
        f"{'--json is given' if count == 1 else f'there are {count:,} texts'}. Leave one of the options out.",
    )

    from textgen.api.run import load_run

    run = load_run(arguments.model)
    if arguments.interactive:
        require(not adaptation.adapt, "--adapt and --interactive do not go together. Leave one of them out.")
        _interact(run.writer, prompts[0], config, arguments.top)
        return
    writer = run.writer_for(adaptation)
    if is_single and (sys.stdout.isatty() if arguments.stream is None else arguments.stream):
        for part in writer.stream(prompts[0], config):
            show_part(part)
        show("")
    else:
        texts = writer.write_each(prompts, config, samples=arguments.samples)
        _print(texts, as_json=arguments.json)


def _print(texts: "Iterable[Continuation]", *, as_json: bool) -> None:
    for number, text in enumerate(texts):
        if as_json:
            show(printable_json(json.dumps(dataclasses.asdict(text), ensure_ascii=False)))
        else:
            show_part("\n" * (number > 0))
            show(text.text)
        sys.stdout.flush()


def _interact(writer: "Writer", prompt: str, config: GenerationConfig, top: int) -> None:
    from textgen.generation import interactive

    if sys.stdin.isatty():
        show(interactive.HELP)
    for shown in interactive.run(interactive.Session(writer, prompt, config, top=top), sys.stdin):
        show(shown)
        sys.stdout.flush()


def _prompts(arguments: argparse.Namespace) -> list[str]:
    """Returns the prompts of the options, or what is piped into the command; one empty prompt if there are none."""
    from textgen.generation.prompts import parse_prompts, read, read_stream

    def from_stdin() -> list[str]:
        return parse_prompts(read_stream(sys.stdin.buffer, "standard input"), "standard input")

    prompts = list(arguments.prompt)
    if arguments.prompts_file == STDIN:
        prompts += from_stdin()
    elif arguments.prompts_file is not None:
        prompts += parse_prompts(read(arguments.prompts_file), arguments.prompts_file)
    elif not prompts and not arguments.interactive and is_piped():
        prompts = from_stdin()
    require(
        bool(prompts) or arguments.prompts_file is None,
        f"{arguments.prompts_file} has no prompts; it must have at least one line. Write one prompt per line.",
    )
    return prompts or [""]


def is_piped() -> bool:
    """Returns whether standard input is a pipe or a file, rather than a terminal, a device or closed."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (AttributeError, OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode)
