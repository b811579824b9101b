"""Words in place of what takes a thousand forms: `xxurl` for an address, `xxnumber` for a number.

A placeholder is lower-case letters alone, so that no other rule and no tokenizer takes it apart.
"""

import tensorflow as tf

WORD = r"\pL\pM\pN"
"""Inside a character class of RE2: what words are made of."""

_BEFORE = f"^|[^{WORD}]"
_AFTER = f"$|[^{WORD}]"


def mask_words(
    texts: tf.Tensor, pattern: str, placeholder: str, *, before: str = _BEFORE, after: str = _AFTER
) -> tf.Tensor:
    """string[B] → string[B], with the placeholder for what matches and is no part of a longer word.

    `before` and `after` are what may stand beside it; no pattern has groups that capture.
    """
    # Where two matches share what stands between them, it goes to the first, so the second is left to the next pass.
    for _ in range(2):
        texts = tf.strings.regex_replace(texts, f"({before})(?:{pattern})({after})", rf"\1{placeholder}\2")
    return texts
