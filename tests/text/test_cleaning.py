import unicodedata

import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from textgen.config import TextConfig
from textgen.text.cleaning import clean, keep_lines, strip_punctuation

EVERY_POLICY = [
    TextConfig(case=case, whitespace=whitespace, punctuation=punctuation)
    for case in ("fold", "keep")
    for whitespace in ("collapse", "keep")
    for punctuation in ("separate", "strip")
]


def cleaned(text, **policies):
    """One text, with every rule off that is not asked for."""
    config = TextConfig(**{"case": "keep", "whitespace": "keep", "punctuation": "keep", **policies})
    return clean(tf.constant([text]), config)[0].numpy().decode()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It’s  Ahab!\r\n", "it’s ahab!"),
        ("", ""),
        (" \n\t", ""),
        ("Straße", "strasse"),
        ("ﬁn", "fin"),
        ("Ⅷ", "viii"),
        ("a\u00a0b\u3000c", "a b c"),
        ("Ω\u1d3a", "ωn"),
    ],
)
def test_text_is_folded_and_collapsed_by_default(text, expected):
    assert clean(tf.constant([text]), TextConfig())[0].numpy().decode() == expected


def test_a_batch_is_cleaned_text_by_text():
    texts = clean(tf.constant(["A  b", "", "C\n"]), TextConfig())
    assert texts.numpy().tolist() == [b"a b", b"", b"c"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("e\u0301", "é"), ("ﬀ", "ff"), ("x²", "x2"), ("…", "..."), ("\u212b", "Å"), ("Ａ", "A"), ("İ", "İ")],
)
def test_every_text_takes_the_normal_form_nfkc(text, expected):
    assert cleaned(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("ÀΣς", "àσσ"), ("ẞ", "ss"), ("\u0390", "\u0390"), ("\u0130", "i\u0307"), ("ﬃ", "ffi")],
)
def test_folded_case_is_in_normal_form_too(text, expected):
    assert cleaned(text, case="fold") == expected


def test_kept_case_stays():
    assert cleaned("MiXed ÀΣς") == "MiXed ÀΣς"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("don't", "dont"),
        ("don’t", "dont"),
        ("rock'n'roll", "rocknroll"),
        ("a,b", "a b"),
        ("a--b…", "a b "),
        ("$5+1=6", " 5 1 6"),
        ("snake_case", "snake case"),
        ("“Hi,” she said.", " Hi she said "),
        ("naïve e\u0301", "naïve é"),
        ("१२३", "१२३"),
    ],
)
def test_stripping_removes_apostrophes_and_makes_other_marks_a_space(text, expected):
    assert cleaned(text, punctuation="strip").replace("  ", " ") == expected


def test_the_rule_that_strips_leaves_spaces_to_the_rule_on_white_space():
    assert strip_punctuation(tf.constant(["a , b"]))[0].numpy() == b"a   b"
    assert cleaned("a , b", punctuation="strip", whitespace="collapse") == "a b"


@pytest.mark.parametrize("punctuation", ["keep", "separate"])
def test_cleaning_leaves_marks_alone_unless_they_are_stripped(punctuation):
    assert cleaned("“Don't!”, (he) said—$5", punctuation=punctuation) == "“Don't!”, (he) said—$5"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  a  b ", "a b"),
        ("a\n\nb\tc\r\nd\re", "a b c d e"),
        ("a\u2028b\u2029c", "a b c"),
        ("\ufeffa\ufeffb", "a b"),
        ("a\x85b", "a b"),
        ("a\x00b\x1bc\x7fd", "a b c d"),
        ("a \x96 b", "a b"),
        ("a\u1680b\u2003c\u202fd\u205fe", "a b c d e"),
        ("a\x0b\x0cb", "a b"),
    ],
)
def test_collapsing_makes_every_run_of_white_space_and_controls_one_space(text, expected):
    assert cleaned(text, whitespace="collapse") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  a  b \n", "  a  b \n"),
        ("a\r\nb\rc\nd", "a\nb\nc\nd"),
        ("a\r\n\r\nb", "a\n\nb"),
        ("\ta", "\ta"),
        ("a\x85b\x96c", "a b c"),
        ("a\x00b\x1bc\x7fd\x0ce", "a b c d e"),
        ("\ufeffa", " a"),
    ],
)
def test_keeping_white_space_makes_line_ends_alike_and_controls_a_space(text, expected):
    assert cleaned(text, whitespace="keep") == expected


def test_keeping_lines_leaves_no_control_character_but_newline_and_tab():
    controls = [chr(c) for c in range(0x110000) if unicodedata.category(chr(c)) == "Cc"]
    kept = {text.decode() for text in keep_lines(tf.constant(controls)).numpy()}
    assert kept == {"\n", "\t", " "}


@pytest.mark.parametrize("config", EVERY_POLICY, ids=lambda made: f"{made.case}-{made.whitespace}-{made.punctuation}")
def test_every_character_is_clean_after_one_cleaning(config):
    characters = [chr(c) for c in range(0x110000) if unicodedata.category(chr(c)) not in ("Cn", "Co", "Cs")]
    once = clean(tf.constant(characters), config)
    changed = tf.where(tf.not_equal(once, clean(once, config)))[:, 0].numpy()
    assert [characters[i] for i in changed] == []


# Combining marks, and characters that a rule removes or replaces.
tricky = st.text(
    alphabet="aE\u0130\u0345\u0301\u0308\u0327ας'’\uff07.,=\u0338 \r\n\t\ufeff\u2028\x85\u1100\u1161", max_size=6
)


@given(st.lists(st.one_of(st.text(), tricky), min_size=1, max_size=8), st.sampled_from(EVERY_POLICY))
@example(["e'\u0301"], TextConfig(punctuation="strip"))
@example(["\u1100’\u1161"], TextConfig(punctuation="strip", case="keep"))
@settings(max_examples=100, deadline=None)
def test_cleaning_what_is_clean_changes_nothing(texts, config):
    once = clean(tf.constant(texts), config)
    assert clean(once, config).numpy().tolist() == once.numpy().tolist()


@given(st.lists(st.one_of(st.text(), tricky), min_size=1, max_size=8))
@settings(max_examples=50, deadline=None)
def test_collapsed_text_has_no_control_no_break_and_no_space_beside_another(texts):
    for text in clean(tf.constant(texts), TextConfig()).numpy():
        text = text.decode()
        assert text == text.strip(" ")
        assert "  " not in text
        assert not any(unicodedata.category(c) in ("Cc", "Zl", "Zp") or c == "\ufeff" for c in text)


@given(st.lists(st.text(), min_size=1, max_size=8))
@settings(max_examples=50, deadline=None)
def test_stripped_text_has_no_mark(texts):
    for text in clean(tf.constant(texts), TextConfig(punctuation="strip")).numpy():
        assert not any(unicodedata.category(c)[0] in "PS" and ord(c) < 0x10000 for c in text.decode())


def test_a_batch_of_no_texts_stays_empty():
    assert clean(tf.constant([], tf.string), TextConfig()).shape == (0,)
