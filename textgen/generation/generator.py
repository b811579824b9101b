"""Writes text: the whole loop, from prompts to texts, is one graph."""

import tensorflow as tf

from textgen.config import BOS, EOS, PAD, UNK
from textgen.generation.contexts import context_of
from textgen.generation.sampling import forbid, sample
from textgen.model.language_model import LanguageModel
from textgen.text.preprocessor import Preprocessor


class Generator(tf.Module):
    """Goes on from prompts."""

    def __init__(self, model: LanguageModel, preprocessor: Preprocessor, *, boundaries: bool = True):
        """`boundaries`: whether the model has seen documents begin with [BOS]."""
        super().__init__()
        self._boundaries = boundaries
        self._model = model
        self._preprocessor = preprocessor
        self._context = context_of(model)

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
        read = self._context.begin(self._ids(prompts))
        written = tf.TensorArray(tf.int32, size=tokens, element_shape=[None])
        ended = tf.zeros_like(prompts, tf.bool)
        for i in tf.range(tokens):
            scores, read = self._context.predict(read)
            logits = forbid(scores, (PAD, UNK, BOS))
            logits = tf.cond(may_end, lambda: logits, lambda: forbid(logits, (EOS,)))  # noqa: B023
            drawn = sample(logits, temperature=temperature, seed=tf.stack([seed, i]))
            ended = ended | tf.equal(drawn, EOS)
            written = written.write(i, tf.where(ended, PAD, drawn))
            read = self._context.append(read, drawn)
        ids = tf.RaggedTensor.from_tensor(tf.transpose(written.stack()))
        return self._preprocessor.tokenizer.join(prompts, self._preprocessor.decode(ids))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "prompts")])
    def next_logits(self, prompts: tf.Tensor) -> tf.Tensor:
        """string[B] of prompts → float32 [B, V], the logits of the token after each."""
        logits, _ = self._context.predict(self._context.begin(self._ids(prompts)))
        return logits

    def _ids(self, prompts: tf.Tensor) -> tf.RaggedTensor:
        """[BOS] and the ids of each prompt."""
        ids = self._preprocessor.encode(prompts)
        # None is empty: cuDNN takes no empty window, and there is none in training.
        begins = tf.equal(ids.row_lengths(), 0) | self._boundaries
        begin = tf.RaggedTensor.from_row_lengths(
            tf.fill([tf.math.count_nonzero(begins)], BOS), tf.cast(begins, tf.int64)
        )
        return tf.concat([begin, ids], axis=1)
