import keras
import numpy as np
import pytest
import tensorflow as tf

from textgen.model.lm_head import Logits, sampled_losses

VOCABULARY, WIDTH = 50, 4


@pytest.fixture(scope="module")
def logits() -> Logits:
    keras.utils.set_random_seed(1)
    layer = Logits(VOCABULARY)
    layer.build((None, WIDTH))
    layer.bias.assign(np.linspace(-2, 2, VOCABULARY))
    return layer


def test_scores_are_products_with_the_rows_of_the_table_plus_the_bias(logits: Logits):
    hidden = np.random.RandomState(0).normal(size=[2, 3, WIDTH]).astype(np.float32)
    scores = logits(tf.constant(hidden))
    assert scores.shape == (2, 3, VOCABULARY)
    np.testing.assert_allclose(scores, hidden @ logits.table.numpy().T + logits.bias.numpy(), atol=1e-5)


def test_scores_are_float32_whatever_is_hidden(logits: Logits):
    assert logits(tf.zeros([1, WIDTH], tf.bfloat16)).dtype == tf.float32


def test_scores_of_many_rows_are_the_same_with_columns_made_once():
    keras.utils.set_random_seed(1)
    layer = Logits(3000)
    layer.build((None, 64))
    hidden = tf.random.stateless_normal([20, 64], [1, 2])
    many, few = layer.columns(tf.constant(20)), layer.columns(tf.constant(2))
    assert many.shape == (64, 3000) and few.shape == (0, 0)
    np.testing.assert_allclose(layer(hidden, many), layer(hidden), atol=1e-5)
    np.testing.assert_array_equal(layer(hidden[:2], few), layer(hidden[:2]))


def test_a_small_table_has_no_columns(logits: Logits):
    assert logits.columns(tf.constant(1000)) is None


def test_a_tied_table_is_the_embeddings_and_is_learnt_from_both_ends():
    embedding = keras.layers.Embedding(VOCABULARY, WIDTH)
    ids = keras.Input((), dtype="int32")
    model = keras.Model(ids, Logits(VOCABULARY, tied_to=embedding)(embedding(ids)))
    assert model.count_params() == VOCABULARY * WIDTH + VOCABULARY
    assert len(model.trainable_variables) == 2
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(tf.constant([7]))[:, 9])
    gradient = tf.convert_to_tensor(tape.gradient(loss, embedding.embeddings.value)).numpy()
    table = embedding.embeddings.numpy()
    np.testing.assert_allclose(gradient[7], table[9], atol=1e-6)
    np.testing.assert_allclose(gradient[9], table[7], atol=1e-6)


def test_the_sampled_sum_is_that_of_all_tokens_in_the_mean(logits: Logits):
    hidden = tf.constant(np.random.RandomState(0).normal(size=[3, WIDTH]).astype(np.float32))
    targets = tf.constant([4, 20, 49])
    exact = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=targets, logits=logits(hidden))
    own = tf.gather(logits(hidden), targets, batch_dims=1)
    sums = [
        np.exp(sampled_losses(logits, hidden, targets, samples=500, seed=tf.constant([3, draw])) + own)
        for draw in range(200)
    ]
    np.testing.assert_allclose(np.mean(sums, axis=0), np.exp(exact + own), rtol=0.02)


def test_a_draw_hangs_on_its_seed_alone(logits: Logits):
    def draw(seed: int) -> list[float]:
        hidden, targets = tf.ones([2, WIDTH]), tf.constant([5, 6])
        return sampled_losses(logits, hidden, targets, samples=5, seed=tf.constant([seed, 0])).numpy().tolist()

    assert draw(1) == draw(1) != draw(2)


def test_a_sampled_step_learns_of_the_rows_it_draws_alone(logits: Logits):
    with tf.GradientTape() as tape:
        losses = sampled_losses(logits, tf.ones([1, WIDTH]), tf.constant([5]), samples=3, seed=tf.constant([1, 0]))
    gradient = tf.convert_to_tensor(tape.gradient(losses, logits.table.value)).numpy()
    assert 2 <= np.count_nonzero(gradient.any(axis=1)) <= 4
    assert gradient[5].any()
