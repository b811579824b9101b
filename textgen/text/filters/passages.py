"""How much of a document is lines, or paragraphs, that it has said before."""

import tensorflow as tf

from textgen.text.filters.occurrences import occurrences

# What is no white space of cleaned text, and parts no words.
_PARTED = "\f"


def lines(cleaned: tf.Tensor) -> tf.RaggedTensor:
    """string[B] → ragged string [B, (lines)], without empty ones."""
    return _without_empty(tf.strings.split(cleaned, "\n"))


def paragraphs(cleaned: tf.Tensor) -> tf.RaggedTensor:
    """string[B] → ragged string [B, (paragraphs)], which are parted by empty lines."""
    return _without_empty(tf.strings.split(tf.strings.regex_replace(cleaned, r"\n[ \t]*\n", _PARTED), _PARTED))


def count_repeated(passages: tf.RaggedTensor) -> tf.Tensor:
    """Ragged string [B, (passages)] → int64[B, 4]: passages, their characters, and both of those that occur again."""
    rows = passages.value_rowids()
    ids = occurrences(passages.flat_values).ids
    repeated = occurrences(ids * passages.nrows() + rows).repeated
    characters = tf.strings.length(passages.flat_values, "UTF8_CHAR")
    each = tf.stack([tf.ones_like(characters), characters], axis=1)
    columns = tf.concat([each, tf.where(repeated[:, None], each, 0)], axis=1)
    return tf.math.unsorted_segment_sum(tf.cast(columns, tf.int64), rows, passages.nrows())


def _without_empty(passages: tf.RaggedTensor) -> tf.RaggedTensor:
    passages = passages.with_flat_values(tf.strings.strip(passages.flat_values))
    return tf.ragged.boolean_mask(passages, tf.not_equal(passages, ""))
