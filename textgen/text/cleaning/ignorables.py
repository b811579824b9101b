"""Removes the characters without a shape, except where a word or an emoji is spelled with them.

Unicode calls them default ignorable code points: joiners, soft hyphens, direction marks, variation selectors and
others. Those that remain are

- a joiner or non-joiner of a word in a script that joins its letters, as in Persian and Sinhala (UAX #31, 2.3);
- a joiner between two symbols of an emoji, and the tags of a flag (UTS #51);
- a variation selector after a character that it can change: a symbol, an ideograph, a Mongolian letter;
- a zero-width space beside a letter of a script that writes no spaces between words, as Thai and Khmer. It separates
  words there (The Unicode Standard, 23.2); in other scripts it allows a line break, and is removed.
"""

from collections.abc import Callable

import tensorflow as tf

from textgen.text.cleaning.rows import CleaningRule
from textgen.text.cleaning.whitespace import ZERO_WIDTH_SPACE

IGNORABLE = (
    r"\x{ad}\x{34f}\x{61c}\x{115f}\x{1160}\x{17b4}\x{17b5}\x{180b}-\x{180f}\x{200b}-\x{200f}\x{202a}-\x{202e}"
    r"\x{2060}-\x{206f}\x{3164}\x{fe00}-\x{fe0f}\x{feff}\x{ffa0}\x{fff0}-\x{fff8}\x{1bca0}-\x{1bca3}"
    r"\x{1d173}-\x{1d17a}\x{e0000}-\x{e0fff}"
)
"""Default_Ignorable_Code_Point of Unicode, for use inside a character class of RE2."""


def _scripts(names: str) -> str:
    return "".join(f"\\p{{{name}}}" for name in names.split())


# The scripts of UAX #31, tables 4 to 7, in which a joiner changes the form of a letter; and the points of Arabic.
_JOINING = r"\x{64b}-\x{655}\x{670}" + _scripts(
    "Adlam Arabic Hanifi_Rohingya Mandaic Manichaean Mongolian Nko Old_Uyghur Phags_Pa Psalter_Pahlavi Sogdian "
    "Syriac Balinese Batak Bengali Bhaiksuki Brahmi Buginese Chakma Devanagari Grantha Gujarati Gurmukhi "
    "Javanese Kaithi Kannada Khmer Khojki Khudawadi Lepcha Limbu Malayalam Meetei_Mayek Modi Myanmar Newa Oriya "
    "Rejang Saurashtra Sharada Sinhala Sundanese Syloti_Nagri Tai_Tham Takri Tamil Telugu Tibetan Tirhuta"
)
_INDIC_OR_ARABIC = (
    "Arabic", "Bengali", "Devanagari", "Gujarati", "Gurmukhi", "Kannada", "Malayalam", "Oriya", "Sinhala", "Tamil",
    "Telugu",
)  # fmt: skip
# RE2 intersects classes as complements of the union of complements: the letters and marks of scripts without case.
_JOINED = "|".join(f"[^\\P{{{script}}}\\P{{{category}}}]" for script in _INDIC_OR_ARABIC for category in "LM")
_UNSPACED = r"\x{30fc}" + _scripts(
    "Ahom Balinese Han Hiragana Javanese Katakana Khmer Lao Myanmar New_Tai_Lue Tai_Le Tai_Tham Tai_Viet Thai Tibetan"
)
_WORD = r"\pL\pM\pN"
_SYMBOL = r"\p{So}\p{Sm}\x{1f3fb}-\x{1f3ff}"
# With the emoji that are letters or punctuation.
_VARIED_SYMBOL = r"\p{So}\p{Sm}\x{2139}\x{203c}\x{2049}\x{3030}"
_SELECTED = (
    f"[{_VARIED_SYMBOL}][\\x{{fe00}}-\\x{{fe0f}}]"
    "|\\p{Han}[\\x{fe00}-\\x{fe0f}\\x{e0100}-\\x{e01ef}]"
    "|\\p{Mongolian}[\\x{180b}-\\x{180d}\\x{180f}]"
    "|[\\p{Myanmar}\\p{Phags_Pa}]\\x{fe00}"
)
_KEYCAP = r"[0-9#*]\x{fe0f}\C*\x{20e3}"
_TAGGED_FLAG = r"\x{1f3f4}[\x{e0020}-\x{e007e}]+\x{e007f}\C*"

_ONE_JOINER = r"[\x{200c}\x{200d}]"
_JOINER, _NON_JOINER = "\u200d", "\u200c"
_NEITHER_JOINER = r"[^\x{200c}\x{200d}\x{180e}]+"


def has_ignorables(texts: tf.Tensor) -> tf.Tensor:
    """Returns whether each text has an ignorable character, string [B] → bool [B]."""
    return ~tf.strings.regex_full_match(texts, f"[^{IGNORABLE}]*")


def only_joins_words(texts: tf.Tensor, others: str) -> tf.Tensor:
    """Returns whether all ignorable characters are joiners within words of scripts without case.

    Nothing is to be removed from such a text. It has letters of these scripts and other characters.

    Args:
        texts: string [B].
        others: RE2 class of other characters that a text may have.

    Returns:
        bool [B].
    """
    words = f"(?:{_JOINED})(?:{_ONE_JOINER}(?:{_JOINED}))*"
    return tf.strings.regex_full_match(texts, f"(?:{others}|{words})*")


def remove_ignorables(texts: tf.Tensor) -> tf.Tensor:
    """Removes ignorable characters that no word and no emoji needs: "co\u00adoperate" → "cooperate".

    A NUL becomes a space.

    Args:
        texts: string [B], valid UTF-8.

    Returns:
        string [B]; characters that were apart may combine, so the texts may be in no normal form.
    """
    return _map_pieces(texts, _kept, lambda texts: texts)


def space_separators(texts: tf.Tensor) -> tf.Tensor:
    """Replaces a zero-width space by a space if the words beside it were replaced; string [B] → string [B]."""
    # A character between two matches is consumed by the first one.
    for _ in range(2):
        texts = tf.strings.regex_replace(texts, f"(^|[^{_UNSPACED}]){ZERO_WIDTH_SPACE}($|[^{_UNSPACED}])", r"\1 \2")
    return texts


def between_ignorables(texts: tf.Tensor, rule: CleaningRule) -> tf.Tensor:
    """Applies a rule to the text between ignorable characters, which themselves remain; string [B] → string [B].

    A NUL becomes a space.
    """
    return _map_pieces(texts, lambda before, run, after: run, rule)


def _map_pieces(
    texts: tf.Tensor, runs: Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor], rule: CleaningRule
) -> tf.Tensor:
    """Splits texts at runs of ignorable characters, maps the runs and the text between them, and joins them again.

    Args:
        texts: string [B].
        runs: maps runs of ignorable characters, string [R], given the text before and after each, string [R].
        rule: maps the text between them, string [P] → string [P].
    """
    # A NUL separates the pieces; in a text it is white space.
    texts = tf.strings.regex_replace(texts, r"\x00", " ")
    pieces = tf.strings.split(tf.strings.regex_replace(texts, f"[{IGNORABLE}]+", "\0\\0\0"), "\0")
    values = pieces.flat_values
    # Each row is a piece of text, then runs and pieces of text in turn.
    columns = tf.ragged.range(pieces.row_lengths()).flat_values
    at_runs, at_texts = (tf.where(tf.equal(columns % 2, parity)) for parity in (1, 0))
    before, found, after = (tf.gather_nd(values, at_runs + step) for step in (-1, 0, 1))
    values = tf.tensor_scatter_nd_update(values, at_texts, rule(tf.gather_nd(values, at_texts)))
    values = tf.tensor_scatter_nd_update(values, at_runs, runs(before, found, after))
    return tf.strings.reduce_join(pieces.with_flat_values(values), axis=-1)


def _kept(before: tf.Tensor, runs: tf.Tensor, after: tf.Tensor) -> tf.Tensor:
    """Returns what remains of runs of ignorable characters, string [R].

    Args:
        before: string [R], the text before each.
        runs: string [R].
        after: string [R], the text after each.
    """
    last = tf.strings.substr(tf.strings.join([" ", before]), -1, 1, "UTF8_CHAR")
    first = tf.strings.substr(tf.strings.join([after, " "]), 0, 1, "UTF8_CHAR")
    separates = _is(last, _UNSPACED) | _is(first, _UNSPACED)
    separates &= tf.strings.regex_full_match(runs, f"\\C*{ZERO_WIDTH_SPACE}\\C*")
    joined = tf.strings.join([_selectors(last, runs, first), _joiners(last, runs, first)])
    return tf.where(separates, "\u200b", joined)


def _selectors(last: tf.Tensor, runs: tf.Tensor, first: tf.Tensor) -> tf.Tensor:
    """Returns the variation selector or the tags with which each run begins, string [R]; empty without."""
    context = tf.strings.join([last, runs, first])
    selected = tf.strings.regex_full_match(context, f"(?:{_SELECTED})\\C*|{_KEYCAP}")
    tagged = tf.strings.regex_full_match(context, _TAGGED_FLAG)
    return tf.where(tagged, runs, tf.where(selected, tf.strings.substr(runs, 0, 1, "UTF8_CHAR"), ""))


def _joiners(last: tf.Tensor, runs: tf.Tensor, first: tf.Tensor) -> tf.Tensor:
    """Returns the joiners of each run that join what is before and after it, string [R]; each once in a row."""
    joiners = tf.strings.regex_replace(runs, _NEITHER_JOINER, "")
    for joiner in (_JOINER, _NON_JOINER):
        joiners = tf.strings.regex_replace(joiners, f"{joiner}+", joiner)
    in_word = _is(last, _WORD) & _is(first, _WORD)
    scripted = _is(last, _JOINING) | _is(first, _JOINING)
    # At the edge of a word a joiner changes the form of its letter; a non-joiner does not.
    edge = tf.where(tf.strings.regex_full_match(joiners, f"\\C*{_JOINER}\\C*"), _JOINER, "")
    in_emoji = _is(last, _SYMBOL) & _is(first, _SYMBOL)
    return tf.where(scripted & in_word, joiners, tf.where(scripted | in_emoji, edge, ""))


def _is(characters: tf.Tensor, kind: str) -> tf.Tensor:
    """Returns whether each character is of an RE2 class, string [R] → bool [R]."""
    return tf.strings.regex_full_match(characters, f"[{kind}]")
