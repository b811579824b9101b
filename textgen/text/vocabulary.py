"""Which tokens have an id: the frequent ones, from id 4 on by falling frequency, ties in the order of their text.

So a low id is a frequent token, which log-uniform sampling needs. The file is JSON Lines, `["the", 14715]` a
line, so that a token may be any text, a newline included.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import tensorflow as tf

from textgen.config import EOS, RESERVED, UNK, VOCABULARY_FILE
from textgen.errors import UserError, require
from textgen.text.tokenizers import Tokenizer

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


def load(directory: Path) -> Vocabulary:
    """The vocabulary of a dataset or of a run.

    Raises:
        UserError: the folder has none, or a damaged one.
    """
    path = directory / VOCABULARY_FILE
    if not path.is_file():
        raise UserError(
            f"{directory} has no {VOCABULARY_FILE}; it is neither a dataset nor a run. Name another folder."
        )
    try:
        return parse(path.read_bytes())
    except UserError as error:
        raise UserError(f"in {directory}: {error}") from None


class VocabularyTable(tf.Module):
    """Symbols to ids and ids to texts, inside a graph."""

    def __init__(self, vocabulary: Vocabulary, tokenizer: Tokenizer):
        super().__init__()
        symbols = [tokenizer.symbol(token) for token in vocabulary.tokens]
        self._texts = tf.constant(vocabulary.texts)
        self._ids = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(
                tf.constant(symbols, tokenizer.symbol_dtype),
                tf.range(FIRST_ID, vocabulary.size, dtype=tf.int32),
            ),
            default_value=UNK,
        )

    def ids(self, symbols: tf.RaggedTensor) -> tf.RaggedTensor:
        """Ragged symbols [B, (tokens)] → ragged int32 [B, (tokens)], UNK for those without an id."""
        return symbols.with_flat_values(self._ids.lookup(symbols.flat_values))

    def texts(self, ids: tf.RaggedTensor) -> tf.RaggedTensor:
        """Ragged int32 [B, (tokens)] → ragged string [B, (tokens)]."""
        return ids.with_flat_values(tf.gather(self._texts, ids.flat_values))
