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
X = tf.constant([[2, 4, 5, 0, 0], [4, 5, 6, 7, 8], [2, 0, 0, 0, 0]])


@pytest.fixture(scope="module")
def model() -> keras.Model:
    keras.utils.set_random_seed(1)
    config = ModelConfig(embedding=4, units=4, layers=2, dropout=0.5)
    return networks.build(config, vocabulary_size=VOCABULARY, window=WINDOW)


def test_a_window_gives_one_float32_logit_a_token(model):
    logits = model(tf.constant([[2, 4, 5, 0, 0], [4, 5, 6, 7, 8], [2, 0, 0, 0, 0]]))
    assert logits.shape == (3, VOCABULARY)
    assert logits.dtype == tf.float32


def test_logits_stay_float32_under_mixed_precision():
    config = ModelConfig(embedding=4, units=4)
    mixed = networks.build(config, vocabulary_size=VOCABULARY, window=WINDOW, precision="bfloat16")
    assert {lstm.compute_dtype for lstm in mixed.lstms} == {"bfloat16"}
    assert mixed(X).dtype == tf.float32


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
        mask = model.embedding.compute_mask(x).numpy()
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
    forward, backward = model.lstms[:2]
    assert (forward.go_backwards, backward.go_backwards) == (False, True)


def test_cudnn_takes_every_lstm(model):
    assert len(model.lstms) == 4
    for lstm in model.lstms:
        assert lstm.activation is keras.activations.tanh
        assert lstm.recurrent_activation is keras.activations.sigmoid
        assert lstm.recurrent_dropout == 0
        assert lstm.use_bias
        assert not lstm.unroll


def test_there_are_as_many_layers_as_the_config_says_and_the_last_gives_one_state(model):
    layers = model.bidirectional
    assert [layer.name for layer in layers] == ["bilstm_0", "bilstm_1"]
    assert [layer.forward_layer.return_sequences for layer in layers] == [True, False]


def test_dropout_acts_in_training_alone(model):
    x = tf.constant([[4, 5, 6, 7, 8]])
    np.testing.assert_array_equal(model(x, training=False), model(x, training=False))
    assert not np.array_equal(model(x, training=True), model(x, training=True))


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


def test_states_are_refused():
    network = networks.build(ModelConfig(embedding=3, units=4), vocabulary_size=VOCABULARY, window=WINDOW)
    assert network.initial_states(3) == []
    with pytest.raises(ValueError, match="a bilstm reads each window whole"):
        network(X, [])
