r"""Removes terminal escape sequences: colours, cursor movements, titles and links.

They begin with ESC (ECMA-48 and ECMA-35, as xterm reads them). The one-byte control characters of the same meaning,
U+0080 to U+009F, are not read as such: in text they are mostly marks of Windows-1252.
"""

import tensorflow as tf

from textgen.text.cleaning.rows import contains, update_rows

_COLOUR_OR_MOVE = r"\[[0-?]*(?:[ -/]*[@-~])?"
_TITLE_OR_LINK = r"\][^\x07\x1b\n]*(?:\x07|\x1b\\)"
_DEVICE_STRING = r"[PX^_][^\x1b]*\x1b\\"
_CHARACTER_SET = r"[!-/]+[0-~]"
_OTHER = r"[0-~]"
# An ESC without a sequence is removed too, so that none begins one with what follows.
_SEQUENCE = f"\\x1b+(?:{_COLOUR_OR_MOVE}|{_TITLE_OR_LINK}|{_DEVICE_STRING}|{_CHARACTER_SET}|{_OTHER})?"


def remove_escapes(texts: tf.Tensor) -> tf.Tensor:
    r"""Removes escape sequences: "\x1b[31mred\x1b[0m" → "red"; string [B] → string [B]."""
    return update_rows(texts, contains(texts, r"\x1b"), _remove)


def _remove(texts: tf.Tensor) -> tf.Tensor:
    return tf.strings.regex_replace(texts, _SEQUENCE, "")
