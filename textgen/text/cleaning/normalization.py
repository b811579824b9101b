"""One way to write each character: a Unicode normal form, and one case where case is folded."""

import tensorflow as tf
import tensorflow_text as tf_text

from textgen.text.cleaning.rows import has_non_ascii, update_rows


def normalize(texts: tf.Tensor, *, form: str, fold: bool) -> tf.Tensor:
    """string[B] → string[B] in the normal form "nfkc" or "nfc".

    "Straße" with its case folded is "strasse" in NFKC, whose folding Unicode defines, and "straße" in NFC, where
    folding is lower-casing: to fold is to make compatible characters alike, which NFC is chosen to avoid.
    """
    texts = tf_text.normalize_utf8(texts, form.upper())
    if not fold:
        return texts
    # Of ASCII, the only case is that of 26 letters, and its folding is in every normal form.
    return update_rows(tf.strings.lower(texts), has_non_ascii(texts), _fold_nfkc if form == "nfkc" else _fold_nfc)


def _fold_nfkc(texts: tf.Tensor) -> tf.Tensor:
    # Folding can undo the normal form, as in U+0390.
    return tf_text.normalize_utf8(tf_text.case_fold_utf8(texts), "NFKC")


def _fold_nfc(texts: tf.Tensor) -> tf.Tensor:
    # ICU lower-cases by the locale of the process, and Turkish has its own way with this letter.
    texts = tf.strings.regex_replace(texts, "\u0130", "i\u0307")
    # TensorFlow would end the text at a NUL; the rule on white space makes it a space anyway.
    texts = tf.strings.regex_replace(texts, r"\x00", " ")
    return tf_text.normalize_utf8(tf.strings.lower(texts, encoding="utf-8"), "NFC")
