"""Turn text files into a dataset: sharded TFRecords of every (window, next token) pair."""

import argparse
import sys
from typing import TYPE_CHECKING

from textgen.config import STAGES, TEXT_DEFAULTS, PrepareConfig, names_of_given
from textgen.config.options import CommandParser, add_settings, add_sources, given
from textgen.config.settings_file import collect, prepare_config
from textgen.console import show
from textgen.errors import require

if TYPE_CHECKING:
    from pipelines.inputs import Inputs

MEMORY_REMEDY = "Close other programs, or use fewer workers, as with --direct_num_workers=1."
"""What to do when memory is short."""

USES_TENSORFLOW = False
"""It is imported where a text needs it."""


def add_arguments(parser: CommandParser) -> None:
    """Adds the options."""
    parser.usage = "textgen prepare --input PATH [PATH ...] --output DIR [options]"
    parser.epilog = (
        "--runner names the engine: local (the default), embedded, prism, spark, flink or dataflow. Options of Beam "
        "are passed on: --direct-num-workers, --spark-master, --flink-master, --job-endpoint, --project and others."
    )
    parser.add_argument("--output", metavar="DIR", help="folder of the new dataset; not needed with --list")
    parser.add_argument(
        "--list", action="store_true",
        help="print the files that would be read, with formats, and those that would not, with reasons, and exit",
    )  # fmt: skip
    parser.add_argument(
        "--detach", action="store_true",
        help="submit the first job and leave: the command continues in the background, with its messages in "
        "OUTPUT.log or for a URL in a file of its name in this folder; `textgen status OUTPUT` shows the progress",
    )  # fmt: skip
    add_input_arguments(parser)


def add_input_arguments(parser: CommandParser) -> None:
    """Adds the options for the input and the settings, which `estimate` has too."""
    parser.add_argument(
        "--input", nargs="+", required=True, action="extend", metavar="PATH", help="input files, folders and globs"
    )
    add_sources(parser, "prepare")
    groups = add_settings(parser, STAGES["prepare"], varying=TEXT_DEFAULTS)
    for split in ("validation", "test"):
        groups["splits"].add_argument(
            f"--{split}-input", nargs="+", default=[], action="extend", metavar="PATH",
            help=f"files, folders and globs of the {split} split; --input then names those of training "
            "(default: a part of --input is held out)",
        )  # fmt: skip
    groups["tokens"].add_argument(
        "--vocabulary", metavar="FILE",
        help="vocabulary.jsonl of a dataset, or a file of one token per line (default: learned from the text)",
    )  # fmt: skip
    groups["tokens"].add_argument(
        "--tokenizer-model",
        metavar="FILE",
        help="SentencePiece model, for --tokenizer sentencepiece, or tokenizer.json, for --tokenizer bpe",
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
    for split in values.pop("given_splits", "").split(","):
        require(
            not split or getattr(arguments, f"{split}_input"),
            f"{arguments.config} is of a dataset whose {split} split has files of its own, which are missing here. "
            f"Add --{split}-input.",
        )
    given_splits = names_of_given(validation=arguments.validation_input, test=arguments.test_input)
    return prepare_config({**values, "given_splits": given_splits})


def run(arguments: argparse.Namespace) -> int:
    """Prepares a dataset and prints its counts, or lists its input files; returns the exit code.

    Raises:
        UserError: --output is missing, a setting is not allowed, or an input cannot be read.
    """
    config = config_from(arguments)
    if arguments.list:
        _list(arguments, config)
        return 0
    require(arguments.output is not None, "--output is missing; a dataset needs a folder. Add --output DIR.")
    if arguments.detach:
        from textgen.api.background import continue_in_background

        words = [word for word in arguments.words if word != "--detach"]
        return continue_in_background(words, arguments.output)

    from textgen.api.datasets import prepare
    from textgen.commands.inspect import accounts

    manifest = prepare(
        arguments.input,
        arguments.output,
        config=config,
        validation_input=arguments.validation_input,
        test_input=arguments.test_input,
        vocabulary=arguments.vocabulary,
        tokenizer_model=arguments.tokenizer_model,
        beam_flags=arguments.beam_flags,
    )
    show(accounts(manifest))
    return 0


def kept(arguments: argparse.Namespace) -> str:
    """Returns what is left of the work of a command that failed, and how to continue."""
    if arguments.list:
        return "Nothing was changed; run the same command again."
    return "Finished work is kept; run the same command again to continue."


def _list(arguments: argparse.Namespace, config: PrepareConfig) -> None:
    """Prints a line for each file that was found.

    Raises:
        UserError: a file is unreadable, so that a preparation would fail.
    """
    from pipelines.inputs import require_readable
    from textgen.api.datasets import list_inputs

    listed = list_inputs(
        arguments.input,
        config=config,
        output=arguments.output,
        validation_input=arguments.validation_input,
        test_input=arguments.test_input,
    )
    for split, found in listed.items():
        if split == "train" or found.files or found.passed_over:
            _print_files(found, f" of {split}" if config.given_splits else "")
    sys.stdout.flush()
    for found in listed.values():
        require_readable(found.passed_over, config.on_unreadable)


def _print_files(found: "Inputs", of_split: str) -> None:
    from textgen.dataset.storage.passed_over import shown

    for file in found.files:
        show(f"{' '.join((file.format, *file.compression, file.encoding)):<28} {shown(file.path)}")
    for path, reason, detail in found.passed_over:
        show(f"{'-':<28} {shown(path)}: {reason}{f' ({shown(detail)})' * bool(detail)}")
    show(f"{f'files{of_split}':<28} {found.summary()}")
