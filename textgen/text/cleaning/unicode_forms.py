"""Unicode normal forms and case folding by the operations of tensorflow_text."""

from typing import Protocol

import tensorflow as tf
import tensorflow_text as tf_text


class UnicodeForms(Protocol):
    """Normal forms of texts as graph operations, each string [B] of valid UTF-8 → string [B]."""

    def nfc(self, texts: tf.Tensor) -> tf.Tensor:
        """Returns texts in NFC."""
        ...

    def nfkc(self, texts: tf.Tensor) -> tf.Tensor:
        """Returns texts in NFKC."""
        ...

    def folded_nfkc(self, texts: tf.Tensor) -> tf.Tensor:
        """Returns texts with folded case, in NFKC."""
        ...


class TensorflowTextForms:
    """The forms by tensorflow_text, which uses ICU."""

    def nfc(self, texts: tf.Tensor) -> tf.Tensor:
        """Returns texts in NFC."""
        return tf_text.normalize_utf8(texts, "NFC")

    def nfkc(self, texts: tf.Tensor) -> tf.Tensor:
        """Returns texts in NFKC."""
        return tf_text.normalize_utf8(texts, "NFKC")

    def folded_nfkc(self, texts: tf.Tensor) -> tf.Tensor:
        """Returns texts with folded case, in NFKC."""
        # Folding can undo the normal form, as in U+0390.
        return tf_text.normalize_utf8(tf_text.case_fold_utf8(texts), "NFKC")


TENSORFLOW_TEXT_FORMS = TensorflowTextForms()
