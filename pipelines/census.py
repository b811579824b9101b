"""Stores the result of the counting pass, the census, and learns the vocabulary from it."""

import json
from collections.abc import Mapping
from typing import NamedTuple

import pyarrow as pa

from pipelines.rejected import nothing_left
from pipelines.text_figures import Histogram, vocabulary_sizes
from pipelines.workspace import Workspace
from textgen import files
from textgen.config import SPLITS, TOKENIZER_JSON, VOCABULARY_FILE, PrepareConfig
from textgen.console import say
from textgen.errors import UserError, require
from textgen.text.tokenizers import make_tokenizer
from textgen.text.tokenizers.tokenizer_json import write_json
from textgen.text.vocabulary import Vocabulary

FILE_NAME = "census"
_ALL = 1 << 40

_NOTHING_LEFT = "no document with text is left to train on"
_REMEDY = "Check the input and the cleaning options."


class Census(NamedTuple):
    """Result of the counting pass.

    Attributes:
        counts: number of occurrences in the training split of each of the most frequent tokens.
        documents: number of documents in each split.
        vocabulary_sizes: by a percentage, the size of the vocabulary that leaves so many tokens unknown.
        equal_documents: number of documents with the most frequent text.
    """

    counts: dict[str, int]
    documents: dict[str, int]
    vocabulary_sizes: dict[str, int] = {}
    equal_documents: int = 1


NO_DOCUMENTS = Census({}, dict.fromkeys(SPLITS, 0))
"""Census of an input without units."""


def symbols_to_learn(config: PrepareConfig, workspace: Workspace) -> int:
    """Returns the maximum number of most frequent symbols that learning the vocabulary needs."""
    if workspace.given_vocabulary(config) is not None:
        # A given vocabulary may contain any symbol.
        return _ALL
    tokenizer = make_tokenizer(config.text, workspace.tokenizer_model())
    return tokenizer.symbols_to_learn(config.text.vocabulary_size)


def write_census(
    counts: pa.Table, documents: Mapping[str, int], histogram: Histogram, equal_documents: int, workspace: Workspace
) -> str:
    """Writes the census file: all but the counts as a line of JSON, then the counts as an Arrow stream.

    Args:
        counts: table with the columns `symbol` (binary or int32) and `count` (int64).
        documents: number of documents in each split.
        histogram: for each count, the number of symbols that occur so many times.
        equal_documents: number of documents with the most frequent text.
        workspace: the output folder.

    Returns:
        The path of the file.
    """
    path = workspace.work_path(FILE_NAME)
    head = {
        "documents": documents,
        "histogram": [list(pair) for pair in histogram.items()],
        "equal_documents": equal_documents,
    }
    files.write_atomically(path, json.dumps(head).encode() + b"\n" + table_to_bytes(counts))
    return path


def read_census(config: PrepareConfig, workspace: Workspace) -> Census | None:
    """Returns the census, or None if the counting pass is not done."""
    content = files.read_if_present(workspace.work_path(FILE_NAME))
    if content is None:
        return None
    line, _, stream = content.partition(b"\n")
    head, counts = json.loads(line), by_token(table_from_bytes(stream), config, workspace)
    sizes = vocabulary_sizes(dict(head["histogram"]), config, unknown=unknown_tokens(counts, config, workspace))
    return Census(counts, head["documents"], sizes, head["equal_documents"])


def unknown_tokens(counts: Mapping[str, int], config: PrepareConfig, workspace: Workspace) -> int:
    """Returns how often the unknown word occurs; 0 if there is none."""
    return counts.get(make_tokenizer(config.text, workspace.tokenizer_model()).unknown_word, 0)


def by_token(counts: pa.Table, config: PrepareConfig, workspace: Workspace) -> dict[str, int]:
    """Returns the counts of symbols as a dictionary from the text of each symbol to its count.

    Args:
        counts: table with the columns `symbol` (binary or int32) and `count` (int64).
        config: the settings of the preparation.
        workspace: the output folder, which holds the tokenizer's model.
    """
    token = make_tokenizer(config.text, workspace.tokenizer_model()).token
    return {
        token(symbol): count
        for symbol, count in zip(counts["symbol"].to_pylist(), counts["count"].to_pylist(), strict=True)
    }


def learn(counts: Mapping[str, int], config: PrepareConfig, workspace: Workspace) -> Vocabulary:
    """Returns the vocabulary learned from the counts, or the given vocabulary with its counts in this corpus."""
    tokenizer = make_tokenizer(config.text, workspace.tokenizer_model())
    given = workspace.given_vocabulary(config)
    if given:
        return given._replace(counts=tuple(tokenizer.count(given.tokens, counts)))
    return tokenizer.learn(counts, config.text.vocabulary_size)


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
    if found == len(census.counts) < wanted and not config.given_vocabulary:
        say(
            f"The training text has {found:,} distinct tokens, fewer than the vocabulary size of {wanted:,}; "
            "the vocabulary has all of them."
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


def table_to_bytes(table: pa.Table) -> bytes:
    """Serializes a table as an Arrow stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def table_from_bytes(content: bytes) -> pa.Table:
    """Returns the table that `table_to_bytes` serialized."""
    return pa.ipc.open_stream(content).read_all()


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
