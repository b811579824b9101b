r"""Collapses runs of white space to one space, or keeps lines and tabs.

In both cases, no white space or control character other than the space, `\n` and `\t` remains.
"""

import tensorflow as tf

from textgen.text.cleaning.rows import update_rows

# Control characters are treated as white space, since they occur between words more often than within them: a stray
# 0x85 or 0x96 was an ellipsis or a dash in Windows-1252. U+FEFF is a misplaced byte order mark.
_CONTROLS = r"\x00-\x08\x0b-\x1f\x7f-\x{9f}\x{feff}"
_SPACES = r"\x{a0}\x{1680}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}"
_BREAKS = r"\n\t\x{2028}\x{2029}"
_LINE_ENDS = r"\r\n?|\x{2028}|\x{2029}"

ZERO_WIDTH_SPACE = r"\x{200b}"
"""Separates words where it remains; where lines are kept it stays, since it has no width."""

WHITE_SPACE = f" {_CONTROLS}{_SPACES}{_BREAKS}{ZERO_WIDTH_SPACE}"
"""White space and control characters, for use inside a character class of RE2."""

# Does not match a single plain space between two words, which needs no change.
_COLLAPSIBLE = f" *[{WHITE_SPACE[1:]}][{WHITE_SPACE}]*|  +"


def collapse(texts: tf.Tensor, continued: tf.Tensor | None = None) -> tf.Tensor:
    r"""Replaces runs of white space and control characters by one space, and strips the ends: " a\n\nb " → "a b".

    Args:
        texts: string [B].
        continued: bool [B], whether a text is a further chunk of a document, so that a space before its first word
            remains; None if none is.

    Returns:
        string [B].
    """
    texts = tf.strings.regex_replace(texts, _COLLAPSIBLE, " ")
    return _stripped(texts, tf.strings.strip(texts), continued)


def collapse_within_lines(texts: tf.Tensor, continued: tf.Tensor | None = None) -> tf.Tensor:
    r"""Replaces every line end by `\n`, and other runs of white space as `collapse` does: " a \r\n\n b " → "a\n\nb".

    Args:
        texts: string [B].
        continued: as in `collapse`.

    Returns:
        string [B], in which every line end remains and no space stands beside one.
    """
    texts = tf.strings.regex_replace(texts, _LINE_ENDS, "\n")
    texts = tf.strings.regex_replace(texts, f"[ \t{_CONTROLS}{_SPACES}{ZERO_WIDTH_SPACE}]+", " ")
    texts = tf.strings.regex_replace(texts, " ?\n ?", "\n")
    return _stripped(texts, tf.strings.regex_replace(texts, "^ | $", ""), continued)


def _stripped(texts: tf.Tensor, stripped: tf.Tensor, continued: tf.Tensor | None) -> tf.Tensor:
    """Returns the stripped texts, with the space before the first word of continued ones; string [B]."""
    if continued is None:
        return stripped
    spaced = continued & tf.not_equal(stripped, "") & tf.equal(tf.strings.substr(texts, 0, 1), " ")
    return update_rows(stripped, spaced, lambda texts: " " + texts)


def keep_lines(texts: tf.Tensor) -> tf.Tensor:
    r"""Replaces every line end by `\n`, and other white space and control characters except `\t` by a space.

    string [B] → string [B].
    """
    texts = tf.strings.regex_replace(texts, _LINE_ENDS, "\n")
    return tf.strings.regex_replace(texts, f"[{_CONTROLS}{_SPACES}]", " ")
