import math
import random
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from textgen.config import ModelConfig, TrainConfig
from textgen.dataset import read_manifest
from textgen.training.data import TrainingData
from textgen.training.metrics import ZERO_SUMS, MetricSums
from textgen.training.setup import config_for
from textgen.training.strategy import Replicas
from textgen.training.train_state import TrainState, make_train_state


@pytest.fixture(scope="module")
def data(make_dataset, tmp_path_factory) -> Path:
    return make_dataset(tmp_path_factory.mktemp("state") / "data", train=[[4, 5, 6, 7, 8]])


def _state(data: Path, *, seed: int = 3) -> TrainState:
    config = config_for(
        read_manifest(data),
        model=ModelConfig(embedding=4, units=4, dropout=0.5),
        train=TrainConfig(batch_size=2, seed=seed, schedule="plateau", plateau_patience=1),
    )
    replicas = Replicas(tf.distribute.get_strategy())
    return make_train_state(config, TrainingData(data, config, replicas), replicas.strategy)


def test_weights_depend_only_on_the_seed(data: Path):
    ours, theirs = _state(data).model, _state(data).model
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    different = zip(ours.get_weights(), _state(data, seed=4).model.get_weights(), strict=True)
    assert any(not np.array_equal(one, other) for one, other in different)


def test_global_generators_are_not_changed(data: Path):
    def states() -> tuple[object, ...]:
        return random.getstate(), tuple(np.random.get_state()[1])

    before = states()
    _state(data)
    assert states() == before


def test_a_lower_loss_is_the_best_and_a_check_starts_new_metrics(data: Path):
    state = _state(data)
    state.step, state.sums, state.seconds = 4, MetricSums(pairs=3.0), 2.0
    assert state.record_check(2.0, counts=True, is_comparable=True)
    assert (state.best_loss, state.stale_checks, state.checked_at) == (2.0, 0, 4)
    assert (state.sums, state.seconds) == (ZERO_SUMS, 0.0)
    assert not state.record_check(2.0, counts=True, is_comparable=True)
    assert (state.best_loss, state.stale_checks) == (2.0, 1)
    assert float(state.learning_rate.scale) == 0.5


def test_a_check_that_came_early_is_no_sign_of_a_plateau(data: Path):
    state = _state(data)
    state.best_loss = 2.0
    assert not state.record_check(3.0, counts=False, is_comparable=True)
    assert (state.stale_checks, float(state.learning_rate.scale)) == (0, 1.0)


def test_an_early_training_loss_is_the_best_only_if_there_is_no_other(data: Path):
    state = _state(data)
    assert state.record_check(3.0, counts=False, is_comparable=False)
    assert not state.record_check(1.0, counts=False, is_comparable=False)
    assert state.best_loss == 3.0 < math.inf
