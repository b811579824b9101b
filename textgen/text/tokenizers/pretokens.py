r"""Splits text into pre-tokens, the stretches within which byte-level BPE merges, by the pattern of GPT-2.

The pattern is `'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
(https://github.com/openai/gpt-2/blob/master/src/encoder.py), that of `ByteLevel` in Hugging Face's tokenizers. RE2
has no lookahead, so the last character of a run of white space is set apart first, if another character follows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from textgen.lazy_tensorflow import tf

_WHITE = r"\t-\r \x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}"
"""White_Space of Unicode, for use inside a character class of RE2."""

# In no valid UTF-8, and in no character class.
_BORDER = b"\xff"

_BEFORE_WORD = f"([{_WHITE}])([{_WHITE}][^{_WHITE}])"
_PRETOKEN = rf"'(?:[sdmt]|ll|ve|re)| ?\pL+| ?\pN+| ?[^{_WHITE}\pL\pN]+|[{_WHITE}]+"


def character_kinds(characters: Sequence[str]) -> np.ndarray:
    """Returns int32 [N], the kind of each of N characters: 1 white space, 2 a letter, 3 a number, 4 any other."""
    texts = tf.constant([character.encode() for character in characters], tf.string)
    kinds = [tf.strings.regex_full_match(texts, kind) for kind in (f"[{_WHITE}]", r"\pL", r"\pN", r"\C+")]
    return tf.argmax(tf.stack(kinds), axis=0, output_type=tf.int32).numpy() + 1


def split_pretokens(texts: tf.Tensor) -> tf.RaggedTensor:
    """Splits texts, string [B] of valid UTF-8 → ragged string [B, (P)]: "It's  new!" → It, 's, " ", " new", !.

    The pre-tokens of a text, concatenated, are the text.
    """
    texts = tf.strings.regex_replace(texts, _BEFORE_WORD, rb"\1" + _BORDER + rb"\2")
    texts = tf.strings.regex_replace(texts, _PRETOKEN, rb"\0" + _BORDER)
    found = tf.raw_ops.StringSplit(input=texts, delimiter=_BORDER, skip_empty=True)
    return tf.RaggedTensor.from_value_rowids(found.values, found.indices[:, 0], nrows=found.shape[0], validate=False)
