"""Export a trained model for programs that do not have textgen."""

import argparse

from textgen.config.options import CommandParser
from textgen.console import printable, show

FORMATS = ("saved_model", "core_saved_model", "litert", "onnx")


def add_arguments(parser: CommandParser) -> None:
    """Adds the options."""
    parser.usage = "textgen export RUN DIR [options]"
    parser.add_argument("model", metavar="RUN", help="folder of a run")
    parser.add_argument("directory", metavar="DIR", help="folder to write; it must be empty or not exist")
    parser.add_argument(
        "--format", choices=FORMATS, default=FORMATS[0],
        help="saved_model: one TensorFlow graph from text to text, to be loaded with tensorflow_text; "
        "core_saved_model: the same without it, for the tokenizers char, byte and word; litert, onnx: one step of "
        "the network, and its vocabulary, for programs without TensorFlow (default: saved_model)",
    )  # fmt: skip


def run(arguments: argparse.Namespace) -> None:
    """Writes the model and prints where it is.

    Raises:
        UserError: the run cannot be read, the folder is not empty, the tokenizer has no such format, or a package
            that the format needs is missing.
        OSError: the folder cannot be written.
    """
    from textgen.api.run import load_run

    load_run(arguments.model).export(arguments.directory, format=arguments.format)
    show(f"exported to {printable(arguments.directory)}")
