"""Converts text to a Unicode normal form, folds its case, and removes characters without a shape."""

from functools import partial

import tensorflow as tf

from textgen.text.cleaning.ignorables import (
    between_ignorables,
    has_ignorables,
    only_joins_words,
    remove_ignorables,
)
from textgen.text.cleaning.rows import CleaningRule, has_non_ascii, narrow_rows, update_rows
from textgen.text.cleaning.unicode_forms import TENSORFLOW_TEXT_FORMS, UnicodeForms

_NORMAL = r"\x00-\x7f«»¡¿§¶·°±×÷à-öø-ÿ–—‘’‚“”„†‡•€،؛؟۔٠-٩۰-۹।॥०-९"
"""Characters that are in every normal form and do not change in folding, if ASCII is lower-cased; and that
do not combine with each other. Much English text has no others, and needs no more than lower-casing."""


def normalize(texts: tf.Tensor, *, form: str, fold: bool, forms: UnicodeForms = TENSORFLOW_TEXT_FORMS) -> tf.Tensor:
    """Converts texts to a normal form: "Straße" → "strasse" with NFKC and folding; string [B] → string [B].

    With NFC, folding is lower-casing, "Straße" → "straße", since full case folding merges compatible characters,
    which NFC keeps apart. Both fold a final sigma to the other one. Ignorable characters that no word needs are
    removed; see `remove_ignorables`.

    Args:
        texts: string [B], valid UTF-8.
        form: "nfkc" or "nfc".
        fold: whether to fold the case.
        forms: the normal forms.
    """
    rows = narrow_rows(texts, has_non_ascii(texts), _may_change)
    return update_rows(
        tf.strings.lower(texts) if fold else texts, rows, partial(_normalize, form=form, fold=fold, forms=forms)
    )


def _may_change(texts: tf.Tensor) -> tf.Tensor:
    return ~tf.strings.regex_full_match(texts, f"[{_NORMAL}]*")


def _normalize(texts: tf.Tensor, *, form: str, fold: bool, forms: UnicodeForms) -> tf.Tensor:
    """Converts texts of any characters; see `normalize`."""
    normal = {"nfkc": forms.nfkc, "nfc": forms.nfc}[form]
    change: CleaningRule = tf.identity
    if fold:
        change = forms.folded_nfkc if form == "nfkc" else partial(_fold_nfc, forms=forms)

    def spell(texts: tf.Tensor) -> tf.Tensor:
        # Where a character is removed, those beside it may combine. Folding would remove the joiners of words too.
        return between_ignorables(normal(remove_ignorables(texts)), change)

    texts = normal(texts)
    rows = tf.where(has_ignorables(texts))
    with_ignorables = tf.gather_nd(texts, rows)
    spelled = update_rows(with_ignorables, ~only_joins_words(with_ignorables, f"[{_NORMAL}]"), spell)
    return tf.tensor_scatter_nd_update(change(texts), rows, spelled)


def _fold_nfc(texts: tf.Tensor, *, forms: UnicodeForms) -> tf.Tensor:
    # ICU lower-cases this letter by the locale of the process, differently for Turkish.
    texts = tf.strings.regex_replace(texts, "\u0130", "i\u0307")
    # TensorFlow would end the text at a NUL, which the rule for white space replaces by a space anyway.
    texts = tf.strings.regex_replace(texts, r"\x00", " ")
    texts = tf.strings.regex_replace(tf.strings.lower(texts, encoding="utf-8"), "ς", "σ")
    return forms.nfc(texts)
