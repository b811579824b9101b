import math
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from textgen.config import PAD, ModelConfig
from textgen.dataset import read_pairs
from textgen.model import networks

VOCABULARY, WINDOW = 20, 5


@pytest.fixture(scope="module")
def model() -> keras.Model:
    keras.utils.set_random_seed(1)
    config = ModelConfig(embedding=4, units=4, layers=2, dropout=0.5)
    return networks.build(config, vocabulary_size=VOCABULARY, window=WINDOW)


def _lstms(model: keras.Model) -> list[keras.layers.LSTM]:
    both = [layer for layer in model.layers if isinstance(layer, keras.layers.Bidirectional)]
    return [lstm for layer in both for lstm in (layer.forward_layer, layer.backward_layer)]


def test_a_window_gives_one_float32_logit_a_token(model):
    logits = model(tf.constant([[2, 4, 5, 0, 0], [4, 5, 6, 7, 8], [2, 0, 0, 0, 0]]))
    assert logits.shape == (3, VOCABULARY)
    assert logits.dtype == tf.float32


def test_logits_stay_float32_under_mixed_precision():
    config = ModelConfig(embedding=4, units=4)
    mixed = networks.build(config, vocabulary_size=VOCABULARY, window=WINDOW, precision="bfloat16")
    assert mixed.get_layer("bilstm_0").compute_dtype == "bfloat16"
    assert mixed.output.dtype == "float32"


def test_an_untrained_network_loses_the_logarithm_of_the_vocabulary(model):
    random = np.random.RandomState(0)
    x = random.randint(4, VOCABULARY, [256, WINDOW])
    y = random.randint(0, VOCABULARY, [256])
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=model(x, training=False))
    assert float(tf.reduce_mean(loss)) == pytest.approx(math.log(VOCABULARY), rel=0.02)


@pytest.mark.parametrize("layout", ["pairs", "spans"])
def test_masks_of_served_batches_are_padded_on_the_right_and_no_row_is_wholly_masked(
    model, make_dataset, tmp_path: Path, layout: str
):
    documents = [[4], [5, 6], [7, 8, 9, 10, 11, 12, 13, 14], [1, 15], [16] * WINDOW]
    data = make_dataset(tmp_path / "data", train=documents, layout=layout, window=WINDOW)
    widths = []
    for x, _ in read_pairs(data, batch_size=4, seed=3, epochs=2):
        mask = model.get_layer("embedding").compute_mask(x).numpy()
        np.testing.assert_array_equal(mask, x.numpy() != PAD)
        widths.extend(mask.sum(axis=1))
        for row, width in zip(mask, mask.sum(axis=1), strict=True):
            assert row.tolist() == [True] * width + [False] * (WINDOW - width)
    assert min(widths) == 1
    assert max(widths) == WINDOW


def test_padding_changes_no_prediction(model):
    narrow = networks.build(ModelConfig(embedding=4, units=4, layers=2), vocabulary_size=VOCABULARY, window=3)
    narrow.set_weights([weight for weight in model.get_weights() if weight.dtype == np.float32])
    np.testing.assert_allclose(
        model(tf.constant([[4, 5, 6, 0, 0], [2, 9, 1, 0, 0]])),
        narrow(tf.constant([[4, 5, 6], [2, 9, 1]])),
        atol=1e-6,
    )


def test_the_network_reads_the_window_in_both_directions(model):
    first_changed = model(tf.constant([[4, 5, 6, 7, 8], [9, 5, 6, 7, 8]])).numpy()
    last_changed = model(tf.constant([[4, 5, 6, 7, 8], [4, 5, 6, 7, 9]])).numpy()
    assert not np.array_equal(first_changed[0], first_changed[1])
    assert not np.array_equal(last_changed[0], last_changed[1])
    forward, backward = _lstms(model)[:2]
    assert (forward.go_backwards, backward.go_backwards) == (False, True)


def test_cudnn_takes_every_lstm(model):
    lstms = _lstms(model)
    assert len(lstms) == 4
    for lstm in lstms:
        assert lstm.activation is keras.activations.tanh
        assert lstm.recurrent_activation is keras.activations.sigmoid
        assert lstm.recurrent_dropout == 0
        assert lstm.use_bias
        assert not lstm.unroll


def test_there_are_as_many_layers_as_the_config_says_and_the_last_gives_one_state(model):
    layers = [layer for layer in model.layers if isinstance(layer, keras.layers.Bidirectional)]
    assert [layer.name for layer in layers] == ["bilstm_0", "bilstm_1"]
    assert [layer.forward_layer.return_sequences for layer in layers] == [True, False]


def test_dropout_acts_in_training_alone(model):
    x = tf.constant([[4, 5, 6, 7, 8]])
    np.testing.assert_array_equal(model(x, training=False), model(x, training=False))
    assert not np.array_equal(model(x, training=True), model(x, training=True))


X = tf.constant([[2, 4, 5, 0, 0], [4, 5, 6, 7, 8], [2, 0, 0, 0, 0]])


@pytest.mark.parametrize("merge", ["concat", "sum", "ave", "mul"])
@pytest.mark.parametrize("pooling", ["last", "attention"])
@pytest.mark.parametrize("tied", [False, True])
def test_what_stands_after_a_windows_last_token_changes_nothing(merge: str, pooling: str, tied: bool):
    config = ModelConfig(embedding=3, layers=2, units=(4, 5), merge=merge, pooling=pooling, tied=tied)
    keras.utils.set_random_seed(1)
    long = networks.build(config, vocabulary_size=VOCABULARY, window=WINDOW)
    short = networks.build(config, vocabulary_size=VOCABULARY, window=3)
    short.set_weights(long.get_weights())
    assert long(X).shape == (3, VOCABULARY)
    np.testing.assert_allclose(long(X)[0], short(X[:1, :3])[0], atol=1e-6)


@pytest.fixture(scope="module", params=[False, True], ids=["own table", "tied"])
def causal(request) -> keras.Model:
    keras.utils.set_random_seed(1)
    config = ModelConfig(network="lstm", embedding=3, layers=2, units=(4, 5), dropout=0.5, tied=request.param)
    return networks.build(config, vocabulary_size=VOCABULARY, window=WINDOW)


def test_an_lstm_predicts_after_every_place_from_what_stands_before_it(causal):
    scores = causal(X).numpy()
    assert scores.shape == (3, WINDOW, VOCABULARY)
    changed = tf.constant([[2, 4, 9, 0, 0], [4, 5, 6, 9, 8], [2, 0, 0, 0, 0]])
    np.testing.assert_array_equal(causal(changed)[1, :3], scores[1, :3])
    assert not np.allclose(causal(changed)[1, 3], scores[1, 3])


def test_going_on_from_states_is_reading_on(causal):
    stateful = networks.with_states(causal)
    widths = networks.state_widths(causal)
    assert widths == [4, 4, 5, 5]
    states = [tf.zeros([1, width]) for width in widths]
    # One row of five is a row of three and one of two; the padding of the first is passed over.
    first, *states = stateful([tf.pad(X[1:2, :3], [[0, 0], [0, 2]]), *states])
    rest, *states = stateful([tf.pad(X[1:2, 3:], [[0, 0], [0, 3]]), *states])
    whole, *final = stateful([X[1:2], *[tf.zeros([1, width]) for width in widths]])
    np.testing.assert_allclose(tf.concat([first[:, :3], rest[:, :2]], axis=1), whole, atol=1e-6)
    np.testing.assert_allclose(causal.get_layer("logits")(whole), causal(X[1:2]), atol=1e-6)
    for ours, theirs in zip(states, final, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_a_token_at_a_time_is_the_row_at_once(causal):
    states, scores = [tf.zeros([1, width]) for width in networks.state_widths(causal)], []
    for place in range(WINDOW):
        one, states = networks.step(causal, X[1:2, place], states)
        scores.append(one)
    np.testing.assert_allclose(tf.stack(scores, axis=1), causal(X[1:2]), atol=1e-6)


def test_features_are_what_the_scores_are_made_of(model, causal):
    for network in (model, causal):
        hidden = networks.features(network)(X)
        np.testing.assert_allclose(network.get_layer("logits")(hidden), network(X), atol=1e-6)
