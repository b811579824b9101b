"""The command line of a preparation, without Beam and TensorFlow, so that `--help` is quick."""

import argparse
from collections.abc import Sequence
from typing import Any

from textgen.config import PRESETS, TEXT_DEFAULTS, PrepareConfig, TextConfig

DESCRIPTION = "Text and CSV files → sharded TFRecords of every (window, next token) pair."

_EPILOG = "Any option of Apache Beam is passed on: --runner, --direct_num_workers, --project, --temp_location, …"

_TEXT_OPTIONS = ("tokenizer", "vocabulary_size", "case", "whitespace", "punctuation", "unknown")
_OPTIONS = (
    "format", "text_field", "window", "stride", "boundaries", "layout",
    "split_by", "validation_percent", "test_percent",
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options. Their defaults stand in the configs, so None here means that none was given."""
    parser.epilog = _EPILOG
    parser.add_argument("--input", nargs="+", required=True, metavar="GLOB", help="text and CSV files")
    parser.add_argument("--output", required=True, metavar="DIR", help="a new folder for the dataset")
    parser.add_argument("--preset", choices=PRESETS, help="the settings of one of the two notebooks")
    text = parser.add_argument_group("what is read")
    text.add_argument(
        "--format", choices=("auto", "document", "lines", "csv"),
        help="text files as one document a file or one a line; auto: .csv by its ending, else a document a file",
    )  # fmt: skip
    text.add_argument("--text-field", metavar="COLUMN", help="the column of a CSV file that holds the documents")
    tokens = parser.add_argument_group("how it becomes tokens")
    tokens.add_argument("--tokenizer", choices=("word", "char"), help="default: word")
    tokens.add_argument(
        "--vocabulary-size", type=int, metavar="N", help="tokens kept; default: 8000 words, 1000 chars"
    )
    tokens.add_argument("--case", choices=("fold", "keep"), help="default: fold words, keep chars")
    tokens.add_argument(
        "--whitespace", choices=("collapse", "keep"), help="default: collapse for words, keep for chars"
    )
    tokens.add_argument(
        "--punctuation",
        choices=("keep", "separate", "strip"),
        help="default: separate for words, keep for chars",
    )
    tokens.add_argument("--unknown", choices=("token", "drop"), help="words without an id; default: token, [UNK]")
    pairs = parser.add_argument_group("how tokens become pairs")
    pairs.add_argument("--window", type=int, metavar="W", help="tokens before the target; default: 44")
    pairs.add_argument("--stride", type=int, metavar="N", help="keep every N-th target; default: 1")
    pairs.add_argument(
        "--no-boundaries",
        dest="boundaries",
        action="store_false",
        default=None,
        help="leave out [BOS] and [EOS]",
    )
    pairs.add_argument("--layout", choices=("pairs", "spans"), help="default: pairs, a tf.train.Example each")
    splits = parser.add_argument_group("what is held out")
    splits.add_argument(
        "--split-by", choices=("document", "tail"),
        help="whole documents by their hash (default), or the last part of every document",
    )  # fmt: skip
    splits.add_argument("--validation-percent", type=float, metavar="P", help="default: 5")
    splits.add_argument("--test-percent", type=float, metavar="P", help="default: 5")


def config_from(arguments: argparse.Namespace) -> PrepareConfig:
    """The settings: what was given, else the preset's, else the tokenizer's, else the config's.

    Raises:
        UserError: a setting is out of its range.
    """
    preset = PRESETS[arguments.preset]["prepare"] if arguments.preset else {}
    given = {**preset, **{name: value for name, value in vars(arguments).items() if value is not None}}
    text = {**TEXT_DEFAULTS[given.get("tokenizer", "word")], **_chosen(given, _TEXT_OPTIONS)}
    return PrepareConfig(text=TextConfig(**text), **_chosen(given, _OPTIONS))


def _chosen(given: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: given[name] for name in names if name in given}
