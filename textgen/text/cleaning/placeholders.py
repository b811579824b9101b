"""Replaces matches by placeholders, such as `xxurl` for a URL.

A placeholder consists of lower-case letters, so that no other rule and no tokenizer splits it.
"""

import tensorflow as tf

JOINERS = r"\x{200c}\x{200d}\x{180e}"
"""Zero-width characters within words, for use inside a character class of RE2."""

WORD = r"\pL\pM\pN" + JOINERS
"""Characters of words, for use inside a character class of RE2."""

_BEFORE = f"^|[^{WORD}]"
_AFTER = f"$|[^{WORD}]"


def mask_words(
    texts: tf.Tensor, pattern: str, placeholder: str, *, before: str = _BEFORE, after: str = _AFTER
) -> tf.Tensor:
    """Replaces matches that are not part of a longer word by a placeholder.

    Args:
        texts: string [B].
        pattern: RE2 pattern without capturing groups.
        placeholder: the replacement.
        before: pattern of what may precede a match, without capturing groups.
        after: pattern of what may follow a match, without capturing groups.

    Returns:
        string [B].
    """
    # A character between two matches is consumed by the first one, so the second one is found in the next pass.
    for _ in range(2):
        texts = tf.strings.regex_replace(texts, f"({before})(?:{pattern})({after})", rf"\1{placeholder}\2")
    return texts
