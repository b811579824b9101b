"""Texts on which a pattern, a version of Unicode or a byte may go wrong, as a Hypothesis strategy."""

from hypothesis import strategies as st

# White space of all kinds and its neighbours, contractions and what looks like one, digits, marks, joiners, letters
# of several planes, characters of new versions of Unicode, and the names of the reserved ids.
# fmt: off
PIECES = (
    " ", "  ", "\n", "\n\n", "\r\n", "\t", "\v", "\f", "\r", "\x00", "\x1c", "\x1f", "\x7f", "\x85", "\xa0",
    "\u1680", "\u180e", "\u2003", "\u200b", "\u2028", "\u2029", "\u202f", "\u205f", "\u2060", "\u3000", "\ufeff",
    "'", "''", "’", "'s", "'S", "'t", "'re", "'ve", "'m", "'ll", "'d", "'l", "'r", "s", "ll", "a", "The", "é",
    "e\u0301", "ß", "ǅ", "ʰ", "漢", "字", "ไทย", "हिन्दी", "ی\u200cخ", "𐍈", "𝒳", "0", "12", "٣", "²", "Ⅷ", "½", "一",
    "!", "...", "—", "_", "$", "<|x|>", "[BOS]", "[PAD]", "👩\u200d🚀", "🇫🇷", "❤\ufe0f", "\ud7ff", "\ue000",
    "\uffff", "\U0010ffff", "\u1c89", "\ua7cb", "\ua7da", "\u088f", "\U000105c0",
)
# fmt: on
AFTER_UNICODE_15 = "\u1c89\ua7cb\ua7da\u088f\U000105c0"
"""Letters of later versions, which are letters or not by the version that a library has."""

nasty_texts = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=5)), max_size=12).map("".join)


def has_new_letters(text: str) -> bool:
    """Returns whether a text has characters whose class depends on the version of Unicode."""
    # The range is of Unicode 15.1, ideographs.
    return any(character in AFTER_UNICODE_15 or "\U0002ebf0" <= character <= "\U0002ee5d" for character in text)
