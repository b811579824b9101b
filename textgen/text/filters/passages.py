"""Counts repeated lines and paragraphs."""

from __future__ import annotations

from textgen.lazy_tensorflow import tf
from textgen.text.filters.occurrences import occurrences

# A character that cleaned text does not hold.
_SEPARATOR = "\f"


def lines(cleaned: tf.Tensor) -> tf.RaggedTensor:
    """Splits cleaned texts into lines that are not empty, string [B] → ragged string [B, (lines)]."""
    return _without_empty(tf.strings.split(cleaned, "\n"))


def paragraphs(cleaned: tf.Tensor) -> tf.RaggedTensor:
    """Splits cleaned texts at empty lines, string [B] → ragged string [B, (paragraphs)]."""
    separated = tf.strings.regex_replace(cleaned, r"\n[ \t]*\n", _SEPARATOR)
    return _without_empty(tf.strings.split(separated, _SEPARATOR))


def count_repeated(passages: tf.RaggedTensor) -> tf.Tensor:
    """Counts passages, and those that occurred before in their document.

    Args:
        passages: ragged string [B, (passages)], lines or paragraphs.

    Returns:
        int64 [B, 4]: number of passages, of their characters, of repeated passages, and of their characters.
    """
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
