"""Shortens runs of one character."""

import string

import tensorflow as tf

from textgen.text.cleaning.rows import has_non_ascii, update_rows
from textgen.text.cleaning.whitespace import WHITE_SPACE

_ASCII = string.ascii_letters + string.punctuation
# Texts with runs longer than this are decoded and counted, since a pattern for longer runs is slow.
_SUSPECT = 8


def limit_repeats(texts: tf.Tensor, *, longest: int, spared: str = "") -> tf.Tensor:
    """Shortens runs of one character: "soooooo" → "sooo" for `longest=3`; string [B] → string [B].

    Runs of white space remain, which have their own rule, and runs of digits, since a number with fewer digits is
    another number.

    Args:
        texts: string [B].
        longest: maximum length of a run, in characters.
        spared: characters whose runs remain, such as the x of placeholders.
    """
    run = min(longest, _SUSPECT) + 1
    runs = "|".join(f"\\x{ord(character):02x}{{{run}}}" for character in _ASCII if character not in spared)
    suspects = has_non_ascii(texts) | tf.strings.regex_full_match(texts, f"(?s).*(?:{runs}).*")
    return update_rows(texts, suspects, lambda texts: _shorten(texts, longest, f"[{WHITE_SPACE}\\p{{Nd}}{spared}]"))


def _shorten(texts: tf.Tensor, longest: int, spared: str) -> tf.Tensor:
    """Shortens runs in string [B], except those of characters that the RE2 class `spared` matches."""
    characters = tf.strings.unicode_decode(texts, "UTF-8")
    excess = tf.where(_exceeds(characters, longest))
    found = tf.strings.unicode_encode(tf.gather(characters.flat_values, excess), "UTF-8")
    excess = tf.boolean_mask(excess, ~tf.strings.regex_full_match(found, spared))
    kept = tf.tensor_scatter_nd_update(
        tf.ones_like(characters.flat_values, tf.bool), excess, tf.zeros_like(excess[:, 0], tf.bool)
    )
    # Encoding is slow, so only the rows that change are encoded.
    rows = tf.unique(tf.searchsorted(characters.row_splits, excess[:, 0], side="right") - 1).y
    shortened = tf.ragged.boolean_mask(
        tf.gather(characters, rows), tf.gather(characters.with_flat_values(kept), rows)
    )
    return tf.tensor_scatter_nd_update(texts, rows[:, None], tf.strings.unicode_encode(shortened, "UTF-8"))


def _exceeds(characters: tf.RaggedTensor, longest: int) -> tf.Tensor:
    """Returns whether each character follows at least `longest` equal ones in its row.

    Args:
        characters: ragged int32 [B, (characters)], code points; no row is empty.
        longest: number of equal characters.

    Returns:
        bool [C], for the characters of all rows.
    """
    codes = characters.flat_values
    repeated = tf.concat([codes[:1] < 0, tf.equal(codes[1:], codes[:-1])], axis=0)
    starts = characters.row_starts()[:, None]
    repeated = tf.tensor_scatter_nd_update(repeated, starts, tf.zeros_like(starts[:, 0], tf.bool))
    count = tf.cumsum(tf.cast(repeated, tf.int32))
    return tf.equal(count - tf.pad(count, [[longest, 0]])[:-longest], longest)
