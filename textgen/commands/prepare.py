"""Turn text files into a dataset: sharded TFRecords of every (window, next token) pair."""

import argparse

from textgen.config import STAGES, TEXT_DEFAULTS, PrepareConfig
from textgen.config.options import CommandParser, add_settings, add_sources, given
from textgen.config.settings_file import collect, prepare_config
from textgen.errors import require


def add_arguments(parser: CommandParser) -> None:
    """Adds the options."""
    parser.usage = "textgen prepare --input PATH [PATH ...] --output DIR [options]"
    parser.epilog = (
        "Options of Apache Beam are passed on: --runner, --direct_num_workers, --project, --temp_location and others."
    )
    parser.add_argument("--output", required=True, metavar="DIR", help="folder of the new dataset")
    add_input_arguments(parser)


def add_input_arguments(parser: CommandParser) -> None:
    """Adds the options for the input and the settings, which `estimate` has too."""
    parser.add_argument(
        "--input", nargs="+", required=True, action="extend", metavar="PATH", help="input files, folders and globs"
    )
    add_sources(parser, "prepare")
    groups = add_settings(parser, STAGES["prepare"], varying=TEXT_DEFAULTS)
    groups["tokens"].add_argument(
        "--vocabulary", metavar="FILE",
        help="vocabulary.jsonl of a dataset, or a file of one token per line (default: learned from the text)",
    )  # fmt: skip
    groups["tokens"].add_argument(
        "--tokenizer-model", metavar="FILE", help="SentencePiece model, for --tokenizer sentencepiece"
    )


def config_from(arguments: argparse.Namespace) -> PrepareConfig:
    """Returns the settings: options override the file, which overrides the preset, which overrides the defaults.

    Raises:
        UserError: a setting is not allowed.
    """
    values = collect(
        "prepare",
        given(arguments, STAGES["prepare"]),
        file=arguments.config,
        preset=arguments.preset,
    )
    for name, option in (("given_vocabulary", "vocabulary"), ("tokenizer_model", "tokenizer_model")):
        flag = "--" + option.replace("_", "-")
        require(
            not values.pop(name, "") or getattr(arguments, option) is not None,
            f"{arguments.config} is of a dataset that was made with {flag}, which is missing here. "
            f"Add {flag} FILE; a copy of the file is in the folder of that dataset.",
        )
    return prepare_config(values)


def run(arguments: argparse.Namespace) -> None:
    """Prepares a dataset and prints its counts."""
    config = config_from(arguments)

    from textgen.api.datasets import prepare
    from textgen.commands.inspect import accounts

    manifest = prepare(
        arguments.input,
        arguments.output,
        config=config,
        vocabulary=arguments.vocabulary,
        tokenizer_model=arguments.tokenizer_model,
        beam_flags=arguments.beam_flags,
    )
    print(accounts(manifest))
