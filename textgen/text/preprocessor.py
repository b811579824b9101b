"""Converts raw text to token ids and back: one definition for training data and for prompts."""

import contextlib
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from textgen.config import EOS, TOKENIZER_FILE, UNK, TextConfig, VocabularyRecord
from textgen.errors import UserError
from textgen.folder import Folder
from textgen.text import vocabulary as vocabularies
from textgen.text.cleaning import clean
from textgen.text.cleaning.unicode_forms import TENSORFLOW_TEXT_FORMS, UnicodeForms
from textgen.text.filters import Filter
from textgen.text.filters.cleaned_texts import CleanedTexts
from textgen.text.tokenizers import make_tokenizer, require_tokens
from textgen.text.vocabulary import Vocabulary

if TYPE_CHECKING:
    from textgen.text.compiled.chunk_cache import GraphTokens

_TEXTS = tf.TensorSpec([None], tf.string, "texts")
_FLAGS = tf.TensorSpec([None], tf.bool, "continued")
_CHARACTERS = tf.TensorSpec([None], tf.int32, "characters")
_LENGTHS = tf.TensorSpec([None], tf.int64, "lengths")


class Analyzer(tf.Module):
    """Cleans and tokenizes texts, and measures the statistics of filters; needs no vocabulary."""

    def __init__(self, config: TextConfig, *, filters: Sequence[Filter] = (), model: bytes = b""):
        """Builds the tokenizer.

        Args:
            config: the text settings.
            filters: filters whose statistics are measured.
            model: content of the tokenizer's model file; empty for a tokenizer without one.

        Raises:
            UserError: the model is damaged.
        """
        super().__init__()
        self.config = config
        self.tokenizer = make_tokenizer(config, model)
        self.filters = filters

    def tokenize(self, texts: Sequence[bytes], continued: Sequence[bool]) -> "GraphTokens":
        """Cleans and tokenizes texts.

        Args:
            texts: B texts, valid UTF-8.
            continued: for each text, whether it is a further chunk of the document of the preceding text.
        """
        found = self._tokenize(tf.constant(list(texts), tf.string), tf.constant(list(continued), tf.bool))
        # Its package imports numba, which writing text does not need.
        from textgen.text.compiled.chunk_cache import GraphTokens

        return GraphTokens(*(tensor.numpy() for tensor in found))

    def measure(self, cleaned: Sequence[bytes], characters: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Returns the statistics of all filters, side by side, float64 [B, K].

        Args:
            cleaned: B cleaned texts.
            characters: int64 [B], number of code points per text.
            lengths: int64 [B], number of tokens per text.
        """
        if not self.filters:
            return np.zeros((len(cleaned), 0))
        documents = tf.constant(list(cleaned), tf.string), tf.constant(characters, tf.int32), tf.constant(lengths)
        return self._measure(*documents).numpy()

    # Autograph takes seconds and would convert nothing here.
    @tf.function(input_signature=[_TEXTS, _FLAGS], autograph=False)
    def _tokenize(self, texts: tf.Tensor, continued: tf.Tensor) -> tuple[tf.Tensor, ...]:
        cleaned = clean(texts, self.config, continued)
        ragged = self.tokenizer.tokenize(cleaned)
        symbols, indices = tf.unique(ragged.values)
        return cleaned, tf.strings.length(cleaned, "UTF8_CHAR"), symbols, indices, ragged.row_lengths()

    @tf.function(input_signature=[_TEXTS, _CHARACTERS, _LENGTHS], autograph=False)
    def _measure(self, cleaned: tf.Tensor, characters: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        documents = CleanedTexts(cleaned, characters, lengths)
        measured = [filter.measure(documents) for filter in self.filters]
        return tf.concat([tf.zeros([tf.size(cleaned), 0], tf.float64), *measured], axis=1)


class Preprocessor(Analyzer):
    """Converts texts to ids and ids to texts."""

    def __init__(
        self,
        config: TextConfig,
        vocabulary: Vocabulary,
        *,
        model: bytes = b"",
        forms: UnicodeForms = TENSORFLOW_TEXT_FORMS,
    ):
        """Builds the tokenizer and the lookup table of the vocabulary.

        Args:
            config: the text settings.
            vocabulary: the tokens that have ids.
            model: content of the tokenizer's model file; empty for a tokenizer without one.
            forms: the normal forms of Unicode, for `encode`.

        Raises:
            UserError: the model is damaged, or the vocabulary is that of another tokenizer.
        """
        super().__init__(config, model=model)
        self.vocabulary, self._forms = vocabulary, forms
        if self.tokenizer.symbol_dtype == "int32":
            require_tokens(vocabulary, self.tokenizer, config.tokenizer)
        self._table = self.tokenizer.table(vocabulary)

    @property
    def resources(self) -> list[tf.Module]:
        """The objects with tables and models to which graphs of `encode` and `decode` refer."""
        return [part for part in (self.tokenizer, self._table) if isinstance(part, tf.Module)]

    def encode(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Returns the ids of texts, string [B] of valid UTF-8 → ragged int32 [B, (T)], without [BOS] and [EOS]."""
        symbols = self.tokenizer.tokenize(clean(texts, self.config, forms=self._forms))
        return symbols.with_values(self.ids(symbols.values)).merge_dims(1, 2)

    def ids(self, symbols: tf.Tensor) -> tf.RaggedTensor:
        """Returns the ids of each symbol, string or int32 [N] → ragged int32 [N, (ids)].

        With `unknown="drop"`, an unknown symbol has no ids.
        """
        ids = self._table.ids(tf.convert_to_tensor(symbols, self.tokenizer.symbol_dtype))
        if self.config.unknown == "drop":
            ids = tf.ragged.boolean_mask(ids, tf.not_equal(ids, UNK))
        return ids

    def decode(self, ids: tf.RaggedTensor) -> tf.Tensor:
        """Returns the texts of ids, ragged int32 [B, (T)] → string [B]; reserved ids except [UNK] have no text."""
        ids = tf.ragged.boolean_mask(ids, (ids > EOS) | tf.equal(ids, UNK))
        return self.tokenizer.detokenize(self._table.texts(ids))


def load(directory: str | Path, config: TextConfig, vocabulary: Vocabulary | None = None) -> Preprocessor:
    """Loads the preprocessor of a dataset or run.

    Args:
        directory: path or URL of the folder of the dataset or run.
        config: the text settings of the dataset or run.
        vocabulary: the vocabulary in the folder, checked against what the dataset or run records; None to load it
            without that check.

    Raises:
        UserError: the folder has no vocabulary or that of another tokenizer, or its tokenizer model is missing or has
            another SHA-256 than `config` records.
        OSError: a file can't be read.
    """
    vocabulary = vocabulary or vocabularies.load(directory)
    if not config.tokenizer_model:
        return Preprocessor(config, vocabulary)
    folder, model = Folder(directory), b""
    with contextlib.suppress(FileNotFoundError):
        model = folder.read(TOKENIZER_FILE)
    if hashlib.sha256(model).hexdigest() != config.tokenizer_model:
        raise UserError(
            f"{folder.path(TOKENIZER_FILE)} is missing or changed; it must be the SentencePiece model with which the "
            "dataset was prepared. Copy that file there."
        )
    return Preprocessor(config, vocabulary, model=model)


def load_own(directory: str | Path, config: TextConfig, record: VocabularyRecord) -> Preprocessor:
    """Loads the preprocessor of a dataset, whose vocabulary must be as the manifest records it.

    Args:
        directory: path or URL of the dataset's folder.
        config: the text settings of the dataset.
        record: what the manifest records of the vocabulary.

    Raises:
        UserError: as by `load`, or the vocabulary is another one.
        OSError: a file can't be read.
    """
    return load(directory, config, vocabularies.load_own(directory, record))
