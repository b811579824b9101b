from types import SimpleNamespace

import keras
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.config import ModelConfig, NeuralCacheConfig
from textgen.errors import UserError
from textgen.generation.contexts import StateContext, WindowContext, decoding_context
from textgen.model import networks
from textgen.model.neural_cache import NeuralCache


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


@pytest.mark.parametrize("tokens", [3, 400])
def test_a_neural_cache_mixes_what_each_row_has_read_however_it_is_read(tokens: int):
    keras.utils.set_random_seed(1)
    model = networks.build(ModelConfig(network="lstm", embedding=3, units=3), vocabulary_size=9, window=4)
    model.set_weights([6 * weight for weight in model.get_weights()])
    config = NeuralCacheConfig(tokens=tokens, sharpness=4, weight=0.6)
    rows = [[2, *([4, 5, 6, 7, 4, 4, 8] * 40)], [2, 5, 6, 5], [2]]
    context, cache = decoding_context(model, config), NeuralCache(config)
    # As graphs, since an eager LSTM takes a millisecond per token.
    begin = tf.function(context.begin, input_signature=[tf.RaggedTensorSpec([None, None], tf.int32)])

    @tf.function(input_signature=[tf.TensorSpec([1, None], tf.int32)])
    def mixed_logits(ids: tf.Tensor) -> tf.Tensor:
        hidden, _ = model.hidden(ids, model.initial_states(1))
        y, fresh = tf.pad(ids[:, 1:], [[0, 0], [0, 1]]), tf.constant([True])
        mixed, _ = cache.mix(model.head(hidden), hidden, y, fresh, cache.initial_states(1, model.hidden_size))
        return mixed[0, -1]

    logits, read = context.predict(begin(tf.ragged.constant(rows, tf.int32)))
    after, _ = context.predict(context.append(read, tf.constant([5, 5, 5])))
    for number, row in enumerate(rows):
        tf.debugging.assert_near(logits[number], mixed_logits(tf.constant([row])), atol=1e-4)
        tf.debugging.assert_near(after[number], mixed_logits(tf.constant([[*row, 5]])), atol=1e-4)


def test_a_network_of_windows_has_no_neural_cache():
    model = networks.build(ModelConfig(embedding=3, units=3), vocabulary_size=9, window=4)
    with pytest.raises(UserError, match="the network bilstm reads each window by itself and has no neural cache"):
        decoding_context(model, NeuralCacheConfig(tokens=3))
