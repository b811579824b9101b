"""Converts text to a Unicode normal form, and folds its case."""

import tensorflow as tf
import tensorflow_text as tf_text

from textgen.text.cleaning.rows import has_non_ascii, update_rows


def normalize(texts: tf.Tensor, *, form: str, fold: bool) -> tf.Tensor:
    """Converts texts to a normal form: "Straße" → "strasse" with NFKC and folding; string [B] → string [B].

    With NFC, folding is lower-casing, "Straße" → "straße", since full case folding merges compatible characters,
    which NFC keeps apart.

    Args:
        texts: string [B], valid UTF-8.
        form: "nfkc" or "nfc".
        fold: whether to fold the case.
    """
    texts = tf_text.normalize_utf8(texts, form.upper())
    if not fold:
        return texts
    # ASCII is in every normal form, and folding it is lower-casing.
    return update_rows(tf.strings.lower(texts), has_non_ascii(texts), _fold_nfkc if form == "nfkc" else _fold_nfc)


def _fold_nfkc(texts: tf.Tensor) -> tf.Tensor:
    # Folding can undo the normal form, as in U+0390.
    return tf_text.normalize_utf8(tf_text.case_fold_utf8(texts), "NFKC")


def _fold_nfc(texts: tf.Tensor) -> tf.Tensor:
    # ICU lower-cases this letter by the locale of the process, differently for Turkish.
    texts = tf.strings.regex_replace(texts, "\u0130", "i\u0307")
    # TensorFlow would end the text at a NUL, which the rule for white space replaces by a space anyway.
    texts = tf.strings.regex_replace(texts, r"\x00", " ")
    return tf_text.normalize_utf8(tf.strings.lower(texts, encoding="utf-8"), "NFC")
