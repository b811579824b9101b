import unicodedata

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.text.cleaning.ignorables import (
    IGNORABLE,
    between_ignorables,
    has_ignorables,
    only_joins_words,
    remove_ignorables,
)

ZWNJ, ZWJ, ZWSP, SHY, VS16 = "\u200c", "\u200d", "\u200b", "\u00ad", "\ufe0f"

# As graphs, in which patterns are compiled once.
remove = tf.function(remove_ignorables, input_signature=[tf.TensorSpec([None], tf.string)])
only_joins = tf.function(lambda texts: only_joins_words(texts, "[a-z .1]"), autograph=False)


def removed(text):
    return remove(tf.constant([text]))[0].numpy().decode()


SPELLED = {
    "Persian": [f"می{ZWNJ}خواهم", f"کتاب{ZWNJ}ها", f"کار{ZWNJ}ها", f"SMS{ZWNJ}ها", f"۱۰{ZWNJ}ها", f"خانه{ZWNJ}ی"],
    "Arabic": [f"ه{ZWJ}", f"١٤٤٥ ه{ZWJ}.", f"{ZWJ}ها"],
    "Sinhala": [f"ශ්{ZWJ}රී", f"ක්{ZWJ}ෂ", f"වාක්{ZWJ}ය"],
    "Hindi": [f"क्{ZWJ}ष", f"र्{ZWJ}य", f"क्{ZWNJ}ष"],
    "Malayalam": [f"അവന്{ZWJ}", f"അവന്{ZWJ} പറഞ്ഞു", f"ന്{ZWNJ}യ"],
    "Bengali": [f"র{ZWJ}্যাব", f"ত্{ZWJ}"],
    "Kannada": [f"ಫೇಸ್{ZWNJ}ಬುಕ್"],
    "Mongolian": ["ᠬ\u180bᠠᠷ\u180eᠠ", "ᠭ\u180f"],
    "emoji": [
        f"👩{ZWJ}🚀",
        f"👩🏽{ZWJ}💻",
        f"🏳{VS16}{ZWJ}🌈",
        f"👨{ZWJ}👩{ZWJ}👧",
        f"❤{VS16}",
        f"❤{VS16}{ZWJ}🔥",
        f"↔{VS16}",
    ],
    "keycaps": [f"1{VS16}\u20e3", f"#{VS16}\u20e3"],
    "flags": ["🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"],
    "ideographs": ["葛\U000e0100城", "辻\ufe00"],
    "text symbols": ["☎\ufe0e"],
}


@pytest.mark.parametrize("text", [text for texts in SPELLED.values() for text in texts])
def test_words_and_emoji_are_kept_as_they_are_spelled(text):
    assert removed(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"zero{ZWSP}width{ZWSP}space", "zerowidthspace"),
        (f"co{SHY}operate", "cooperate"),
        (f"Auf{ZWNJ}lage", "Auflage"),
        (f"a{ZWJ}b", "ab"),
        ("\u200fשלום\u200e, \u202bעולם\u202c!", "שלום, עולם!"),
        ("\u2067مرحبا\u2069\u061c", "مرحبا"),
        ("a\u2060b\ufeffc", "abc"),
        ("x\u2061y\u2062z", "xyz"),
        (f"می{ZWNJ} خواهم{ZWNJ}", "می خواهم"),
        (f"می{ZWNJ}{ZWNJ}خواهم", f"می{ZWNJ}خواهم"),
        (f"می{SHY}{ZWNJ}\u200fخواهم", f"می{ZWNJ}خواهم"),
        (f"{ZWNJ}می{ZWNJ}.", "می."),
        (f"a{VS16}b !{VS16} 1{VS16}", "ab ! 1"),
        (f"❤{VS16}{VS16}", f"❤{VS16}"),
        (f"👩{ZWJ}", "👩"),
        (f"{ZWJ}👩 {ZWJ}", "👩 "),
        ("a\U000e0067\U000e007f", "a"),
        (SHY, ""),
        ("", ""),
    ],
)
def test_what_no_word_and_no_emoji_needs_is_removed(text, expected):
    assert removed(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"ខ្ញុំ{ZWSP}ស្រឡាញ់{ZWSP}ភាសា", f"ខ្ញុំ{ZWSP}ស្រឡាញ់{ZWSP}ភាសា"),
        (f"ไป{ZWSP}โรงเรียน", f"ไป{ZWSP}โรงเรียน"),
        (f"བོད་{ZWSP}ཡིག", f"བོད་{ZWSP}ཡིག"),
        (f"日本{ZWSP}語", f"日本{ZWSP}語"),
        (f"ខ្មែរ{ZWSP}2024", f"ខ្មែរ{ZWSP}2024"),
        (f"ខ{ZWSP}{ZWSP}ក{SHY}", f"ខ{ZWSP}ក"),
        (f"한국{ZWSP}어", "한국어"),
    ],
)
def test_a_zero_width_space_separates_words_where_they_are_written_without_spaces(text, expected):
    assert removed(text) == expected


def test_the_ignorable_characters_are_those_of_unicode():
    # Of all other characters without a shape, none is a default ignorable.
    characters = [chr(c) for c in range(0x110000) if unicodedata.category(chr(c)) == "Cf"]
    found = has_ignorables(tf.constant(characters)).numpy()
    visible = [c for c, ignorable in zip(characters, found, strict=True) if not ignorable]
    assert {ord(c) >> 8 for c in visible} <= {0x06, 0x07, 0x08, 0xFF, 0x110, 0x134}
    assert has_ignorables(
        tf.constant(["\u034f", "\u115f", "\u17b5", "\ufe0f", "\U000e0100", "a", "é"])
    ).numpy().tolist() == ([True] * 5 + [False] * 2)


def test_rules_between_ignorable_characters_leave_them():
    text = f"A{ZWJ}B{SHY}\x00C"
    assert between_ignorables(tf.constant([text, "D", ""]), tf.strings.lower).numpy().tolist() == [
        f"a{ZWJ}b{SHY} c".encode(), b"d", b"",
    ]  # fmt: skip


tricky = st.text(
    st.sampled_from(f"aب ند्ක1{ZWNJ}{ZWJ}{ZWSP}{SHY}{VS16}👩🏽❤ខ日.\u064e\u034f\x00\n\u180e"), max_size=12
)


@given(st.lists(tricky, min_size=1, max_size=6))
@settings(max_examples=150, deadline=None)
def test_removal_is_idempotent_and_a_text_does_not_depend_on_its_batch(texts):
    once = remove(tf.constant(texts))
    assert once.numpy().tolist() == [removed(text).encode() for text in texts]
    assert tf.reduce_all(tf.equal(remove(once), once))


@given(st.lists(st.text(st.sampled_from(f"aب دनक्ක්1{ZWNJ}{ZWJ}.\u064e"), max_size=8), min_size=1, max_size=6))
@settings(max_examples=150, deadline=None)
def test_nothing_is_removed_from_texts_that_only_join_words(texts):
    texts = tf.constant(texts)
    spared = only_joins(texts)
    assert tf.reduce_all(~spared | tf.equal(remove(texts), texts))
    assert only_joins(tf.constant([SPELLED["Persian"][0], f"a{ZWNJ}b"])).numpy().tolist() == [
        True,
        False,
    ]


def test_the_class_has_no_letter_that_is_seen():
    assert tf.strings.regex_replace("abcéü日한", f"[{IGNORABLE}]", "") == "abcéü日한".encode()
