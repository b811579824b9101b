"""Runs of one character, cut: "soooooo" is "sooo"."""

import string

import tensorflow as tf

from textgen.text.cleaning.rows import has_non_ascii, update_rows
from textgen.text.cleaning.whitespace import WHITE_SPACE

_ASCII = string.ascii_letters + string.punctuation
# Runs of this many and one more are looked for; whether they are long enough is told by counting.
_SUSPECT = 8


def limit_repeats(texts: tf.Tensor, *, longest: int, spared: str = "") -> tf.Tensor:
    """string[B] → string[B] with no run of one character longer than `longest`.

    White space has its own rule, a number with fewer digits is another number, and the letters of `spared` are those
    of placeholders: runs of these stay.
    """
    run = min(longest, _SUSPECT) + 1
    runs = "|".join(f"\\x{ord(character):02x}{{{run}}}" for character in _ASCII if character not in spared)
    suspects = has_non_ascii(texts) | tf.strings.regex_full_match(texts, f"(?s).*(?:{runs}).*")
    return update_rows(texts, suspects, lambda texts: _cut(texts, longest, f"[{WHITE_SPACE}\\p{{Nd}}{spared}]"))


def _cut(texts: tf.Tensor, longest: int, spared: str) -> tf.Tensor:
    characters = tf.strings.unicode_decode(texts, "UTF-8")
    excess = tf.where(_goes_on(characters, longest))
    found = tf.strings.unicode_encode(tf.gather(characters.flat_values, excess), "UTF-8")
    excess = tf.boolean_mask(excess, ~tf.strings.regex_full_match(found, spared))
    kept = tf.tensor_scatter_nd_update(
        tf.ones_like(characters.flat_values, tf.bool), excess, tf.zeros_like(excess[:, 0], tf.bool)
    )
    # To encode is slow, so what stands as it stood is not.
    rows = tf.unique(tf.searchsorted(characters.row_splits, excess[:, 0], side="right") - 1).y
    cut = tf.ragged.boolean_mask(tf.gather(characters, rows), tf.gather(characters.with_flat_values(kept), rows))
    return tf.tensor_scatter_nd_update(texts, rows[:, None], tf.strings.unicode_encode(cut, "UTF-8"))


def _goes_on(characters: tf.RaggedTensor, longest: int) -> tf.Tensor:
    """Ragged int32 [B, (characters)], no row empty → bool[C], which have `longest` equal ones right before them."""
    codes = characters.flat_values
    repeated = tf.concat([codes[:1] < 0, tf.equal(codes[1:], codes[:-1])], axis=0)
    starts = characters.row_starts()[:, None]
    repeated = tf.tensor_scatter_nd_update(repeated, starts, tf.zeros_like(starts[:, 0], tf.bool))
    count = tf.cumsum(tf.cast(repeated, tf.int32))
    return tf.equal(count - tf.pad(count, [[longest, 0]])[:-longest], longest)
