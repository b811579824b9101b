"""The one way from raw text to token ids and back, for training data and for prompts alike."""

import contextlib
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import tensorflow as tf

from textgen.config import EOS, TOKENIZER_FILE, UNK, TextConfig
from textgen.errors import UserError
from textgen.files import Folder
from textgen.text import vocabulary as vocabularies
from textgen.text.cleaning import clean
from textgen.text.filters import Filter
from textgen.text.filters.cleaned_texts import CleanedTexts
from textgen.text.tokenizers import make_tokenizer
from textgen.text.vocabulary import Vocabulary

_TEXTS = tf.TensorSpec([None], tf.string, "texts")
_FLAGS = tf.TensorSpec([None], tf.bool, "continued")


class TokenizedTexts(NamedTuple):
    """A batch of B texts with T tokens in all, of which U are distinct.

    Attributes:
        cleaned: string[B], the texts that were cut into tokens.
        characters: int32[B], how many code points they have.
        symbols: [U], the distinct tokens in the order in which they come; strings, or int32 code points.
        indices: int32[T], the tokens of all texts, concatenated, as indices into `symbols`.
        lengths: int64[B], how many tokens each text has.
        statistics: float64[B, K], the statistics of all filters, side by side.
    """

    cleaned: tf.Tensor
    characters: tf.Tensor
    symbols: tf.Tensor
    indices: tf.Tensor
    lengths: tf.Tensor
    statistics: tf.Tensor


class Analyzer(tf.Module):
    """Cleans and cuts text; what a vocabulary is counted from."""

    def __init__(self, config: TextConfig, *, filters: Sequence[Filter] = (), model: bytes = b""):
        """`filters` measure the texts; `model` is the content of the file of a tokenizer that comes with one."""
        super().__init__()
        self.config = config
        self.tokenizer = make_tokenizer(config, model)
        self.filters = filters

    # Without autograph, which would take seconds to rewrite code that is all graph operations.
    @tf.function(input_signature=[_TEXTS, _FLAGS], autograph=False)
    def analyze(self, texts: tf.Tensor, continued: tf.Tensor) -> TokenizedTexts:
        """string[B] of UTF-8, and bool[B] that says which of them goes on with the text before it → Tokens."""
        cleaned = clean(texts, self.config, continued)
        ragged = self.tokenizer.tokenize(cleaned)
        symbols, indices = tf.unique(ragged.values)
        documents = CleanedTexts(cleaned, tf.strings.length(cleaned, "UTF8_CHAR"), ragged.row_lengths())
        measured = [filter.measure(documents) for filter in self.filters]
        statistics = tf.concat(measured, axis=1) if measured else tf.zeros([tf.size(texts), 0], tf.float64)
        return TokenizedTexts(cleaned, documents.characters, symbols, indices, documents.lengths, statistics)


class Preprocessor(Analyzer):
    """Cleans and cuts text, looks its tokens up, and joins ids to text again."""

    def __init__(self, config: TextConfig, vocabulary: Vocabulary, *, model: bytes = b""):
        super().__init__(config, model=model)
        self.vocabulary = vocabulary
        self._table = self.tokenizer.table(vocabulary)

    def encode(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """string[B] of UTF-8 → ragged int32 [B, (tokens)], without [BOS] and [EOS]."""
        symbols = self.tokenizer.tokenize(clean(texts, self.config))
        return symbols.with_values(self.ids(symbols.values)).merge_dims(1, 2)

    def ids(self, symbols: tf.Tensor) -> tf.RaggedTensor:
        """Symbols [N] → ragged int32 [N, (ids)]: the ids that each gives, which may be none."""
        ids = self._table.ids(tf.convert_to_tensor(symbols, self.tokenizer.symbol_dtype))
        if self.config.unknown == "drop":
            ids = tf.ragged.boolean_mask(ids, tf.not_equal(ids, UNK))
        return ids

    def decode(self, ids: tf.RaggedTensor) -> tf.Tensor:
        """Ragged int32 [B, (tokens)] → string[B]; reserved ids other than [UNK] have no text."""
        ids = tf.ragged.boolean_mask(ids, (ids > EOS) | tf.equal(ids, UNK))
        return self.tokenizer.detokenize(self._table.texts(ids))


def load(directory: str | Path, config: TextConfig) -> Preprocessor:
    """The preprocessor of a dataset or of a run, in a folder of this machine or at a URL.

    Raises:
        UserError: the folder has no vocabulary, or not the model that the tokenizer comes with.
        OSError: one of them can't be read.
    """
    words = vocabularies.load(directory)
    if not config.tokenizer_model:
        return Preprocessor(config, words)
    folder, model = Folder(directory), b""
    with contextlib.suppress(FileNotFoundError):
        model = folder.read(TOKENIZER_FILE)
    if hashlib.sha256(model).hexdigest() != config.tokenizer_model:
        raise UserError(
            f"{folder.path(TOKENIZER_FILE)} is missing or changed. "
            "Put the SentencePiece model there that the dataset was made with."
        )
    return Preprocessor(config, words, model=model)
