import math
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from textgen.config import ModelConfig, TrainConfig
from textgen.model import networks
from textgen.model.cpu_parallelism import WHOLE_BATCHES, CpuPlan
from textgen.training import step
from textgen.training.losses import full_softmax_loss
from textgen.training.metrics import ZERO_SUMS, MetricSums
from textgen.training.optimizers import make_optimizer
from textgen.training.step import _never_empty, evaluation_steps, training_steps

Weights = list[np.ndarray]


def _model() -> keras.Model:
    keras.utils.set_random_seed(1)
    return networks.build(ModelConfig(embedding=4, units=4), vocabulary_size=20, window=5)


def _pairs(count: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.RandomState(count)
    x = random.randint(4, 20, [count, 5]).astype(np.int32)
    x[::2, 3:] = 0
    return x, random.randint(3, 20, count).astype(np.int32)


def _batches(x: np.ndarray, y: np.ndarray, size: int) -> Any:
    return iter(tf.data.Dataset.from_tensor_slices((x, y)).batch(size))


def _weights(model: keras.Model) -> Weights:
    return [weight.numpy() for weight in model.trainable_variables]


def _mean_gradients(model: keras.Model, x: np.ndarray, y: np.ndarray) -> Weights:
    with tf.GradientTape() as tape:
        logits = model(tf.constant(x), training=True)
        loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(y, logits, from_logits=True))
    gradients = tape.gradient(loss, [weight.value for weight in model.trainable_variables])
    return [tf.convert_to_tensor(gradient).numpy() for gradient in gradients]


def _norm(tensors: Weights) -> float:
    return math.sqrt(sum(float(np.sum(np.square(tensor, dtype=np.float64))) for tensor in tensors))


class Trainer:
    """One model and one traced step, set back to the same weights for each test."""

    def __init__(self, optimizer: str, *, learning_rate: float, plan: CpuPlan = WHOLE_BATCHES, **settings: Any):
        self.model = _model()
        config = TrainConfig(optimizer=optimizer, learning_rate=learning_rate, **settings)
        self.optimizer = make_optimizer(config, self.model, learning_rate)
        self._start = [variable.numpy() for variable in self._variables()]
        batch_loss = full_softmax_loss(self.model, training=True, smoothing=config.label_smoothing)
        variables = self.model.trainable_variables
        self._steps = training_steps(
            tf.distribute.get_strategy(), self.optimizer, variables, batch_loss, config, plan=plan
        )

    def steps(self, batches: Any, count: int, so_far: MetricSums = ZERO_SUMS) -> MetricSums:
        return self._steps(batches, count, so_far)

    def reset(self) -> "Trainer":
        for variable, value in zip(self._variables(), self._start, strict=True):
            variable.assign(value)
        return self

    def _variables(self) -> list[Any]:
        return [*self.model.trainable_variables, *self.optimizer.variables]


@pytest.fixture(scope="module")
def _plain() -> Trainer:
    return Trainer("sgd", learning_rate=1.0, clip_norm=0.0)


@pytest.fixture(scope="module")
def _clipped() -> Trainer:
    return Trainer("sgd", learning_rate=1.0, clip_norm=0.01)


@pytest.fixture(scope="module")
def _adam() -> Trainer:
    return Trainer("adam", learning_rate=0.01, clip_norm=0.1)


@pytest.fixture
def plain(_plain: Trainer) -> Trainer:
    return _plain.reset()


@pytest.fixture
def clipped(_clipped: Trainer) -> Trainer:
    return _clipped.reset()


@pytest.fixture
def adam(_adam: Trainer) -> Trainer:
    return _adam.reset()


def test_a_step_follows_the_gradient_of_the_mean_loss_and_a_short_batch_counts_its_own_pairs(plain: Trainer):
    x, y = _pairs(7)
    batches = _batches(x, y, 4)
    for rows in (slice(0, 4), slice(4, 7)):
        before, gradients = _weights(plain.model), _mean_gradients(plain.model, x[rows], y[rows])
        assert plain.steps(batches, 1).pairs == rows.stop - rows.start
        for weight, old, gradient in zip(plain.model.trainable_variables, before, gradients, strict=True):
            np.testing.assert_allclose(weight, old - gradient, atol=1e-6)


def test_clip_norm_bounds_the_norm_over_all_gradients_together(clipped: Trainer):
    x, y = _pairs(8)
    before, gradients = _weights(clipped.model), _mean_gradients(clipped.model, x, y)
    clipped.steps(_batches(x, y, 8), 1)
    update = [old - new for old, new in zip(before, _weights(clipped.model), strict=True)]
    assert _norm(gradients) > 0.02
    assert _norm(update) == pytest.approx(0.01, rel=1e-4)
    for moved, gradient in zip(update, gradients, strict=True):
        np.testing.assert_allclose(moved, gradient * 0.01 / _norm(gradients), atol=1e-6)


def test_clip_norm_0_does_not_clip(plain: Trainer):
    x, y = _pairs(8)
    before, gradients = _weights(plain.model), _mean_gradients(plain.model, x, y)
    plain.steps(_batches(x, y, 8), 1)
    update = [old - new for old, new in zip(before, _weights(plain.model), strict=True)]
    assert _norm(update) == pytest.approx(_norm(gradients), rel=1e-4)


def test_many_steps_in_one_call_are_the_same_steps_one_by_one(adam: Trainer):
    x, y = _pairs(22)
    sums = adam.steps(_batches(x, y, 4), 6)
    together = _weights(adam.model)

    batches, total = _batches(x, y, 4), ZERO_SUMS
    adam.reset()
    for _ in range(6):
        total = adam.steps(batches, 1, total)
    for one, other in zip(together, _weights(adam.model), strict=True):
        np.testing.assert_array_equal(one, other)
    # To the last bit, but for the time.
    assert total._replace(waited=0) == sums._replace(waited=0)
    assert sums.waited > 0


def test_training_sums_are_those_before_each_update(plain: Trainer):
    x, y = _pairs(4)
    log_probabilities = tf.nn.log_softmax(plain.model(tf.constant(x))).numpy()
    sums = plain.steps(_batches(x, y, 4), 1)
    assert sums.loss == pytest.approx(-log_probabilities[np.arange(4), y].sum(), rel=1e-5)
    assert sums.correct == np.count_nonzero(log_probabilities.argmax(axis=1) == y)
    assert sums.pairs == 4


def test_measuring_scores_every_pair_and_changes_no_weight(plain: Trainer):
    x, y = _pairs(10)
    y[:5] = tf.argmax(plain.model(tf.constant(x[:5])), axis=1)
    before = _weights(plain.model)
    evaluate = evaluation_steps(tf.distribute.get_strategy(), full_softmax_loss(plain.model, training=False))
    sums = evaluate(_batches(x, y, 4), 3, ZERO_SUMS)
    log_probabilities = tf.nn.log_softmax(plain.model(tf.constant(x))).numpy()
    assert sums.loss == pytest.approx(-log_probabilities[np.arange(10), y].sum(), rel=1e-5)
    assert sums.correct == np.count_nonzero(log_probabilities.argmax(axis=1) == y) >= 5
    assert sums.pairs == 10
    for one, other in zip(before, _weights(plain.model), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_norm_is_the_gradients_before_it_is_clipped(clipped: Trainer):
    x, y = _pairs(8)
    gradients = _mean_gradients(clipped.model, x, y)
    assert clipped.steps(_batches(x, y, 8), 1).norms == pytest.approx(_norm(gradients), rel=1e-4)


@pytest.mark.parametrize("parts", [3, 100])
def test_micro_batches_give_the_gradient_of_the_batch(plain: Trainer, parts: int):
    x, y = _pairs(7)
    whole = plain.steps(_batches(x, y, 7), 1)
    weights = _weights(plain.model)
    in_parts = Trainer("sgd", learning_rate=1.0, clip_norm=0.0, micro_batches=parts)
    sums = in_parts.steps(_batches(x, y, 7), 1)
    np.testing.assert_allclose(sums[:4], whole[:4], rtol=1e-5)
    for one, other in zip(_weights(in_parts.model), weights, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize(
    ("settings", "expected"), [({}, 3), ({"micro_batches": 2}, 3), ({"micro_batches": 5}, 5), ({"stateful": True}, 1)]
)
def test_a_large_batch_is_divided_into_micro_batches_by_the_plan(
    monkeypatch, settings: dict[str, Any], expected: int
):
    taken = list[int]()

    def gradients(*arguments: Any) -> Any:
        taken.append(arguments[-1])
        return step_gradients(*arguments)

    step_gradients = step._gradients
    monkeypatch.setattr(step, "_gradients", gradients)
    plan = CpuPlan(rows_per_micro_batch=128)
    trainer = Trainer("sgd", learning_rate=1.0, batch_size=300, plan=plan, **settings)
    assert trainer.steps(_batches(*_pairs(7), 7), 1).pairs == 7
    assert set(taken) == {expected}


def test_label_smoothing_changes_the_step_and_not_the_reported_loss(plain: Trainer):
    x, y = _pairs(6)
    told = plain.steps(_batches(x, y, 6), 1)
    smoothed = Trainer("sgd", learning_rate=1.0, clip_norm=0.0, label_smoothing=0.5)
    assert smoothed.steps(_batches(x, y, 6), 1).loss == pytest.approx(told.loss, rel=1e-6)
    assert not np.allclose(_weights(smoothed.model)[-1], _weights(plain.model)[-1])


def test_a_replica_without_pairs_has_a_row_without_a_target():
    x, y = _never_empty([tf.zeros([0, 3], tf.int32), tf.zeros([0], tf.int32)])
    assert (x.numpy().tolist(), y.numpy().tolist()) == ([[2, 2, 2]], [0])
    x, y = _never_empty([tf.zeros([0, 3], tf.int32), tf.zeros([0, 3], tf.int32)])
    assert (x.numpy().tolist(), y.numpy().tolist()) == ([[2, 2, 2]], [[0, 0, 0]])
    x, y = _never_empty([tf.constant([[2, 5, 0]]), tf.constant([6])])
    assert (x.numpy().tolist(), y.numpy().tolist()) == ([[2, 5, 0]], [6])
