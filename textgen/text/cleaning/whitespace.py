r"""White space: runs of it made one space, or kept as it stands.

Either way the plain space, `\n` and `\t` are the only white space that is left, and the only controls.
"""

import tensorflow as tf

from textgen.text.cleaning.rows import update_rows

# Control characters stand between words more often than in them (a stray 0x85 or 0x96 was an ellipsis or a dash in
# Windows-1252). U+FEFF is a byte order mark in the wrong place.
_CONTROLS = r"\x00-\x08\x0b-\x1f\x7f-\x{9f}\x{feff}"
_SPACES = r"\x{a0}\x{1680}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}"
_BREAKS = r"\n\t\x{2028}\x{2029}"
_LINE_ENDS = r"\r\n?|\x{2028}|\x{2029}"

WHITE_SPACE = f" {_CONTROLS}{_SPACES}{_BREAKS}"
"""Inside a character class of RE2: what parts words without a mark."""

# One pass that touches only what changes: a plain space between two words is left alone.
_COLLAPSIBLE = f" *[{WHITE_SPACE[1:]}][{WHITE_SPACE}]*|  +"


def collapse(texts: tf.Tensor, continued: tf.Tensor | None = None) -> tf.Tensor:
    """string[B] → string[B] with one space for every run of white space and controls, and none at either end.

    Where bool[B] `continued` is true, the space that leads on to the words of the text stays.
    """
    texts = tf.strings.regex_replace(texts, _COLLAPSIBLE, " ")
    stripped = tf.strings.strip(texts)
    if continued is None:
        return stripped
    led = continued & tf.not_equal(stripped, "") & tf.equal(tf.strings.substr(texts, 0, 1), " ")
    return update_rows(stripped, led, lambda texts: " " + texts)


def keep_lines(texts: tf.Tensor) -> tf.Tensor:
    r"""string[B] → string[B] with `\n` for every line's end, and a space for other spaces and controls than `\t`."""
    texts = tf.strings.regex_replace(texts, _LINE_ENDS, "\n")
    return tf.strings.regex_replace(texts, f"[{_CONTROLS}{_SPACES}]", " ")
