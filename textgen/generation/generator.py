"""Generates text: the whole loop, from prompts to texts, is one graph."""

import tensorflow as tf

from textgen.config import BOS, EOS, PAD, UNK
from textgen.generation.contexts import DecodingState, decoding_context
from textgen.generation.sampling import forbid, sample
from textgen.model.language_model import LanguageModel
from textgen.text.preprocessor import Preprocessor


class Generator(tf.Module):
    """Continues prompts with a model."""

    def __init__(self, model: LanguageModel, preprocessor: Preprocessor, *, boundaries: bool = True):
        """Makes a generator.

        Args:
            model: the network.
            preprocessor: encodes prompts and decodes ids.
            boundaries: whether the documents of the training data begin with [BOS].
        """
        super().__init__()
        self._boundaries = boundaries
        self._model = model
        self._preprocessor = preprocessor
        self._context = decoding_context(model)

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.string, "prompts"),
            tf.TensorSpec([], tf.int32, "tokens"),
            tf.TensorSpec([], tf.float32, "temperature"),
            tf.TensorSpec([], tf.int32, "seed"),
            tf.TensorSpec([], tf.bool, "may_end"),
        ],
        autograph=False,
    )
    def generate(
        self,
        prompts: tf.Tensor,
        tokens: tf.Tensor,
        temperature: tf.Tensor,
        seed: tf.Tensor,
        may_end: tf.Tensor,
    ) -> tf.Tensor:
        """Returns each prompt, string [B], with up to `tokens` new tokens appended, string [B].

        [PAD], [UNK] and [BOS] are never sampled, and [EOS] only if `may_end`; it ends the text. An empty prompt
        begins a document.
        """

        def write(
            i: tf.Tensor, read: DecodingState, ended: tf.Tensor, written: tf.TensorArray
        ) -> tuple[tf.Tensor, DecodingState, tf.Tensor, tf.TensorArray]:
            scores, read = self._context.predict(read)
            logits = forbid(scores, (PAD, UNK, BOS))
            logits = tf.cond(may_end, lambda: logits, lambda: forbid(logits, (EOS,)))
            drawn = sample(logits, temperature=temperature, seed=tf.stack([seed, i]))
            ended = ended | tf.equal(drawn, EOS)
            return i + 1, self._context.append(read, drawn), ended, written.write(i, tf.where(ended, PAD, drawn))

        *_, written = tf.while_loop(
            lambda i, *_: i < tokens,
            write,
            (
                tf.constant(0),
                self._context.begin(self._ids(prompts)),
                tf.zeros_like(prompts, tf.bool),
                tf.TensorArray(tf.int32, size=tokens, element_shape=[None]),
            ),
        )
        ids = tf.RaggedTensor.from_tensor(tf.transpose(written.stack()))
        return self._preprocessor.tokenizer.join(prompts, self._preprocessor.decode(ids))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "prompts")], autograph=False)
    def next_logits(self, prompts: tf.Tensor) -> tf.Tensor:
        """string[B] of prompts → float32 [B, V], the logits of the token after each."""
        logits, _ = self._context.predict(self._context.begin(self._ids(prompts)))
        return logits

    def _ids(self, prompts: tf.Tensor) -> tf.RaggedTensor:
        """Returns [BOS] and the ids of each prompt, ragged int32 [B, (T)]."""
        ids = self._preprocessor.encode(prompts)
        # No row may be empty: cuDNN refuses an empty window, and training has none.
        begins = tf.equal(ids.row_lengths(), 0) | self._boundaries
        begin = tf.RaggedTensor.from_row_lengths(
            tf.fill([tf.math.count_nonzero(begins)], BOS), tf.cast(begins, tf.int64)
        )
        return tf.concat([begin, ids], axis=1)
