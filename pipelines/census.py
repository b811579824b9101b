"""Learns the vocabulary from the result of the counting pass, the census."""

import heapq
from collections.abc import Mapping

import pyarrow as pa

from pipelines.census_file import NO_DOCUMENTS, Census, by_token, read_census, unknown_tokens
from pipelines.rejected import nothing_left
from pipelines.text_figures import SYMBOL_TOKENIZERS
from pipelines.workspace import Workspace
from textgen.config import TOKENIZER_JSON, VOCABULARY_FILE, PrepareConfig
from textgen.console import say
from textgen.errors import UserError, require
from textgen.text.tokenizers import make_tokenizer
from textgen.text.tokenizers.tokenizer_json import write_json
from textgen.text.vocabulary import Vocabulary

__all__ = [
    "NO_DOCUMENTS", "UNKNOWN_EXAMPLES", "Census", "by_token", "frequent_unknown", "learn", "read_census",
    "symbols_to_learn", "unknown_tokens", "write_sampled_vocabulary", "write_tokenizer", "write_vocabulary",
]  # fmt: skip

UNKNOWN_EXAMPLES = 20
"""Number of tokens outside the vocabulary that the manifest names."""

_MAX_EXAMPLE = 100
"""Maximum number of characters of such a token; longer ones are not named."""

_ALL = 1 << 40

_NOTHING_LEFT = "no document with text is left to train on"
_REMEDY = "Check the input and the cleaning options."


def symbols_to_learn(config: PrepareConfig, workspace: Workspace) -> int:
    """Returns the maximum number of most frequent symbols that learning the vocabulary needs."""
    if workspace.given_vocabulary(config) is not None:
        # A given vocabulary may contain any symbol.
        return _ALL
    tokenizer = make_tokenizer(config.text, workspace.tokenizer_model())
    return tokenizer.symbols_to_learn(config.text.vocabulary_size)


def learn(counts: Mapping[str, int], config: PrepareConfig, workspace: Workspace) -> Vocabulary:
    """Returns the vocabulary learned from the counts, or the given vocabulary with its counts in this corpus."""
    tokenizer = make_tokenizer(config.text, workspace.tokenizer_model())
    given = workspace.given_vocabulary(config)
    if given:
        return given._replace(counts=tuple(tokenizer.count(given.tokens, counts)))
    return tokenizer.learn(counts, config.text.vocabulary_size)


def frequent_unknown(counts: Mapping[str, int], learned: Vocabulary, config: PrepareConfig) -> dict[str, int]:
    """Returns the most frequent tokens of the training text that are not in the vocabulary, with their counts.

    Args:
        counts: number of occurrences of the most frequent symbols.
        learned: the vocabulary.
        config: settings of the preparation; a tokenizer whose symbols are no tokens has no unknown ones to name.
    """
    if config.text.tokenizer not in SYMBOL_TOKENIZERS:
        return {}
    known = {*learned.tokens, make_tokenizer(config.text).unknown_word}
    unknown = (
        (-count, token) for token, count in counts.items() if token not in known and len(token) <= _MAX_EXAMPLE
    )
    return {token: -count for count, token in heapq.nsmallest(UNKNOWN_EXAMPLES, unknown)}


def write_vocabulary(census: Census, config: PrepareConfig, workspace: Workspace) -> None:
    """Learns the vocabulary from the census and writes it to the dataset.

    Raises:
        UserError: a requested split would be empty.
    """
    if not census.documents["train"]:
        raise UserError(f"{_NOTHING_LEFT}: {nothing_left(workspace)}. {_REMEDY}")
    _check_splits(census.documents, config)
    learned = learn(census.counts, config, workspace)
    found, wanted = len(learned.tokens), config.text.vocabulary_size
    if found == len(census.counts) < wanted and config.text.tokenizer != "bpe" and not config.given_vocabulary:
        say(
            f"The training text has {found:,} distinct tokens, fewer than the vocabulary size of {wanted:,}; "
            "the vocabulary has all of them."
        )
    if config.text.tokenizer == "bpe" and found < wanted and not config.given_vocabulary:
        say(
            f"The training text gives {found:,} tokens, fewer than the vocabulary size of {wanted:,}; "
            "no other pair of tokens occurs twice."
        )
    workspace.publish_if_changed(VOCABULARY_FILE, learned.to_bytes())


def write_sampled_vocabulary(counts: pa.Table, config: PrepareConfig, workspace: Workspace) -> None:
    """Learns the vocabulary from the counts of a sample and writes it; empty splits are allowed.

    Args:
        counts: table with the columns `symbol` (binary or int32) and `count` (int64).
        config: the settings of the preparation.
        workspace: the output folder.

    Raises:
        UserError: the sample has no text.
    """
    if not counts.num_rows:
        raise UserError(f"the sample has no document with text: {nothing_left(workspace)}. {_REMEDY}")
    learned = learn(by_token(counts, config, workspace), config, workspace)
    workspace.publish(VOCABULARY_FILE, learned.to_bytes())


def write_tokenizer(learned: Vocabulary, config: PrepareConfig, workspace: Workspace) -> bytes:
    """Writes the file from which other programs load the tokenizer; returns its content, empty for no file."""
    if config.text.tokenizer != "bpe":
        return b""
    content = write_json(learned.tokens)
    workspace.publish_if_changed(TOKENIZER_JSON, content)
    return content


def _check_splits(documents: dict[str, int], config: PrepareConfig) -> None:
    """Raises UserError if a requested split would be empty."""
    for split in filter(None, config.given_splits.split(",")):
        require(
            documents[split] > 0,
            f"the {split} split would be empty: no document of --{split}-input is left. Check its files and "
            "the cleaning options.",
        )
    wanted = {"train": 100.0, **config.held_out_percent()}
    empty = [split for split, percent in wanted.items() if percent and not documents[split]]
    if not empty:
        return
    # With `split_by="tail"`, a document is counted once in each split that has a range of it.
    count = sum(documents.values()) if config.split_by == "document" else max(documents.values())
    found = f"the {' and the '.join(empty)} split would be empty: the input has {count} documents"
    if config.group_field:
        raise UserError(
            f"{found}, and whole groups with one value of {config.group_field!r} are held out. "
            f"Use a higher --{empty[0]}-percent, or --{empty[0]}-percent 0."
        )
    if config.split_by == "document":
        raise UserError(
            f"{found}, and whole documents are held out. "
            f"Use --split-by tail to hold out the last part of every document, or --{empty[0]}-percent 0."
        )
    raise UserError(
        f"{found}, each too short to share. "
        f"Use --split-by document to hold out whole ones, or --{empty[0]}-percent 0."
    )
