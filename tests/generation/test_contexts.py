from types import SimpleNamespace

import keras
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.config import ModelConfig
from textgen.generation.contexts import StateContext, WindowContext, decoding_context
from textgen.model import networks


@pytest.mark.parametrize(("network", "kind"), [("bilstm", WindowContext), ("lstm", StateContext)])
def test_each_network_has_its_context(network: str, kind: type):
    model = networks.build(ModelConfig(network=network, embedding=3, units=3), vocabulary_size=9, window=4)
    assert type(decoding_context(model)) is kind


def _windows(window: int) -> WindowContext:
    return WindowContext(SimpleNamespace(window=window))


def test_a_window_begins_with_the_last_ids():
    x, widths = _windows(3).begin(tf.ragged.constant([[2], [2, 7], [2, 7, 8, 9]]))
    assert x.numpy().tolist() == [[2, 0, 0], [2, 7, 0], [7, 8, 9]]
    assert widths.numpy().tolist() == [1, 2, 3]


def test_appending_fills_a_window_and_then_slides_it():
    x = tf.constant([[2, 0, 0], [2, 7, 0], [2, 7, 8]])
    x, widths = _windows(3).append((x, tf.constant([1, 2, 3])), tf.constant([4, 5, 6]))
    assert x.numpy().tolist() == [[2, 4, 0], [2, 7, 5], [7, 8, 6]]
    assert widths.numpy().tolist() == [2, 3, 3]


@settings(max_examples=30, deadline=None)
@given(first=st.lists(st.integers(1, 99), min_size=1, max_size=4), drawn=st.lists(st.integers(1, 99), max_size=9))
def test_a_window_always_holds_the_last_ids(first: list[int], drawn: list[int]):
    window = 4
    read = tf.constant([first + [0] * (window - len(first))]), tf.constant([len(first)])
    for token in drawn:
        read = _windows(window).append(read, tf.constant([token]))
    last = (first + drawn)[-window:]
    assert read[0].numpy().tolist() == [last + [0] * (window - len(last))]
    assert int(read[1][0]) == len(last)


def test_states_are_those_after_each_rows_own_ids_but_the_last():
    keras.utils.set_random_seed(1)
    model = networks.build(ModelConfig(network="lstm", embedding=3, units=3), vocabulary_size=9, window=4)
    last, *states = StateContext(model).begin(tf.ragged.constant([[2], [2, 7, 8], [2, 7]]))
    assert last.numpy().tolist() == [2, 8, 7]
    expected = [tf.zeros([1, 3])] * 2
    for row, ids in ((0, []), (2, [2]), (1, [7])):
        for token in ids:
            _, expected = model(tf.constant([[token]]), expected)
        tf.debugging.assert_near(states[0][row], expected[0][0], atol=1e-6)
        tf.debugging.assert_near(states[1][row], expected[1][0], atol=1e-6)
    assert float(tf.reduce_sum(tf.abs(states[0][1]))) > 0
