import dataclasses
import re
import unicodedata

import pytest
import tensorflow as tf
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from textgen.config import TextConfig
from textgen.text.cleaning import clean

PLAIN_POLICIES = [
    TextConfig(normalization=normalization, case=case, whitespace=whitespace, punctuation=punctuation)
    for normalization in ("nfkc", "nfc")
    for case in ("fold", "keep")
    for whitespace in ("collapse", "keep")
    for punctuation in ("separate", "strip")
]
MASKS = {"urls": "mask", "emails": "mask", "mentions": "mask", "numbers": "mask", "redactions": "mask"}
EVERY_RULE = TextConfig(html="strip", max_repeats=3, **MASKS)

PLAIN_POLICIES += [TextConfig(normalization="none", case="keep", punctuation=each) for each in ("separate", "strip")]
KEPT = TextConfig(tokenizer="bpe", normalization="none", case="keep", whitespace="keep", punctuation="keep")

policies = st.builds(
    dataclasses.replace,
    st.builds(
        TextConfig,
        normalization=st.sampled_from(("nfkc", "nfc")),
        case=st.sampled_from(("fold", "keep")),
        whitespace=st.sampled_from(("collapse", "keep")),
    )
    | st.just(TextConfig(normalization="none", case="keep"))
    | st.just(KEPT),
    punctuation=st.sampled_from(("keep", "strip")),
    html=st.sampled_from(("keep", "strip")),
    urls=st.sampled_from(("keep", "mask")),
    emails=st.sampled_from(("keep", "mask")),
    mentions=st.sampled_from(("keep", "mask")),
    numbers=st.sampled_from(("keep", "zero", "mask")),
    redactions=st.sampled_from(("keep", "mask")),
    max_repeats=st.integers(0, 4),
)

# Combining marks, and what a rule takes, removes, replaces or leaves behind.
CHARACTERS = (
    "aE\u0130\u0345\u0301\u0308\u0327ας'’\uff07.,=\u0338 \r\n\t\ufeff\u2028\x85\x00\u00a0\u1100\u1161ßſ\u212aﬁ²5٥!_-/"
    "\u00ad\u200b\u200c\u200d\ufe0f\u034fᐊبකខ❤\x1b"
)
# fmt: off
PIECES = (
    "<b>", "<b", "</b>", "<br/>", "<!--", "-->", "<script>", "</script>", "<x", ">", "<", "&", "&lt;", "&gt;",
    "&amp;", "amp;", "lt;", "&#38;", "&#60;", "&#x3c;", "&nbsp;", "&LT;", ";", "http://", "www.", "ftp:", "//",
    ".com", "@", "@@", "@a", "a@b.c", "xx", "X", "XXXX", "XX/XX/", "2012", "1,2", "1.", "xxurl", "xxnumber", "aaaa",
    "!!!!", "日本", "<![CDATA[", "]]>", "='", '="', "'", '"', "\x1b[0m", "\x1b]", "\x07",
    "می\u200cخواهم", "👩\u200d🚀",
    "&zwnj;", "&shy;",
)
# fmt: on
tricky = st.lists(st.one_of(st.sampled_from(CHARACTERS), st.sampled_from(PIECES)), max_size=8).map("".join)
texts_of_all_kinds = st.lists(st.one_of(st.text(), tricky, tricky), min_size=1, max_size=8)


def cleaned(text, **rules):
    """One text, with every rule off that is not asked for."""
    config = TextConfig(**{"case": "keep", "whitespace": "keep", "punctuation": "keep", **rules})
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
        ("\x1b[1mMi\x1b[0mX", "mix"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("ខ្ញុំ\u200bស្រឡាញ់", "ខ្ញុំ ស្រឡាញ់"),
        ("co\u00adoperate É", "cooperate é"),
    ],
)
def test_text_is_folded_and_collapsed_by_default(text, expected):
    assert clean(tf.constant([text]), TextConfig())[0].numpy().decode() == expected


def test_a_batch_is_cleaned_text_by_text():
    texts = clean(tf.constant(["A  b", "", "C\n", "É"]), TextConfig())
    assert texts.numpy().tolist() == [b"a b", b"", b"c", "é".encode()]


def test_a_batch_of_no_texts_stays_empty():
    for config in (TextConfig(), EVERY_RULE):
        assert clean(tf.constant([], tf.string), config).shape == (0,)


@pytest.mark.parametrize("punctuation", ["keep", "separate"])
def test_marks_remain_unless_punctuation_is_stripped(punctuation):
    assert cleaned("“Don't!”, (he) said—$5", punctuation=punctuation) == "“Don't!”, (he) said—$5"


@pytest.mark.parametrize(
    ("text", "rules", "expected"),
    [
        ("e'\u0301", {"punctuation": "strip"}, "é"),
        ("a , b", {"punctuation": "strip", "whitespace": "collapse"}, "a b"),
        ("&lt;b&gt;a", {"html": "strip"}, " a"),
        ("e&#769;", {"html": "strip"}, "é"),
        ("&#38;lt;", {"html": "strip"}, "<"),
        ("&#65308;b&#65310;", {"html": "strip"}, " "),
        ("a<br>b", {"html": "strip"}, "a\nb"),
        ("<![CDATA[&lt;b>a]]>c", {"html": "strip"}, " ac"),
        ("&shy;می&zwnj;خواهم", {"html": "strip"}, "می\u200cخواهم"),
        ("0\u200b១", {"numbers": "mask"}, "xxnumber xxnumber"),
        ("👩\u200d🚀!", {"punctuation": "strip"}, "  "),
        ("a<br>b", {"html": "strip", "whitespace": "collapse"}, "a b"),
        ("<a href='http://a.org'>b</a>", {"html": "strip", "urls": "mask"}, " b "),
        ("http://a@b.c/@d", MASKS, "xxurl"),
        ("a@b.c @d 5", MASKS, "xxemail xxname xxnumber"),
        ("XX/XX/2012 2012", MASKS, "xxxx xxnumber"),
        ("XXXX, XXXX", {"redactions": "mask", "punctuation": "strip"}, "xxxx"),
        ("v1,5", {"numbers": "mask", "punctuation": "strip"}, "v1 xxnumber"),
        ("1,234.56", {"numbers": "mask", "punctuation": "strip"}, "xxnumber"),
        ("https://a.org soooo xxxxxx", {"max_repeats": 1, **MASKS}, "xxurl so xxxx"),
        ("wwww.a.org", {"max_repeats": 3, **MASKS}, "xxurl"),
        ("See XXXX’s &quot;page&quot;", {"html": "strip", "case": "fold", **MASKS}, 'see xxxx’s "page"'),
    ],
)
def test_rules_work_together(text, rules, expected):
    assert cleaned(text, **rules) == expected


@pytest.mark.parametrize("placeholder", ["xxurl", "xxemail", "xxname", "xxnumber", "xxxx"])
def test_no_rule_changes_a_placeholder(placeholder):
    for punctuation in ("keep", "strip", "separate"):
        config = TextConfig(punctuation=punctuation, html="strip", max_repeats=1, **MASKS)
        assert clean(tf.constant([placeholder]), config)[0].numpy().decode() == placeholder


@pytest.mark.parametrize(
    "config", PLAIN_POLICIES, ids=lambda c: f"{c.normalization}-{c.case}-{c.whitespace}-{c.punctuation}"
)
def test_every_character_is_clean_after_one_cleaning(config):
    characters = [chr(c) for c in range(0x110000) if unicodedata.category(chr(c)) not in ("Cn", "Co", "Cs")]
    once = clean(tf.constant(characters), config)
    changed = tf.where(tf.not_equal(once, clean(once, config)))[:, 0].numpy()
    assert [characters[i] for i in changed] == []


@given(texts_of_all_kinds, st.one_of(st.sampled_from(PLAIN_POLICIES), policies, policies))
@example(["e'\u0301"], TextConfig(punctuation="strip"))
@example(["\u1100’\u1161"], TextConfig(punctuation="strip", case="keep"))
@example(["a <5 and b> c"], TextConfig(html="strip", numbers="mask"))
@example(["<&llt;"], TextConfig(html="strip", max_repeats=1))
@settings(max_examples=25, deadline=None)
def test_cleaning_is_idempotent(texts, config):
    once = clean(tf.constant(texts), config)
    assert clean(once, config).numpy().tolist() == once.numpy().tolist()


@given(texts_of_all_kinds, st.sampled_from(PLAIN_POLICIES))
@settings(max_examples=30, deadline=None)
def test_clean_text_has_only_plain_white_space_and_no_controls(texts, config):
    white = " " if config.whitespace == "collapse" else " \n\t"
    for text in clean(tf.constant(texts), config).numpy():
        text = text.decode()
        assert not any(unicodedata.category(c) in ("Cc", "Zs", "Zl", "Zp") and c not in white for c in text)
        if config.whitespace == "collapse":
            assert text == text.strip(" ")
            assert "  " not in text


@given(texts_of_all_kinds)
@settings(max_examples=30, deadline=None)
def test_text_without_a_normal_form_does_not_change_if_all_is_kept(texts):
    assert clean(tf.constant(texts), KEPT).numpy().tolist() == [text.encode() for text in texts]


@pytest.mark.parametrize(
    ("text", "rules", "expected"),
    [
        ("e\u0301\u00adﬁ\x1b[1m", {}, "e\u0301\u00adﬁ\x1b[1m"),
        (" \r\na\x00\u2028 ", {}, " \r\na\x00\u2028 "),
        (" \r\na\x00\u2028b", {"whitespace": "collapse"}, "a b"),
        ("<b>e\u0301</b> 5", {"html": "strip", "numbers": "zero"}, " e\u0301  0"),
    ],
)
def test_without_a_normal_form_only_the_rules_that_are_asked_for_change_a_text(text, rules, expected):
    config = dataclasses.replace(KEPT, **rules)
    assert clean(tf.constant([text]), config)[0].numpy().decode() == expected


@given(st.lists(st.text(), min_size=1, max_size=8))
@settings(max_examples=30, deadline=None)
def test_stripped_text_has_no_mark(texts):
    for text in clean(tf.constant(texts), TextConfig(punctuation="strip")).numpy():
        assert not any(unicodedata.category(c)[0] in "PS" and ord(c) < 0x10000 for c in text.decode())


def parts_of(text, data):
    cuts = [run.start() for run in re.finditer(r"\s+", text) if run.start() and data.draw(st.booleans())]
    return [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]


@given(
    st.lists(st.one_of(tricky, st.text(), st.sampled_from(" \t\n\u3000"), st.just("a ")), max_size=8).map("".join),
    policies.filter(lambda config: config.html == "keep" and config.redactions == "keep"),
    st.data(),
)
@settings(max_examples=30, deadline=None)
def test_the_cleaned_chunks_of_a_text_are_the_cleaned_text(text, config, data):
    parts = parts_of(text, data)
    continued = tf.constant([False] + [True] * (len(parts) - 1))
    pieces = clean(tf.constant(parts), config, continued).numpy().tolist()
    assume(pieces[0] or config.whitespace == "keep")
    assert b"".join(pieces) == clean(tf.constant([text]), config)[0].numpy()


class Served(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.string), tf.TensorSpec([None], tf.bool)])
    def clean(self, texts, continued):
        return clean(texts, EVERY_RULE, continued)


def test_every_route_through_every_rule_agrees(tmp_path):
    texts = ["<p>Soooo &amp;lt; É</p>", " see www.a.org, @b or c@d.e", "", "XXXX XXXX 1,5", " É" * 20]
    continued = tf.constant([False, True, False, True, True])
    eager = clean(tf.constant(texts), EVERY_RULE, continued).numpy().tolist()
    assert eager[1:4] == [b" see xxurl, xxname or xxemail", b"", b"xxxx xxnumber"]

    assert Served().clean(texts, continued).numpy().tolist() == eager

    dataset = tf.data.Dataset.from_tensor_slices((texts, continued)).batch(2)
    streamed = dataset.map(lambda texts, continued: clean(texts, EVERY_RULE, continued)).unbatch()
    assert [text.numpy() for text in streamed] == eager

    tf.saved_model.save(Served(), str(tmp_path))
    assert tf.saved_model.load(str(tmp_path)).clean(texts, continued).numpy().tolist() == eager
