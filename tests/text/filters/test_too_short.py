import numpy as np
import tensorflow as tf

from textgen.text.filters.cleaned_texts import Documents
from textgen.text.filters.too_short import TooShort


def test_a_document_with_fewer_tokens_than_the_least_is_refused():
    rule = TooShort(3)
    sums = rule.measure(Documents(tf.constant(["a b", "a b c", ""]), tf.constant([3, 5, 0]), tf.constant([2, 3, 0])))
    assert sums.dtype == tf.float64
    assert sums.numpy().tolist() == [[2], [3], [0]]
    assert rule.refuses(sums.numpy()).tolist() == [True, False, True]


def test_the_tokens_of_parts_add_up():
    assert not TooShort(3).refuses(np.array([[2.0 + 1.0]]))[0]
