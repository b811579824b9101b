import numpy as np
import tensorflow as tf

from textgen.text.filters.cleaned_texts import CleanedTexts
from textgen.text.filters.too_long import TooLong


def test_a_document_with_more_than_the_maximum_is_dropped():
    filter = TooLong(3)
    statistics = filter.measure(
        CleanedTexts(tf.constant(["a b c", "a b c d"]), tf.constant([5, 7]), tf.constant([3, 4]))
    )
    assert statistics.dtype == tf.float64
    assert statistics.numpy().tolist() == [[3], [4]]
    assert filter.drops(statistics.numpy()).tolist() == [False, True]


def test_the_tokens_of_chunks_add_up():
    assert TooLong(3).drops(np.array([[2.0 + 2.0]]))[0]
