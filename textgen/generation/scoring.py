"""Scores texts: the log-probability of each token after those before it, in one graph."""

import dataclasses
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from textgen.config import BOS, PAD, UNK
from textgen.generation.prompts import to_bytes
from textgen.model.language_model import LanguageModel
from textgen.text.preprocessor import Preprocessor

_CHUNK = 64
"""Number of tokens that are scored at once."""

_MAX_ROWS = 16
"""Maximum number of texts that are scored at once."""

_LARGEST_LOSS = 709
"""Largest loss whose exponential does not overflow."""


class Scores(NamedTuple):
    """Log-probabilities of the tokens of texts, with the most likely tokens at the position of each.

    Attributes:
        ids: int32 [B, T], PAD after the end of a text.
        log_probabilities: float32 [B, T]; 0 after the end, and NaN for a first token with nothing before it.
        top_ids: int32 [B, T, A], the A most likely tokens, the most likely first.
        top_log_probabilities: float32 [B, T, A].
        lengths: int32 [B], number of tokens.
    """

    ids: tf.Tensor
    log_probabilities: tf.Tensor
    top_ids: tf.Tensor
    top_log_probabilities: tf.Tensor
    lengths: tf.Tensor


@dataclasses.dataclass(frozen=True, kw_only=True)
class Score:
    """Log-probabilities of the tokens of a text.

    Attributes:
        text: the text.
        tokens: its tokens, as they stand in the vocabulary; `[UNK]` is any token that is not in it.
        log_probabilities: natural logarithm of the probability of each token after those before it; None for a first
            token with nothing before it, as in a run whose documents have no beginning.
        loss: mean cross-entropy of the tokens that have a probability, in nats per token; None if there are none.
        perplexity: exponential of the loss; None likewise.
    """

    text: str
    tokens: tuple[str, ...]
    log_probabilities: tuple[float | None, ...]
    loss: float | None
    perplexity: float | None


class Scorer(tf.Module):
    """Scores texts with a model.

    A causal network reads each text from its beginning, and another one the window before each token, as evaluation
    does.
    """

    def __init__(self, model: LanguageModel, preprocessor: Preprocessor, *, boundaries: bool = True):
        """Makes a scorer.

        Args:
            model: the network.
            preprocessor: encodes texts.
            boundaries: whether documents begin with [BOS], after which the first token has a probability.
        """
        super().__init__()
        self._model, self._preprocessor, self._boundaries = model, preprocessor, boundaries
        texts, top = tf.TensorSpec([None], tf.string, "texts"), tf.TensorSpec([], tf.int32, "top")
        self.score = tf.function(self._score, input_signature=[texts, top], autograph=False)
        ids = tf.TensorSpec([None, None], tf.int32, "ids")
        self.score_ids = tf.function(self._score_ids, input_signature=[ids, top], autograph=False)

    def scores(self, texts: Sequence[str]) -> list[Score]:
        """Returns the scores of texts, in their order.

        Raises:
            UserError: a text is too long.
        """
        found: list[Score] = []
        encoded = to_bytes(texts, what="text")
        for i in range(0, len(encoded), _MAX_ROWS):
            batch = tf.constant(encoded[i : i + _MAX_ROWS])
            of_batch = self.score(batch, 0)
            rows = zip(
                batch.numpy(), of_batch.ids.numpy(), of_batch.log_probabilities.numpy(), of_batch.lengths.numpy(),
                strict=True,
            )  # fmt: skip
            found += [self._of_row(text.decode(), ids[:length], row[:length]) for text, ids, row, length in rows]
        return found

    def _of_row(self, text: str, ids: np.ndarray, log_probabilities: np.ndarray) -> Score:
        texts = self._preprocessor.vocabulary.texts
        known = log_probabilities[~np.isnan(log_probabilities)].astype(np.float64)
        loss = -float(known.mean()) if len(known) else None
        return Score(
            text=text,
            tokens=tuple(texts[number] for number in ids),
            log_probabilities=tuple(None if math.isnan(one) else one for one in log_probabilities.tolist()),
            loss=loss,
            perplexity=None if loss is None else math.exp(loss) if loss < _LARGEST_LOSS else math.inf,
        )

    def _score(self, texts: tf.Tensor, top: tf.Tensor) -> Scores:
        """Scores texts, string [B] of valid UTF-8, with the `top` most likely tokens, int32 [], at each position."""
        return self._score_encoded(self._preprocessor.encode(texts), top)

    def _score_ids(self, ids: tf.Tensor, top: tf.Tensor) -> Scores:
        """Scores texts given by their ids, int32 [B, T] with PAD for none; see `_score`."""
        return self._score_encoded(tf.ragged.boolean_mask(ids, ids != PAD), top)

    def _score_encoded(self, encoded: tf.RaggedTensor, top: tf.Tensor) -> Scores:
        lengths = tf.cast(encoded.row_lengths(), tf.int32)
        longest = tf.reduce_max(tf.concat([[0], lengths], axis=0))
        # Not PAD, which masks. The last chunk is as long as the others.
        ids = tf.pad(encoded.to_tensor(UNK), [[0, 0], [0, _CHUNK]], constant_values=UNK)
        unscored = 0 if self._boundaries else 1
        if self._boundaries:
            ids = tf.concat([tf.fill([tf.shape(ids)[0], 1], BOS), ids], axis=1)
        found = self._chunks(ids, tf.maximum(longest - unscored, 0), top)
        if not self._boundaries:
            # The first token has nothing before it.
            nothing = (float("nan"), 0, float("nan"))
            found = tuple(
                tf.pad(tensor, [[0, 0], [1, 0], [0, 0]][: tensor.shape.rank], constant_values=value)
                for tensor, value in zip(found, nothing, strict=True)
            )
        log_probabilities, top_ids, top_log_probabilities = (tensor[:, :longest] for tensor in found)
        is_text = tf.sequence_mask(lengths, longest)
        return Scores(
            encoded.to_tensor(PAD),
            tf.where(is_text, log_probabilities, 0.0),
            top_ids,
            top_log_probabilities,
            lengths,
        )

    def _chunks(self, ids: tf.Tensor, count: tf.Tensor, top: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """Predicts each id after the first from those before it.

        Args:
            ids: int32 [B, T], T at least count + 1.
            count: number of ids to predict.
            top: number A of alternatives.

        Returns:
            Log-probabilities, float32 [B, N], and the alternatives with theirs, [B, N, A]; N is count, or more.
        """
        rows = tf.shape(ids)[0]
        causal = self._model.config.causal
        states = tuple(self._model.initial_states(rows)) if causal else ()
        dtypes = (tf.float32, tf.int32, tf.float32)
        shapes = ([None, None], [None, None, None], [None, None, None])
        arrays = tuple(
            tf.TensorArray(dtype, 0, dynamic_size=True, element_shape=shape, infer_shape=False)
            for dtype, shape in zip(dtypes, shapes, strict=True)
        )

        def score(
            chunk: tf.Tensor, states: tuple[tf.Tensor, ...], arrays: tuple[tf.TensorArray, ...]
        ) -> tuple[tf.Tensor, tuple[tf.Tensor, ...], tuple[tf.TensorArray, ...]]:
            first = chunk * _CHUNK
            if causal:
                logits, after = self._model(ids[:, first : first + _CHUNK], states, training=False)
            else:
                logits, after = self._predict_windows(ids, first), ()
            targets = ids[:, first + 1 : first + _CHUNK + 1]
            log_probabilities = tf.nn.log_softmax(logits)
            best = tf.math.top_k(log_probabilities, tf.minimum(top, self._preprocessor.vocabulary.size))
            found = tf.gather(log_probabilities, targets, batch_dims=2), best.indices, best.values
            arrays = tuple(array.write(chunk, one) for array, one in zip(arrays, found, strict=True))
            return chunk + 1, tuple(after), arrays

        # One chunk at least: a concatenation of none would have no shape.
        chunks = tf.maximum((count + _CHUNK - 1) // _CHUNK, 1)
        *_, arrays = tf.while_loop(lambda chunk, *_: chunk < chunks, score, (tf.constant(0), states, arrays))
        return tuple(_join(array.stack()) for array in arrays)

    def _predict_windows(self, ids: tf.Tensor, first: tf.Tensor) -> tf.Tensor:
        """Returns the logits, float32 [B, N, V], after each of a chunk of positions, by the window up to there."""
        rows, window = tf.shape(ids)[0], self._model.window
        positions = first + tf.range(_CHUNK)
        indices = tf.maximum(positions - window + 1, 0)[:, tf.newaxis] + tf.range(window)
        is_before = indices <= positions[:, tf.newaxis]
        windows = tf.where(is_before, tf.gather(ids, tf.where(is_before, indices, 0), axis=1), PAD)
        logits = self._model(tf.reshape(windows, [rows * _CHUNK, window]), training=False)
        return tf.reshape(logits, [rows, _CHUNK, tf.shape(logits)[-1]])


def _join(chunks: tf.Tensor) -> tf.Tensor:
    """Joins chunks [C, B, N, ...] → [B, C · N, ...]."""
    shape = tf.shape(chunks)
    transposed = tf.transpose(chunks, [1, 0, *range(2, chunks.shape.rank)])
    return tf.reshape(transposed, tf.concat([shape[1:2], shape[:1] * shape[2:3], shape[3:]], axis=0))
