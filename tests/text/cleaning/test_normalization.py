import re
import unicodedata
from functools import partial

import pytest
import tensorflow as tf
import tensorflow_text as tf_text
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.text.cleaning.normalization import _NORMAL, normalize

GRAPHS = {
    (form, fold): tf.function(
        partial(normalize, form=form, fold=fold), input_signature=[tf.TensorSpec([None], tf.string)]
    )
    for form in ("nfkc", "nfc")
    for fold in (True, False)
}


def normalized(text, *, form="nfkc", fold=False):
    return GRAPHS[form, fold](tf.constant([text]))[0].numpy().decode()


@pytest.mark.parametrize(
    ("text", "nfkc", "nfc"),
    [
        ("e\u0301", "é", "é"),
        ("ﬀ", "ff", "ﬀ"),
        ("x²", "x2", "x²"),
        ("…", "...", "…"),
        ("\u212b", "Å", "Å"),
        ("Ａ", "A", "Ａ"),
        ("İ", "İ", "İ"),
        ("a\u00a0b", "a b", "a\u00a0b"),
    ],
)
def test_text_takes_the_normal_form(text, nfkc, nfc):
    assert normalized(text) == nfkc
    assert normalized(text, form="nfc") == nfc


@pytest.mark.parametrize(
    ("text", "nfkc", "nfc"),
    [
        ("MiXed", "mixed", "mixed"),
        ("ÀΣς", "àσσ", "àσσ"),
        ("ΟΔΟΣ ΌΣΟΣ όσος", "οδοσ όσοσ όσοσ", "οδοσ όσοσ όσοσ"),
        ("ẞ", "ss", "ß"),
        ("Straße", "strasse", "straße"),
        ("\u0390", "\u0390", "\u0390"),
        ("\u0130", "i\u0307", "i\u0307"),
        ("ﬃ", "ffi", "ﬃ"),
        ("Ⅷ", "viii", "ⅷ"),
        ("É\x00É", "é\x00é", "é é"),
    ],
)
def test_folded_text_is_in_normal_form_too(text, nfkc, nfc):
    assert normalized(text, fold=True) == nfkc
    assert normalized(text, form="nfc", fold=True) == nfc


def test_the_fast_path_for_ascii_gives_the_same_text():
    characters = [chr(c) for c in range(0x110000) if unicodedata.category(chr(c)) not in ("Cn", "Co", "Cs")]
    texts = tf.constant([*characters, "".join(map(chr, range(128))), "AÀ"])
    assert tf.reduce_all(tf.equal(normalize(texts, form="nfkc", fold=True), unicode_folded(texts)))


def unicode_folded(texts):
    """Texts in NFKC_Casefold of Unicode, which removes every ignorable character."""
    return tf_text.normalize_utf8(tf_text.case_fold_utf8(tf_text.normalize_utf8(texts, "NFKC")), "NFKC")


def rows_of(*characters):
    return st.lists(st.text(st.sampled_from("".join(characters)), max_size=12), min_size=1, max_size=6)


SHORTCUT = [c for c in map(chr, range(0x3000)) if re.fullmatch(f"[{_NORMAL[9:]}]", c)]
OTHERS = "AbIi\u0307\u030cjJΣςΑ\u0345\u0301ßẞİıﬁ²ＡЖжéÉ가\u1100\u1161\u05d0\u0627\u0653\u0e33 \n\x00"


@given(st.one_of(rows_of("".join(SHORTCUT), "aZ 9"), rows_of(OTHERS, "“”—")))
@settings(max_examples=150, deadline=None)
def test_the_short_way_for_frequent_characters_gives_the_same_texts(texts):
    texts = tf.constant(texts)
    assert GRAPHS["nfkc", True](texts).numpy().tolist() == unicode_folded(texts).numpy().tolist()
    for form in ("nfkc", "nfc"):
        kept = GRAPHS[form, False](texts)
        assert kept.numpy().tolist() == tf_text.normalize_utf8(texts, form.upper()).numpy().tolist()


def test_joiners_of_words_remain_in_folded_text():
    for text in ("می\u200cخواهم", "ශ්\u200dරී", "Ä می\u200cخواهم", "👩\u200d🚀"):
        for form in ("nfkc", "nfc"):
            assert normalized(text, form=form, fold=True) == text.lower()


@pytest.mark.parametrize(
    ("text", "expected"),
    [("e\u034f\u0301", "é"), ("™\ufe0f", "TM"), ("\u3164", ""), ("\uffa0", ""), ("\u17b4ក", "ក"), ("a\ufeffb", "ab")],
)
def test_text_is_in_normal_form_after_ignorable_characters_are_removed(text, expected):
    assert normalized(text) == expected
    assert normalized(text, fold=True) == expected.lower()


def test_a_text_does_not_depend_on_its_batch():
    texts = ["ABC", "ÀBC", "", "ẞ", "D"]
    together = normalize(tf.constant(texts), form="nfkc", fold=True).numpy().tolist()
    assert together == [normalized(text, fold=True).encode() for text in texts]
