"""Which tokens have an id: the frequent ones, from id 4 on by falling frequency, ties in the order of their text.

So a low id is a frequent token, which log-uniform sampling needs. The file is JSON Lines, `["the", 14715]` a
line, so that a token may be any text, a newline included.
"""

import codecs
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from textgen.config import EOS, RESERVED, VOCABULARY_FILE
from textgen.errors import UserError, require
from textgen.files import Folder

FIRST_ID = EOS + 1


class Vocabulary(NamedTuple):
    """Tokens by id, less the reserved ones, and how often the training split has each.

    `tokens[i]` has the id `i + 4`.
    """

    tokens: tuple[str, ...]
    counts: tuple[int, ...]

    @property
    def size(self) -> int:
        """How many ids there are, the four reserved ones included."""
        return FIRST_ID + len(self.tokens)

    @property
    def texts(self) -> tuple[str, ...]:
        """The text of every id; reserved ids read `[PAD]` and so on."""
        return RESERVED + self.tokens

    def to_bytes(self) -> bytes:
        """The file's content."""
        rows = zip(self.tokens, self.counts, strict=True)
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()

    def fingerprint(self) -> str:
        """SHA-256 of the file's content, as hexadecimal digits."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    def tokens_fingerprint(self) -> str:
        """SHA-256 of the tokens as JSON, as hexadecimal digits: what the ids mean, whatever the counts."""
        return hashlib.sha256(json.dumps(self.tokens).encode()).hexdigest()


def most_frequent(counts: Iterable[tuple[str, int]] | Mapping[str, int], size: int) -> Vocabulary:
    """The `size` most frequent tokens; fewer where there are fewer."""
    pairs = counts.items() if isinstance(counts, Mapping) else counts
    kept = sorted(pairs, key=lambda pair: (-pair[1], pair[0]))[:size]
    return Vocabulary(tuple(token for token, _ in kept), tuple(count for _, count in kept))


def parse(content: bytes) -> Vocabulary:
    """The vocabulary that `to_bytes` wrote.

    Raises:
        UserError: the content is not a vocabulary, or is one without tokens.
    """
    try:
        # Not splitlines: a token may hold U+2028, which JSON leaves as it is.
        rows = [json.loads(line) for line in content.decode().split("\n") if line]
        vocabulary = Vocabulary(tuple(str(token) for token, _ in rows), tuple(int(count) for _, count in rows))
    except (ValueError, TypeError):
        vocabulary = Vocabulary((), ())
    require(
        len(vocabulary.tokens) > 0,
        f"{VOCABULARY_FILE} is damaged: it must hold a JSON list of a token and its count on each line. "
        "Delete it and run the same `textgen prepare` again.",
    )
    return vocabulary


def parse_user_vocabulary(content: bytes, path: str) -> Vocabulary:
    """The vocabulary in a file that a user brings: that of another dataset, or a token a line by falling frequency.

    Raises:
        UserError: the file is not text, or names no token, or one twice.
    """
    content = content.removeprefix(codecs.BOM_UTF8)
    given = _parse_json_lines(content, path) if path.endswith(".jsonl") else _parse_lines(content, path)
    repeated = sorted(token for token, count in Counter(given.tokens).items() if count > 1)
    require(not repeated, f"{path} names {repeated[:1]} more than once. Name each token once.")
    return given


def _parse_json_lines(content: bytes, path: str) -> Vocabulary:
    try:
        return parse(content)
    except UserError:
        raise UserError(
            f"{path} is no vocabulary: it must hold a JSON list of a token and its count on each line. "
            f"Give the {VOCABULARY_FILE} of a dataset, or a .txt file with a token a line."
        ) from None


def _parse_lines(content: bytes, path: str) -> Vocabulary:
    try:
        lines = [line.removesuffix("\r") for line in content.decode().split("\n")]
    except UnicodeDecodeError:
        raise UserError(
            f"{path} is no UTF-8 text. Give a {VOCABULARY_FILE}, or a file with a token a line."
        ) from None
    tokens = tuple(line for line in lines if line)
    require(bool(tokens), f"{path} names no token. Write one on each line, the most frequent first.")
    return Vocabulary(tokens, (0,) * len(tokens))


def load(directory: str | Path) -> Vocabulary:
    """The vocabulary of a dataset or of a run, in a folder of this machine or at a URL.

    Raises:
        UserError: the folder has none, or a damaged one.
        OSError: it can't be read.
    """
    try:
        content = Folder(directory).read(VOCABULARY_FILE)
    except FileNotFoundError:
        raise UserError(
            f"{directory} has no {VOCABULARY_FILE}; it is neither a dataset nor a run. Name another folder."
        ) from None
    try:
        return parse(content)
    except UserError as error:
        raise UserError(f"in {directory}: {error}") from None
