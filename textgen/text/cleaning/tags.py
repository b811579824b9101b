"""Removes HTML tags, comments, scripts and style sheets, and opens CDATA sections.

The rules are those of HTML: a tag's name follows its < at once, so "a < b" has no tag and "x<y>z" has one; a > within
a quoted attribute does not end the tag. A tag that is opened within a tag ends with it, and one that never ends is
text.
"""

import tensorflow as tf

from textgen.text.cleaning.rows import contains, update_rows

# A quotation mark without a second one is a character of an unquoted value.
_ATTRIBUTES = r"""(?:=\s*"[^"]*"|=\s*'[^']*'|[^<>])*"""
_AFTER_NAME = f"(?:[\\s/]{_ATTRIBUTES})?"
_COMMENT = "<!--(?:-?>|.*?--!?>)"
_SCRIPT = "|".join(f"<{name}{_AFTER_NAME}>.*?</{name}{_AFTER_NAME}>" for name in ("script", "style"))
# An instruction of PHP has > in its code.
_DOCTYPE = r"""<!doctype\b(?:"[^"]*"|'[^']*'|\[[^\]]*\]|[^<>"'\[])*>"""
_NOT_SHOWN = rf"(?is){_COMMENT}|{_SCRIPT}|{_DOCTYPE}|<\?(?:php\b|=).*?\?>"

# No tag name starts with xx, so that "<xxnumber people>", masked from "<3 people>", is not taken for a tag.
_OPENED = f"<[/!?]?(?:[a-wyzA-WYZ]{_ATTRIBUTES}|[xX](?:[^xX<>]{_ATTRIBUTES})?)"
_CONDITIONAL = r"<!\[(?i:if|endif)[^<>]*>"
_TAG = f"{_CONDITIONAL}|(?:{_OPENED})+>"
_NEW_LINE = f"(?i)</?(?:br|p|div|li|tr|h[1-6]|hr|ul|ol|table|pre|blockquote){_AFTER_NAME}>"

_CDATA = r"(?is)<!\[cdata\[(.*?)\]\]>"


def open_cdata(texts: tf.Tensor) -> tf.Tensor:
    """Replaces CDATA sections by their content: "<![CDATA[a]]>" → "a"; string [B] → string [B]."""
    return update_rows(texts, contains(texts, r"<!\["), lambda texts: tf.strings.regex_replace(texts, _CDATA, r"\1"))


def strip_tags(texts: tf.Tensor, *, lines: bool) -> tf.Tensor:
    r"""Replaces each tag by a space: "so <b>big</b>" → "so  big "; string [B] → string [B].

    Args:
        texts: string [B].
        lines: whether tags that start a new line in a browser, such as `<br>` and `<p>`, are replaced by `\n`.
    """

    def strip(texts: tf.Tensor) -> tf.Tensor:
        texts = tf.strings.regex_replace(texts, _NOT_SHOWN, " ")
        if lines:
            texts = tf.strings.regex_replace(texts, _NEW_LINE, "\n")
        return tf.strings.regex_replace(texts, _TAG, " ")

    # Removing a tag within a quoted value may end the tag around it.
    for _ in range(2):
        texts = update_rows(texts, contains(texts, "<"), strip)
    return texts
