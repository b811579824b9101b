import keras
import numpy as np
import pytest
import tensorflow as tf

from textgen.model.pooling import AttentionPooling


@pytest.fixture(scope="module")
def pooling() -> AttentionPooling:
    keras.utils.set_random_seed(1)
    layer = AttentionPooling()
    layer.build((None, None, 3))
    return layer


def _hidden(places: int) -> np.ndarray:
    return np.random.RandomState(0).normal(size=[2, places, 3]).astype(np.float32)


def test_the_mean_is_weighted_by_what_is_seen_in_each_place(pooling):
    hidden = _hidden(4)
    weights = {weight.path.split("/", 1)[1]: weight.numpy() for weight in pooling.weights}
    scores = np.tanh(hidden @ weights["project/kernel"] + weights["project/bias"]) @ weights["score/kernel"][:, 0]
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(pooling(hidden), (shares[..., None] * hidden).sum(axis=1), atol=1e-5)


def test_a_masked_place_has_no_share(pooling):
    hidden = _hidden(4)
    mask = tf.constant([[True, True, False, False], [True] * 4])
    pooled = pooling(hidden, mask=mask)
    np.testing.assert_allclose(pooled[0], pooling(hidden[:1, :2])[0], atol=1e-6)
    np.testing.assert_allclose(pooled[1], pooling(hidden)[1], atol=1e-6)


def test_one_vector_has_no_mask(pooling):
    assert pooling.compute_mask(_hidden(2), tf.ones([2, 2], tf.bool)) is None
    assert pooling.compute_output_shape((None, 7, 3)) == (None, 3)
