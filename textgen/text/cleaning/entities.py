"""Decodes HTML character references: `&eacute;`, `&#233;` and `&#xE9;` → é.

All named references of HTML that end in a semicolon are decoded, and all numeric ones. A reference that was escaped
several times is decoded to its character, `&amp;lt;` → <, so that decoding is idempotent.
"""

import html.entities

import tensorflow as tf

from textgen.text.cleaning.rows import contains, update_rows

# `\C` matches a byte, since the substring that is matched may end within a character.
_REFERENCE = r"^([A-Za-z][A-Za-z0-9]*;|#[0-9]{1,7};|#[xX][0-9A-Fa-f]{1,6};)?\C*"
_LONGEST = max(map(len, html.entities.html5))
_DIGITS = 7

# 128 to 159 are Windows-1252: https://html.spec.whatwg.org/#numeric-character-reference-end-state
_WINDOWS = [ord(bytes([code]).decode("cp1252", "ignore") or chr(code)) for code in range(128, 160)]


def decode_entities(texts: tf.Tensor, *, fold: bool) -> tf.Tensor:
    """Replaces character references by their characters: "caf&eacute;" → "café"; string [B] → string [B].

    Args:
        texts: string [B].
        fold: whether the case of the texts was folded, so that names are in lower case: `&rArr;` is then read as
            `&rarr;`.
    """
    names = {name: text for name, text in html.entities.html5.items() if name.endswith(";")}
    if fold:
        names = {name.lower(): text for name, text in names.items()} | names
    return update_rows(texts, contains(texts, "&"), lambda texts: _decode(texts, names))


def _decode(texts: tf.Tensor, names: dict[str, str]) -> tf.Tensor:
    pieces = tf.strings.split(tf.strings.regex_replace(texts, "&(?:amp;)+", "&"), "&")
    before = tf.gather(pieces.flat_values, pieces.row_starts())
    after = pieces[:, 1:]
    references = tf.strings.regex_replace(tf.strings.substr(after.flat_values, 0, _LONGEST), _REFERENCE, r"\1")
    read = tf.where(tf.strings.regex_full_match(references, "#.*"), _numbered(references), _named(references, names))
    size = tf.strings.length(after.flat_values)
    unread = tf.strings.substr(after.flat_values, tf.strings.length(references), size)
    return before + tf.strings.reduce_join(after.with_flat_values(read + unread), axis=-1)


def _named(references: tf.Tensor, names: dict[str, str]) -> tf.Tensor:
    """Returns the characters of named references, string [M] → string [M]; unknown names with their ampersand."""
    # The names come first, so the index of a string among the distinct ones is its index among the names.
    indices = tf.unique(tf.concat([list(names), references], axis=0)).idx[len(names) :]
    known = indices < len(names)
    return tf.where(known, tf.gather(list(names.values()), tf.where(known, indices, 0)), "&" + references)


def _numbered(references: tf.Tensor) -> tf.Tensor:
    """Returns the characters of `#233;` or `#xe9;`, string [M] → string [M]; U+FFFD if there is no such character."""
    base = tf.where(tf.strings.regex_full_match(references, "#[xX].*"), 16, 10)
    digits = tf.strings.regex_replace(references, r"[^0-9A-Fa-f]", "")
    digits = tf.strings.substr("0" * _DIGITS + digits, -_DIGITS, _DIGITS)
    # In ASCII, the low four bits of a digit are its value, and those of a to f in either case are 9 less than theirs.
    codes = tf.cast(tf.io.decode_raw(digits, tf.uint8, fixed_length=_DIGITS), tf.int32)
    values = codes % 16 + tf.where(codes > ord("9"), 9, 0)
    powers = base[:, None] ** tf.range(_DIGITS - 1, -1, -1)
    points = tf.reduce_sum(values * powers, axis=1)
    windows = (points >= 128) & (points < 160)
    points = tf.where(windows, tf.gather(_WINDOWS, tf.where(windows, points - 128, 0)), points)
    return tf.strings.unicode_encode(points[:, None], "UTF-8")
