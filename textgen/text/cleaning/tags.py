"""Text without HTML's tags, comments, scripts and style sheets.

A sign followed by a space, as in "a < b", begins no tag; "a<b and c>d" can't be told from one.
"""

import tensorflow as tf

_UNSEEN = r"(?is)<(?:!--.*?-->|script\b[^<>]*>.*?</script[^<>]*>|style\b[^<>]*>.*?</style[^<>]*>)"

# No name of a tag begins with xx, so that the placeholder of "<3 people>" never comes to look like one.
_OPENED = r"<[/!?]?(?:[a-wyzA-WYZ][^<>]*|[xX](?:[^xX<>][^<>]*)?)"
# What is opened inside a tag ends with it, so that in "<a <b> c>" nothing is left that looks like a tag.
_TAG = f"(?:{_OPENED})+>"
_NEW_LINE = r"(?i)</?(?:br|p|div|li|tr|h[1-6]|hr|ul|ol|table|pre|blockquote)\b[^<>]*>"


def strip_tags(texts: tf.Tensor, *, lines: bool) -> tf.Tensor:
    r"""string[B] → string[B] with a space for every tag, or `\n` for those that break the line where `lines` asks."""
    texts = tf.strings.regex_replace(texts, _UNSEEN, " ")
    if lines:
        texts = tf.strings.regex_replace(texts, _NEW_LINE, "\n")
    return tf.strings.regex_replace(texts, _TAG, " ")
