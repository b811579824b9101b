"""Writes text: the whole loop, from prompts to texts, is one graph."""

import keras
import tensorflow as tf

from textgen.config import BOS, EOS, PAD, UNK
from textgen.generation.sampling import forbid, sample
from textgen.text.preprocessor import Preprocessor


class Generator(tf.Module):
    """Goes on from prompts with a model that predicts the token after a window."""

    def __init__(self, model: keras.Model, preprocessor: Preprocessor, *, boundaries: bool = True):
        """`boundaries`: whether the model has seen documents begin with [BOS]."""
        super().__init__()
        self._boundaries = boundaries
        self._model = model
        self._preprocessor = preprocessor
        self._window = model.input_shape[1]

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.string, "prompts"),
            tf.TensorSpec([], tf.int32, "tokens"),
            tf.TensorSpec([], tf.float32, "temperature"),
            tf.TensorSpec([], tf.int32, "seed"),
            tf.TensorSpec([], tf.bool, "may_end"),
        ]
    )
    def generate(
        self,
        prompts: tf.Tensor,
        tokens: tf.Tensor,
        temperature: tf.Tensor,
        seed: tf.Tensor,
        may_end: tf.Tensor,
    ) -> tf.Tensor:
        """string[B] of prompts → string[B], each prompt with up to `tokens` new tokens after it.

        [PAD], [UNK] and [BOS] are never drawn; [EOS] only where a text may end, and then the text ends there. An
        empty prompt is a document's beginning.
        """
        x, widths = self._first_windows(prompts)
        written = tf.TensorArray(tf.int32, size=tokens, element_shape=[None])
        ended = tf.zeros_like(widths, tf.bool)
        for i in tf.range(tokens):
            logits = forbid(self._model(x, training=False), (PAD, UNK, BOS))
            logits = tf.cond(may_end, lambda: logits, lambda: forbid(logits, (EOS,)))  # noqa: B023
            drawn = sample(logits, temperature=temperature, seed=tf.stack([seed, i]))
            ended = ended | tf.equal(drawn, EOS)
            written = written.write(i, tf.where(ended, PAD, drawn))
            x, widths = append(x, widths, drawn)
        ids = tf.RaggedTensor.from_tensor(tf.transpose(written.stack()))
        return self._preprocessor.tokenizer.join(prompts, self._preprocessor.decode(ids))

    def _first_windows(self, prompts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The last ids of [BOS] and the prompt: int32 [B, W], padded on the right, and their number, int32 [B]."""
        ids = self._preprocessor.encode(prompts)
        # A window is never empty: cuDNN takes none that is, and there is none in training.
        begins = tf.equal(ids.row_lengths(), 0) | self._boundaries
        begin = tf.RaggedTensor.from_row_lengths(
            tf.fill([tf.math.count_nonzero(begins)], BOS), tf.cast(begins, tf.int64)
        )
        ids = tf.concat([begin, ids], axis=1)[:, -self._window :]
        return ids.to_tensor(PAD, shape=[None, self._window]), tf.cast(ids.row_lengths(), tf.int32)


def append(x: tf.Tensor, widths: tf.Tensor, ids: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Puts an id at the end of each window, whose first id goes where it is full.

    Args:
        x: int32 [B, W], padded on the right.
        widths: int32 [B], how many ids each row has.
        ids: int32 [B].

    Returns:
        The new x and widths.
    """
    window = x.shape[1]
    full = tf.equal(widths, window)
    x = tf.where(full[:, None], tf.roll(x, -1, axis=1), x)
    places = tf.where(full, window - 1, widths)
    rows = tf.range(tf.shape(x)[0])
    return tf.tensor_scatter_nd_update(x, tf.stack([rows, places], axis=1), ids), tf.minimum(widths + 1, window)
