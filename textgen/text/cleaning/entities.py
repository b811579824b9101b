"""HTML's character references: `&eacute;`, `&#233;` and `&#xE9;` are é.

Every name of HTML that ends in a semicolon is known, and every number. References are undone down to the character
however often they were escaped, so `&amp;lt;` is <, and cleaning twice is cleaning once.
"""

import html.entities

import tensorflow as tf

from textgen.text.cleaning.rows import contains, update_rows

# `\C` is a byte: what is looked at may end inside a character.
_REFERENCE = r"^([A-Za-z][A-Za-z0-9]*;|#[0-9]{1,7};|#[xX][0-9A-Fa-f]{1,6};)?\C*"
_LONGEST = max(map(len, html.entities.html5))
_DIGITS = 7

# 128 to 159 mean what Windows-1252 means by them: https://html.spec.whatwg.org/#numeric-character-reference-end-state
_WINDOWS = [ord(bytes([code]).decode("cp1252", "ignore") or chr(code)) for code in range(128, 160)]


def decode_entities(texts: tf.Tensor, *, fold: bool) -> tf.Tensor:
    """string[B] → string[B] with the characters that references stand for.

    Folded text has folded names: there `&rArr;` can't be told from `&rarr;`, and is read as the latter.
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
    """string[M] of names → string[M], what they stand for, and with an ampersand again those that are none."""
    # With the names first, a name's place among all distinct strings is its place among the names.
    places = tf.unique(tf.concat([list(names), references], axis=0)).idx[len(names) :]
    known = places < len(names)
    return tf.where(known, tf.gather(list(names.values()), tf.where(known, places, 0)), "&" + references)


def _numbered(references: tf.Tensor) -> tf.Tensor:
    """string[M], `#233;` or `#xe9;` → string[M]; a number that is no character's becomes U+FFFD."""
    base = tf.where(tf.strings.regex_full_match(references, "#[xX].*"), 16, 10)
    digits = tf.strings.regex_replace(references, r"[^0-9A-Fa-f]", "")
    digits = tf.strings.substr("0" * _DIGITS + digits, -_DIGITS, _DIGITS)
    # In ASCII, the low four bits of 0 to 9 are their values, and those of a to f, of either case, are nine less.
    codes = tf.cast(tf.io.decode_raw(digits, tf.uint8, fixed_length=_DIGITS), tf.int32)
    values = codes % 16 + tf.where(codes > ord("9"), 9, 0)
    powers = base[:, None] ** tf.range(_DIGITS - 1, -1, -1)
    points = tf.reduce_sum(values * powers, axis=1)
    windows = (points >= 128) & (points < 160)
    points = tf.where(windows, tf.gather(_WINDOWS, tf.where(windows, points - 128, 0)), points)
    return tf.strings.unicode_encode(points[:, None], "UTF-8")
