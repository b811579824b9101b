import unicodedata

import pytest
import tensorflow as tf
import tensorflow_text as tf_text

from textgen.text.cleaning.normalization import normalize


def normalized(text, *, form="nfkc", fold=False):
    return normalize(tf.constant([text]), form=form, fold=fold)[0].numpy().decode()


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
        ("ÀΣς", "àσσ", "àσς"),
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
    folded = tf_text.normalize_utf8(tf_text.case_fold_utf8(tf_text.normalize_utf8(texts, "NFKC")), "NFKC")
    assert tf.reduce_all(tf.equal(normalize(texts, form="nfkc", fold=True), folded))


def test_a_text_does_not_depend_on_its_batch():
    texts = ["ABC", "ÀBC", "", "ẞ", "D"]
    together = normalize(tf.constant(texts), form="nfkc", fold=True).numpy().tolist()
    assert together == [normalized(text, fold=True).encode() for text in texts]
