import keras
import numpy as np
import pytest
import tensorflow as tf

from textgen.config import ModelConfig, TrainConfig
from textgen.model import networks
from textgen.model.cpu_parallelism import WHOLE_BATCHES, CpuPlan
from textgen.training.losses import (
    cross_entropy,
    full_softmax_loss,
    sampled_softmax_loss,
    stateful_loss,
    training_loss,
)
from textgen.training.optimizers import make_optimizer

LOGITS = np.log([[0.2, 0.5, 0.3], [0.1, 0.1, 0.8]]).astype(np.float32)


def _lstm() -> keras.Model:
    keras.utils.set_random_seed(1)
    return networks.build(ModelConfig(network="lstm", embedding=4, units=6), vocabulary_size=20, window=3)


def test_the_loss_is_the_cross_entropy_summed_over_targets():
    found = cross_entropy(tf.constant(LOGITS), tf.constant([1, 1]))
    assert float(found.objective) == pytest.approx(-np.log(0.5) - np.log(0.1), rel=1e-6)
    np.testing.assert_allclose(found.sums, [-np.log(0.5) - np.log(0.1), 1, 2], rtol=1e-6)


def test_padding_is_no_target():
    found = cross_entropy(tf.constant(LOGITS[None]), tf.constant([[2, 0]]))
    np.testing.assert_allclose(found.sums, [-np.log(0.3), 0, 1], rtol=1e-6)


def test_label_smoothing_changes_the_objective_and_not_the_sums():
    found = cross_entropy(tf.constant(LOGITS[:1]), tf.constant([1]), smoothing=0.3)
    expected = -sum(weight * np.log(p) for weight, p in zip([0.1, 0.8, 0.1], [0.2, 0.5, 0.3], strict=True))
    assert float(found.objective) == pytest.approx(expected, rel=1e-6)
    assert float(found.sums[0]) == pytest.approx(-np.log(0.5), rel=1e-6)


def test_the_loss_of_continued_rows_is_that_of_one_long_row():
    model, random = _lstm(), np.random.RandomState(0)
    long = networks.build(ModelConfig(network="lstm", embedding=4, units=6), vocabulary_size=20, window=6)
    long.set_weights(model.get_weights())
    ids = random.randint(4, 20, [2, 7]).astype(np.int32)
    whole = full_softmax_loss(long, training=False)(tf.constant(ids[:, :6]), tf.constant(ids[:, 1:])).sums

    batch_loss = stateful_loss(model, training=False)
    first = batch_loss(
        tf.constant(ids[:, :3]), tf.constant(ids[:, 1:4]), tf.constant([True, True]), model.initial_states(2)
    )
    second = batch_loss(tf.constant(ids[:, 3:6]), tf.constant(ids[:, 4:]), tf.constant([False, False]), first.states)
    np.testing.assert_allclose(first.sums + second.sums, whole, rtol=1e-5)


@pytest.mark.parametrize("training", [True, False])
def test_a_batch_in_two_halves_has_the_same_loss_states_and_gradients(training: bool):
    model, random = _lstm(), np.random.RandomState(0)
    # The number of rows is unknown when the graph is traced, as with the loader's batches.
    unknown = [tf.TensorSpec([None, 3], tf.int32)] * 2
    plans = [WHOLE_BATCHES, CpuPlan(halves=True)]
    plain = [
        tf.function(full_softmax_loss(model, training=training, plan=plan)).get_concrete_function(*unknown)
        for plan in plans
    ]
    stateful = [stateful_loss(model, training=training, plan=plan) for plan in plans]

    def losses(n: int, x: tf.Tensor, y: tf.Tensor) -> list[tf.Tensor]:
        fresh = tf.zeros(len(x), tf.bool)
        with tf.GradientTape() as tape:
            first = stateful[n](x, y, fresh, model.initial_states(len(x)))
            second = stateful[n](x, y, fresh, first.states)
            found = [first, second, plain[n](x, y)]
            loss = tf.add_n([each.objective for each in found])
        gradients = tape.gradient(loss, [variable.value for variable in model.trainable_variables])
        return [*(each.sums for each in found), *second.states, *map(tf.convert_to_tensor, gradients)]

    for rows in (1, 2, 5):
        x = random.randint(4, 20, [rows, 3]).astype(np.int32)
        x[-1, 1:] = 0
        y = np.where(x, random.randint(4, 20, x.shape), 0).astype(np.int32)
        for one, half in zip(*(losses(n, tf.constant(x), tf.constant(y)) for n in (0, 1)), strict=True):
            np.testing.assert_allclose(half, one, rtol=1e-5, atol=1e-6)


def test_a_fresh_row_does_not_depend_on_the_states_before_it():
    model = _lstm()
    x, y = tf.constant([[4, 5, 6], [4, 5, 6]]), tf.constant([[5, 6, 7], [5, 6, 7]])
    batch_loss = stateful_loss(model, training=False)
    first = batch_loss(x, y, tf.constant([True, True]), model.initial_states(2))
    again = batch_loss(x, y, tf.constant([True, True]), first.states)
    np.testing.assert_array_equal(first.sums, again.sums)
    continued = batch_loss(x, y, tf.constant([True, False]), again.states)
    np.testing.assert_array_equal(continued.states[0][0], first.states[0][0])
    assert not np.array_equal(continued.states[0][1], first.states[0][1])


def test_the_state_after_a_padded_row_is_that_after_its_last_token():
    model = _lstm()
    x, y = tf.constant([[4, 5, 0], [4, 5, 6]]), tf.constant([[5, 6, 0], [5, 6, 7]])
    found = stateful_loss(model, training=False)(x, y, tf.constant([True, True]), model.initial_states(2))
    expected = [tf.zeros([1, 6])] * 2
    for token in (4, 5):
        _, expected = model(tf.constant([[token]]), expected)
    np.testing.assert_allclose(found.states[0][:1], expected[0], atol=1e-6)


def _sampled(model: keras.Model, samples: int, draws: int) -> np.ndarray:
    iterations = tf.Variable(0)
    batch_loss = sampled_softmax_loss(model, TrainConfig(softmax="sampled", sampled_tokens=samples), iterations)
    x, y = tf.constant([[4, 5, 6]] * 3), tf.constant([5, 4, 19])
    found = []
    for draw in range(draws):
        iterations.assign(draw)
        found.append(batch_loss(x, y).sums.numpy())
    return np.array(found)


@pytest.fixture(scope="module")
def bilstm() -> keras.Model:
    keras.utils.set_random_seed(2)
    model = networks.build(ModelConfig(embedding=4, units=4), vocabulary_size=20, window=3)
    model.set_weights([5 * weight for weight in model.get_weights()])
    return model


def test_a_sampled_softmax_with_many_samples_approximates_the_full_one(bilstm):
    full = full_softmax_loss(bilstm, training=False)(tf.constant([[4, 5, 6]] * 3), tf.constant([5, 4, 19])).sums
    found = _sampled(bilstm, samples=20_000, draws=3)
    np.testing.assert_allclose(found[:, 0], np.full(3, full[0]), rtol=0.02)
    assert found[:, 2].tolist() == [3, 3, 3]


def test_each_update_has_its_own_samples_also_after_a_resumption(bilstm):
    one, same = _sampled(bilstm, 8, draws=3), _sampled(bilstm, 8, draws=3)
    np.testing.assert_array_equal(one, same)
    assert len(set(one[:, 0])) == 3


@pytest.mark.parametrize(("softmax", "accurate"), [("full", True), ("sampled", False)])
def test_a_run_trains_on_the_loss_of_its_settings(bilstm, softmax: str, accurate: bool):
    config = TrainConfig(softmax=softmax, sampled_tokens=4)
    batch_loss = training_loss(bilstm, config, make_optimizer(config, bilstm, 0.1))
    best = tf.argmax(bilstm(tf.constant([[4, 5, 6]])), axis=-1, output_type=tf.int32)
    assert bool(batch_loss(tf.constant([[4, 5, 6]]), best).sums[1]) == accurate
