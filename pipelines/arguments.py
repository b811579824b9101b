"""The command line of a preparation, without Beam and TensorFlow, so that `--help` is quick."""

import argparse
from collections.abc import Sequence
from typing import Any

from textgen.config import FORMATS, TEXT_DEFAULTS, TOKENIZERS, PrepareConfig, SelectionConfig, TextConfig
from textgen.presets import PRESETS

DESCRIPTION = "Text → sharded TFRecords of every (window, next token) pair."

_EPILOG = "Any option of Apache Beam is passed on: --runner, --direct_num_workers, --project, --temp_location, …"

_TEXT_OPTIONS = (
    "tokenizer", "vocabulary_size", "normalization", "case", "whitespace", "punctuation", "html", "urls", "emails",
    "mentions", "numbers", "redactions", "max_repeats", "unknown",
)  # fmt: skip
_SELECTION_OPTIONS = (
    "min_tokens", "max_tokens", "min_letters_percent", "repetition", "duplicates", "near_duplicates",
)  # fmt: skip
_OPTIONS = (
    "format", "text_field", "encoding", "on_invalid", "keep_dropped", "window", "stride", "boundaries", "layout",
    "split_by", "validation_percent", "test_percent",
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of a preparation."""
    parser.epilog = _EPILOG
    parser.add_argument("--output", required=True, metavar="DIR", help="a new folder for the dataset")
    add_input_arguments(parser)


def add_input_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what a dataset is made of. Defaults stand in the configs, so None here means that none was given."""
    parser.add_argument("--input", nargs="+", required=True, metavar="PATH", help="files, folders and globs")
    parser.add_argument("--preset", choices=PRESETS, help="the settings of a notebook, or for a kind of text")
    _add_reading(parser.add_argument_group("what is read"))
    _add_cleaning(parser.add_argument_group("how it is cleaned; all is kept by default"))
    _add_selection(parser.add_argument_group("which documents are kept; those with text by default"))
    _add_tokens(parser.add_argument_group("how it becomes tokens"))
    _add_pairs(parser.add_argument_group("how tokens become pairs"))
    splits = parser.add_argument_group("what is held out")
    splits.add_argument(
        "--split-by", choices=("document", "tail"),
        help="whole documents by their hash (default), or the last part of every document",
    )  # fmt: skip
    splits.add_argument("--validation-percent", type=float, metavar="P", help="default: 5")
    splits.add_argument("--test-percent", type=float, metavar="P", help="default: 5")


def _add_reading(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--format", choices=("auto", *FORMATS),
        help="auto: .csv .tsv .jsonl .parquet by the ending, else a document a file; .gz .bz2 .xz .zst are unpacked",
    )  # fmt: skip
    group.add_argument(
        "--text-field",
        metavar="NAME",
        help="the column that holds the documents, or the path to the field: data.text",
    )
    group.add_argument("--encoding", metavar="NAME", help="what the bytes of text mean; default: utf-8")
    group.add_argument(
        "--on-invalid", choices=("replace", "drop", "fail"),
        help="what becomes of a document with bytes that the encoding does not allow; default: replace, by U+FFFD",
    )  # fmt: skip


def _add_cleaning(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--html", choices=("keep", "strip"), help="tags and entities")
    for name, what, mark in (
        ("urls", "addresses of pages", "xxurl"),
        ("emails", "addresses of mail", "xxemail"),
        ("mentions", "@names", "xxname"),
        ("redactions", "runs such as XXXX or XX/XX/2015", "xxxx"),
    ):
        group.add_argument(f"--{name}", choices=("keep", "mask"), help=f"{what}; mask: {mark}")
    group.add_argument("--numbers", choices=("keep", "zero", "mask"), help="zero: every digit; mask: xxnumber")
    group.add_argument(
        "--max-repeats", type=int, metavar="N", help="the longest run of one character that is kept; 0: any"
    )
    group.add_argument("--normalization", choices=("nfkc", "nfc"), help="the normal form of Unicode; default: nfkc")
    group.add_argument("--case", choices=("fold", "keep"), help="default: fold words and wordpieces, keep others")
    group.add_argument(
        "--whitespace", choices=("collapse", "keep"), help="default: keep for chars and bytes, else collapse"
    )
    group.add_argument("--punctuation", choices=("keep", "separate", "strip"), help="default: separate for words")


def _add_selection(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--min-tokens", type=int, metavar="N", help="drop documents with fewer")
    group.add_argument("--max-tokens", type=int, metavar="N", help="drop documents with more")
    group.add_argument(
        "--min-letters-percent", type=float, metavar="P", help="drop documents that are mostly not letters"
    )
    group.add_argument(
        "--repetition", choices=("keep", "drop"), help="documents that repeat themselves, as Gopher drops"
    )
    group.add_argument("--duplicates", choices=("keep", "drop"), help="documents whose cleaned text was there before")
    group.add_argument(
        "--near-duplicates", type=float, metavar="S", help="drop documents as similar as this to another; usual: 0.8"
    )
    group.add_argument(
        "--keep-dropped", action="store_true", default=None,
        help="write what was dropped, with its reason, to dropped-*.jsonl",
    )  # fmt: skip


def _add_tokens(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--tokenizer", choices=TOKENIZERS, help="default: word")
    group.add_argument("--tokenizer-model", metavar="FILE", help="the .model of sentencepiece")
    group.add_argument(
        "--vocabulary-size", type=int, metavar="N", help="tokens kept; default: 8000 words or wordpieces, 1000 chars"
    )
    group.add_argument(
        "--vocabulary", metavar="FILE", help="a vocabulary.jsonl, or a token a line; default: learned from the text"
    )
    group.add_argument("--unknown", choices=("token", "drop"), help="words without an id; default: token, [UNK]")


def _add_pairs(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--window", type=int, metavar="W", help="tokens before the target; default: 44")
    group.add_argument("--stride", type=int, metavar="N", help="keep every N-th target; default: 1")
    group.add_argument(
        "--no-boundaries", dest="boundaries", action="store_false", default=None, help="leave out [BOS] and [EOS]"
    )
    group.add_argument("--layout", choices=("pairs", "spans"), help="default: pairs, a tf.train.Example each")


def config_from(arguments: argparse.Namespace) -> PrepareConfig:
    """The settings: what was given, else the preset's, else the tokenizer's, else the config's.

    Raises:
        UserError: a setting is out of its range.
    """
    preset = PRESETS[arguments.preset].get("prepare", {}) if arguments.preset else {}
    given = {**preset, **{name: value for name, value in vars(arguments).items() if value is not None}}
    text = {**TEXT_DEFAULTS[given.get("tokenizer", "word")], **_chosen(given, _TEXT_OPTIONS)}
    return PrepareConfig(
        text=TextConfig(**text),
        selection=SelectionConfig(**_chosen(given, _SELECTION_OPTIONS)),
        **_chosen(given, _OPTIONS),
    )


def _chosen(given: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: given[name] for name in names if name in given}
