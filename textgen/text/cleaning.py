r"""The rules that make text regular, as graph operations on string[B].

Patterns are RE2, where `\s` and `\w` mean ASCII alone; so every class is spelt out.
"""

import tensorflow as tf
import tensorflow_text as tf_text

from textgen.config import TextConfig

# White space other than the plain space, and control characters, which stand between words more often than in
# them (a stray 0x85 or 0x96 was an ellipsis or a dash in Windows-1252). Space separators that NFKC makes plain
# are absent. U+FEFF is a byte order mark in the wrong place.
_CONTROLS_AND_BREAKS = r"\x00-\x1f\x7f-\x{9f}\x{1680}\x{2028}\x{2029}\x{feff}"
_LINE_ENDS = r"\r\n?|\x{2028}|\x{2029}"
_CONTROLS = r"\x00-\x08\x0b-\x1f\x7f-\x{9f}\x{1680}\x{feff}"

# One pass that touches only what changes: a plain space between two words is left alone.
_COLLAPSIBLE = f" *[{_CONTROLS_AND_BREAKS}][ {_CONTROLS_AND_BREAKS}]*|  +"


def clean(texts: tf.Tensor, config: TextConfig) -> tf.Tensor:
    r"""Normal form NFKC, case, punctuation (where it is stripped), white space and control characters.

    "It’s  Ahab!\r\n" becomes "it’s ahab!", or "its ahab" with punctuation stripped. Cleaning what is clean
    changes nothing.

    Args:
        texts: string[B], UTF-8.
        config: `case`, `punctuation` and `whitespace` choose the rules.

    Returns:
        string[B], UTF-8.
    """
    texts = tf_text.normalize_utf8(texts, "NFKC")
    if config.case == "fold":
        # Folding can undo the normal form, as in U+0390.
        texts = tf_text.normalize_utf8(tf_text.case_fold_utf8(texts), "NFKC")
    if config.punctuation == "strip":
        # An apostrophe gone, a letter and an accent may stand side by side and join.
        texts = tf_text.normalize_utf8(strip_punctuation(texts), "NFKC")
    if config.whitespace == "collapse":
        return tf.strings.strip(tf.strings.regex_replace(texts, _COLLAPSIBLE, " "))
    return keep_lines(texts)


def strip_punctuation(texts: tf.Tensor) -> tf.Tensor:
    """Removes apostrophes ("don't" becomes "dont") and makes every other mark and symbol a space."""
    texts = tf.strings.regex_replace(texts, "['’]", "")
    return tf.strings.regex_replace(texts, r"[\pP\pS]+", " ")


def keep_lines(texts: tf.Tensor) -> tf.Tensor:
    r"""Keeps white space as it stands, with `\n` for every line's end and no control characters but `\n`, `\t`."""
    texts = tf.strings.regex_replace(texts, _LINE_ENDS, "\n")
    return tf.strings.regex_replace(texts, f"[{_CONTROLS}]", " ")
