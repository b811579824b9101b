import numpy as np
import tensorflow as tf

from textgen.text.filters.cleaned_texts import CleanedTexts
from textgen.text.filters.too_short import TooShort


def test_a_document_with_fewer_than_the_minimum_is_dropped():
    filter = TooShort(3)
    statistics = filter.measure(
        CleanedTexts(tf.constant(["a b", "a b c", ""]), tf.constant([3, 5, 0]), tf.constant([2, 3, 0]))
    )
    assert statistics.dtype == tf.float64
    assert statistics.numpy().tolist() == [[2], [3], [0]]
    assert filter.drops(statistics.numpy()).tolist() == [True, False, True]


def test_the_tokens_of_chunks_add_up():
    assert not TooShort(3).drops(np.array([[2.0 + 1.0]]))[0]
