"""Removes HTML tags, comments, scripts and style sheets.

A < followed by a space, as in "a < b", does not start a tag; "<b and c>" in "a<b and c>d" is taken for one.
"""

import tensorflow as tf

_NOT_SHOWN = r"(?is)<(?:!--.*?-->|script\b[^<>]*>.*?</script[^<>]*>|style\b[^<>]*>.*?</style[^<>]*>)"

# No tag name starts with xx, so that "<xxnumber people>", masked from "<3 people>", is not taken for a tag.
_OPENED = r"<[/!?]?(?:[a-wyzA-WYZ][^<>]*|[xX](?:[^xX<>][^<>]*)?)"
# A tag that is opened within a tag ends with it, so that no tag remains in "<a <b> c>".
_TAG = f"(?:{_OPENED})+>"
_NEW_LINE = r"(?i)</?(?:br|p|div|li|tr|h[1-6]|hr|ul|ol|table|pre|blockquote)\b[^<>]*>"


def strip_tags(texts: tf.Tensor, *, lines: bool) -> tf.Tensor:
    r"""Replaces each tag by a space: "so <b>big</b>" → "so  big "; string [B] → string [B].

    Args:
        texts: string [B].
        lines: whether tags that start a new line in a browser, such as `<br>` and `<p>`, are replaced by `\n`.
    """
    texts = tf.strings.regex_replace(texts, _NOT_SHOWN, " ")
    if lines:
        texts = tf.strings.regex_replace(texts, _NEW_LINE, "\n")
    return tf.strings.regex_replace(texts, _TAG, " ")
