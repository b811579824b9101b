"""Write new text with a trained model, continuing a prompt."""

import argparse

from textgen.config.options import CommandParser
from textgen.console import show
from textgen.errors import require


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
    """Prints the texts, separated by empty lines.

    Raises:
        UserError: the run cannot be read, or an option is not allowed.
    """
    require(arguments.samples >= 1, f"samples is {arguments.samples}; it must be at least 1.")

    from textgen.api.run import load_run

    texts = load_run(arguments.model).generate(
        [arguments.prompt] * arguments.samples,
        tokens=arguments.tokens,
        temperature=arguments.temperature,
        seed=arguments.seed,
        may_end=arguments.may_end,
    )
    show("\n\n".join(texts))
