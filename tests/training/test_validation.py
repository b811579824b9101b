import math
from pathlib import Path

import pytest
import tensorflow as tf

from textgen.config import ModelConfig, TrainConfig
from textgen.dataset import read_manifest
from textgen.errors import UserError
from textgen.training.data import TrainingData, ValidationSource
from textgen.training.metrics import MetricSums
from textgen.training.setup import config_for
from textgen.training.strategy import Replicas
from textgen.training.train_state import TrainState, make_train_state
from textgen.training.validation import Validator

SUMS = MetricSums(loss=6.0, correct=1.0, pairs=4.0, norms=3.0, waited=1.0)


def _validator(data: Path, *, copies: int = 1, **settings) -> tuple[Validator, TrainState]:
    manifest = read_manifest(data)
    config = config_for(
        manifest, model=ModelConfig(embedding=4, units=4), train=TrainConfig(batch_size=2, **settings)
    )
    replicas = Replicas(tf.distribute.get_strategy())
    training_data = TrainingData(data, config, replicas)
    state = make_train_state(config, training_data, replicas.strategy)
    state.step, state.checked_at, state.sums, state.seconds = 5, 3, SUMS, 2.0
    source = ValidationSource(data, "validation", (manifest,) * copies)
    return Validator(config, source, training_data, replicas, state, pace=lambda steps, _: steps), state


def test_a_row_holds_training_since_the_last_check_and_the_validation_split(make_dataset, tmp_path: Path):
    data = make_dataset(tmp_path / "data", train=[[4, 5, 6, 7, 8]], validation=[[4, 5, 6]])
    row = _validator(data)[0].check()
    assert (row.step, row.epoch, row.seconds) == (5, 5 / 3, 2.0)
    assert (row.pairs_per_second, row.waited, row.gradient_norm, row.loss, row.accuracy) == (2.0, 0.5, 1.5, 1.5, 0.25)
    assert row.monitored == row.validation_loss == pytest.approx(math.log(20), abs=0.2)
    assert row.validation_bits_per_character == pytest.approx(row.validation_loss * 4 / math.log(2) / 3)


def test_every_check_reads_the_whole_validation_split(make_dataset, tmp_path: Path):
    data = make_dataset(tmp_path / "data", train=[[4, 5, 6, 7, 8]], validation=[[4, 5, 6], [7, 8]])
    validator, state = _validator(data)
    first = validator.check()
    assert validator.check() == first
    state.model.head.bias.assign_add(tf.one_hot(4, 20))
    assert validator.check().validation_loss != first.validation_loss


def test_without_a_validation_split_the_training_loss_is_monitored(make_dataset, tmp_path: Path):
    validator, _ = _validator(make_dataset(tmp_path / "data", train=[[4, 5, 6, 7, 8]]), softmax="sampled")
    row = validator.check()
    assert not validator.has_validation
    assert (row.monitored, row.validation_loss, row.accuracy) == (1.5, None, None)


def test_a_mixture_has_no_bits_per_character(make_dataset, tmp_path: Path):
    data = make_dataset(tmp_path / "data", train=[[4, 5, 6, 7, 8]], validation=[[4, 5, 6]])
    assert _validator(data, copies=2)[0].check().validation_bits_per_character is None


def test_a_loss_that_is_not_finite_is_an_error(make_dataset, tmp_path: Path):
    validator, state = _validator(make_dataset(tmp_path / "data", train=[[4, 5, 6, 7, 8]]))
    state.sums = SUMS._replace(loss=math.nan)
    with pytest.raises(UserError, match=r"the monitored loss is nan at step 5; it must stay finite\."):
        validator.check()
