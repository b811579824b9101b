"""Learns, reads and writes the vocabulary: the most frequent tokens, with ids from 4 on.

Tokens are sorted by falling frequency, ties by text, so that log-uniform sampling of ids is valid. The file is JSON
Lines with one `["the", 14715]` per line, so that a token may be any text, even one with a newline.
"""

import codecs
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from textgen.config import EOS, RESERVED, VOCABULARY_FILE, VocabularyRecord
from textgen.config.schema import SchemaError
from textgen.config.vocabulary_rows import MAX_BYTES, parse_rows, tokens_sha256
from textgen.errors import UserError, require
from textgen.folder import Folder

FIRST_ID = EOS + 1


class Vocabulary(NamedTuple):
    """Tokens and their counts.

    Attributes:
        tokens: the tokens without the reserved ones; `tokens[i]` has the id `i + 4`.
        counts: number of occurrences of each token in the training split; zeros for a vocabulary from a text file.
    """

    tokens: tuple[str, ...]
    counts: tuple[int, ...]

    @property
    def size(self) -> int:
        """Number of ids, including the four reserved ones."""
        return FIRST_ID + len(self.tokens)

    @property
    def texts(self) -> tuple[str, ...]:
        """Text of every id; the reserved ids have the texts `[PAD]`, `[UNK]`, `[BOS]` and `[EOS]`."""
        return RESERVED + self.tokens

    def without(self, token: str) -> "Vocabulary":
        """Returns the vocabulary without a token; it need not have it."""
        rows = [row for row in zip(self.tokens, self.counts, strict=True) if row[0] != token]
        return Vocabulary(tuple(token for token, _ in rows), tuple(count for _, count in rows))

    def unused(self) -> tuple[str, ...]:
        """Returns the tokens that do not occur."""
        return tuple(token for token, count in zip(self.tokens, self.counts, strict=True) if not count)

    def to_bytes(self) -> bytes:
        """Returns the content of the vocabulary file."""
        rows = zip(self.tokens, self.counts, strict=True)
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()

    def fingerprint(self) -> str:
        """Returns the SHA-256 of the file's content, as hexadecimal digits."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    def tokens_fingerprint(self) -> str:
        """Returns the SHA-256 of the tokens as JSON, as hexadecimal digits; it does not depend on the counts."""
        return tokens_sha256(self.tokens)


def most_frequent(counts: Iterable[tuple[str, int]] | Mapping[str, int], size: int) -> Vocabulary:
    """Returns the vocabulary of the `size` most frequent tokens, or of all tokens if there are fewer.

    >>> most_frequent({"sea": 2, "whale": 5, "boat": 2}, 2).tokens
    ('whale', 'boat')
    """
    pairs = counts.items() if isinstance(counts, Mapping) else counts
    kept = sorted(pairs, key=lambda pair: (-pair[1], pair[0]))[:size]
    return Vocabulary(tuple(token for token, _ in kept), tuple(count for _, count in kept))


_RULE = "Each line must be a JSON list of a token and its count."
_REMEDY = "Delete it and run the same `textgen prepare` again."


def parse(content: bytes, *, size: int | None = None, remedy: str = _REMEDY) -> Vocabulary:
    """Returns the vocabulary that `to_bytes` wrote.

    Args:
        content: content of the file.
        size: number of ids that it must have, the reserved ones included; None for any.
        remedy: what to do about a damaged file, for the error.

    Raises:
        UserError: the content is not a vocabulary, has no tokens or one twice, or has another size.
    """
    try:
        return Vocabulary(*parse_rows(content, rows=None if size is None else size - FIRST_ID))
    except SchemaError as error:
        raise UserError(f"{VOCABULARY_FILE} is damaged: {error}. {_RULE} {remedy}") from None


def parse_user_vocabulary(content: bytes, path: str) -> Vocabulary:
    """Returns the vocabulary in a file given by the user.

    Args:
        content: content of a dataset's vocabulary file, or text with one token per line, by falling frequency.
        path: path of the file; it ends in `.jsonl` for a vocabulary file of a dataset.

    Raises:
        UserError: the file is damaged, is not UTF-8, has no tokens, or has a token more than once.
    """
    content = content.removeprefix(codecs.BOM_UTF8)
    if not path.endswith(".jsonl"):
        return _parse_lines(content, path)
    try:
        return Vocabulary(*parse_rows(content))
    except SchemaError as error:
        raise UserError(
            f"{path} is not a vocabulary: {error}. {_RULE} "
            f"Give the {VOCABULARY_FILE} of a dataset, or a .txt file with one token per line."
        ) from None


def _parse_lines(content: bytes, path: str) -> Vocabulary:
    """Parses a text file with one token per line; raises UserError if it is not UTF-8 or has no tokens."""
    try:
        lines = [line.removesuffix("\r") for line in content.decode().split("\n")]
    except UnicodeDecodeError:
        raise UserError(
            f"{path} is not UTF-8 text. "
            f"Give the {VOCABULARY_FILE} of a dataset, or a text file with one token per line."
        ) from None
    tokens = tuple(line for line in lines if line)
    require(bool(tokens), f"{path} has no tokens. Write one per line, the most frequent first.")
    repeated = sorted(token for token, count in Counter(tokens).items() if count > 1)
    if repeated:
        raise UserError(
            f"{path} has the token {repeated[0]!r} more than once; tokens must be unique. Keep one of them."
        )
    return Vocabulary(tokens, (0,) * len(tokens))


def load(directory: str | Path, *, size: int | None = None, remedy: str = _REMEDY) -> Vocabulary:
    """Loads the vocabulary of a dataset or run.

    Args:
        directory: path or URL of the folder of the dataset or run.
        size: number of ids that it must have, the reserved ones included; None for any.
        remedy: what to do about a damaged file, for the error.

    Raises:
        UserError: the folder has no vocabulary, a damaged one, or one of another size.
        OSError: the file can't be read.
    """
    return _parse_of(directory, _read(directory), size=size, remedy=remedy)


def load_own(directory: str | Path, record: VocabularyRecord) -> Vocabulary:
    """Loads the vocabulary of a dataset, and checks that it is the one with which its shards were written.

    Args:
        directory: path or URL of the dataset's folder.
        record: what the manifest records of the vocabulary.

    Raises:
        UserError: the folder has no vocabulary, a damaged one, or another one.
        OSError: the file can't be read.
    """
    content = _read(directory)
    found = hashlib.sha256(content).hexdigest() == record.sha256 and _parse_of(directory, content, size=record.size)
    if not found or found.tokens_fingerprint() != record.tokens_sha256:
        raise UserError(
            f"{directory} has a vocabulary that is not its own: {VOCABULARY_FILE} differs from what the manifest "
            f"records. Run `textgen verify {directory}`."
        )
    return found


def _read(directory: str | Path) -> bytes:
    try:
        return Folder(directory).read(VOCABULARY_FILE, max_bytes=MAX_BYTES)
    except FileNotFoundError:
        raise UserError(
            f"{directory} has no {VOCABULARY_FILE}; it is neither a dataset nor a run. Give another folder."
        ) from None


def _parse_of(directory: str | Path, content: bytes, *, size: int | None, remedy: str = _REMEDY) -> Vocabulary:
    try:
        return parse(content, size=size, remedy=remedy)
    except UserError as error:
        raise UserError(f"in {directory}: {error}") from None
