import keras
import numpy as np
import pytest
import tensorflow as tf

from textgen.config import ModelConfig
from textgen.model import networks
from textgen.model.language_model import LanguageModel

VOCABULARY, WINDOW = 20, 5
X = tf.constant([[2, 4, 5, 0, 0], [4, 5, 6, 7, 8], [2, 0, 0, 0, 0]])


@pytest.fixture(scope="module", params=[False, True], ids=["own table", "tied"])
def causal(request) -> LanguageModel:
    keras.utils.set_random_seed(1)
    config = ModelConfig(network="lstm", embedding=3, layers=2, units=(4, 5), dropout=0.5, tied=request.param)
    return networks.build(config, vocabulary_size=VOCABULARY, window=WINDOW)


def test_an_lstm_predicts_after_every_place_from_what_stands_before_it(causal):
    scores = causal(X).numpy()
    assert scores.shape == (3, WINDOW, VOCABULARY)
    changed = tf.constant([[2, 4, 9, 0, 0], [4, 5, 6, 9, 8], [2, 0, 0, 0, 0]])
    np.testing.assert_array_equal(causal(changed)[1, :3], scores[1, :3])
    assert not np.allclose(causal(changed)[1, 3], scores[1, 3])


def test_rows_continue_from_states(causal):
    assert causal.state_widths == [4, 4, 5, 5]
    # One row of five is a row of three and one of two; the padding of the first is skipped.
    first, states = causal(tf.pad(X[1:2, :3], [[0, 0], [0, 2]]), causal.initial_states(1))
    rest, states = causal(tf.pad(X[1:2, 3:], [[0, 0], [0, 3]]), states)
    whole, final = causal(X[1:2], causal.initial_states(1))
    np.testing.assert_allclose(tf.concat([first[:, :3], rest[:, :2]], axis=1), whole, atol=1e-6)
    np.testing.assert_allclose(whole, causal(X[1:2]), atol=1e-6)
    for ours, theirs in zip(states, final, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_single_tokens_give_the_logits_of_the_whole_row(causal):
    states, logits = causal.initial_states(1), []
    for position in range(WINDOW):
        one, states = causal(X[1:2, position : position + 1], states)
        logits.append(one)
    np.testing.assert_allclose(tf.concat(logits, axis=1), causal(X[1:2]), atol=1e-6)


def test_a_single_padding_token_keeps_the_states(causal):
    _, before = causal(X[:1, :1], causal.initial_states(1))
    _, after = causal(tf.constant([[0]]), before)
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)


def test_states_have_the_precision_of_activations():
    config = ModelConfig(network="lstm", embedding=3, units=4)
    model = networks.build(config, vocabulary_size=VOCABULARY, window=WINDOW, precision="bfloat16")
    logits, states = model(X, model.initial_states(3))
    assert logits.dtype == tf.float32
    assert {state.dtype for state in [*states, *model.initial_states(3)]} == {tf.bfloat16}
