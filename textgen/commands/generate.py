"""Write new text with a trained model, continuing a prompt."""

import argparse
import math

from textgen.config.options import CommandParser
from textgen.errors import require

_MOST_TOKENS = 1_000_000


def add_arguments(parser: CommandParser) -> None:
    """Adds the options."""
    parser.add_argument("model", metavar="RUN", help="folder of a run")
    parser.add_argument(
        "--prompt", default="", metavar="TEXT", help="text to continue (default: empty, the start of a document)"
    )
    parser.add_argument("--tokens", type=int, default=100, metavar="N", help="number of new tokens (default: 100)")
    parser.add_argument(
        "--temperature",
        type=float,
        default=1.0,
        metavar="T",
        help="temperature of sampling; 0: always the most likely token (default: 1)",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="S",
        help="seed of sampling; the same seed writes the same text (default: 0)",
    )
    parser.add_argument("--samples", type=int, default=1, metavar="K", help="number of texts (default: 1)")
    parser.add_argument(
        "--may-end", action="store_true", help="end a text where the model writes the end of the document"
    )


def run(arguments: argparse.Namespace) -> None:
    """Prints the texts, separated by empty lines."""
    require(
        1 <= arguments.tokens <= _MOST_TOKENS,
        f"tokens is {arguments.tokens}; it must be from 1 to {_MOST_TOKENS:,}.",
    )
    require(arguments.samples >= 1, f"samples is {arguments.samples}; it must be at least 1.")
    require(
        0 <= arguments.temperature < math.inf,
        f"temperature is {arguments.temperature:g}; it must be finite and at least 0. Use 0 for the most "
        "likely token.",
    )
    require(0 <= arguments.seed < 2**31, f"seed is {arguments.seed}; it must be from 0 to 2,147,483,647.")

    from textgen.generation.generator import Generator
    from textgen.runs import load, load_model, run_folder
    from textgen.text import preprocessor

    directory = run_folder(arguments.model)
    config = load(directory)
    text_path = preprocessor.load(directory, config.text)
    generator = Generator(load_model(directory, config), text_path, boundaries=config.boundaries)
    # An argument that was not valid UTF-8 reaches us with surrogates in it.
    prompt = arguments.prompt.encode(errors="replace")
    texts = generator.generate(
        [prompt] * arguments.samples,
        arguments.tokens,
        arguments.temperature,
        arguments.seed,
        arguments.may_end,
    )
    print("\n\n".join(text.decode(errors="replace") for text in texts.numpy()))
