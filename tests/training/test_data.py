import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from textgen.config import ModelConfig, TrainConfig
from textgen.dataset import read_manifest
from textgen.errors import UserError
from textgen.runs import RunConfig
from textgen.training.data import HeldOutDocuments, TrainingData, ValidationSource, held_out
from textgen.training.setup import config_for
from textgen.training.strategy import Replicas

ONE = Replicas(tf.distribute.get_strategy())
TRAIN = [[*range(4, 17)], [4, 5], [*range(5, 12)]]
VALIDATION = [[*range(4, 4 + length)] for length in (16, 3, 8, 1)]
VALIDATION_PAIRS = 16 + 3 + 8 + 1 + 4


@pytest.fixture(scope="module")
def data(make_dataset, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("batches") / "data"
    return make_dataset(folder, train=TRAIN, validation=VALIDATION, layout="spans")


def _config(data: Path, network: str = "bilstm", *, window: int | None = None, **settings: Any) -> RunConfig:
    return config_for(
        read_manifest(data),
        window=window,
        model=ModelConfig(network=network, embedding=3, units=3),
        train=TrainConfig(**{"batch_size": 4, "epochs": 3, "seed": 1, **settings}),
    )


def _ids(batches: Any) -> list[list[list[int]]]:
    return [[np.array(tensor).tolist() for tensor in batch] for batch in batches]


def _arrays(batches: Any) -> list[list[np.ndarray]]:
    return [[np.array(tensor) for tensor in batch] for batch in batches]


def test_steps_per_epoch_counts_batches(data: Path):
    training_data = TrainingData(data, _config(data), ONE)
    # 14 + 3 + 8 pairs, 4 per batch.
    assert (training_data.steps_per_epoch, training_data.last_step) == (7, 21)
    assert len(list(training_data.training(0))) == 21


@pytest.mark.parametrize(
    ("network", "stateful"), [("bilstm", False), ("lstm", False), ("lstm", True)], ids=["bilstm", "lstm", "stateful"]
)
def test_batches_from_a_step_on_are_the_rest(data: Path, network: str, stateful: bool):
    training_data = TrainingData(data, _config(data, network, stateful=stateful, batch_size=2), ONE)
    whole = _ids(training_data.training(0))
    assert len(whole) == training_data.last_step
    for step in (3, 0):
        assert _ids(training_data.training(step)) == whole[step:]


def test_batches_have_the_windows_of_the_run(data: Path):
    x, y = next(TrainingData(data, _config(data, window=2), ONE).training(0))
    assert (x.shape, y.shape) == ((4, 2), (4,))


def test_an_lstm_has_a_target_at_every_position(data: Path):
    batches = list(TrainingData(data, _config(data, "lstm", epochs=1), ONE).training(0))
    targets = np.concatenate([y[y > 0] for _, y in _arrays(batches)])
    assert sorted(targets) == sorted([*TRAIN[0], *TRAIN[1], *TRAIN[2], 3, 3, 3])
    for x, y in _arrays(batches):
        assert (x.shape[1], y.shape[1]) == (5, 5)
        np.testing.assert_array_equal(x[:, 1:][y[:, 1:] > 0], y[:, :-1][y[:, 1:] > 0])


def test_stateful_rows_continue_those_of_the_previous_batch(data: Path):
    training_data = TrainingData(data, _config(data, "lstm", epochs=1, stateful=True, batch_size=2), ONE)
    before = None
    for x, y, fresh in _arrays(training_data.training(0)):
        if before is not None:
            for row in np.flatnonzero(~fresh):
                assert x[row, 0] == before[row][before[row] > 0][-1]
        assert (x[fresh, 0] == 2).any() or not fresh.any()
        before = y
    assert len(training_data.make_states(_config(data, "lstm", stateful=True).build())) == 2


def test_stateful_rows_sometimes_begin_anew(data: Path):
    config = _config(data, "lstm", epochs=300, stateful=True, batch_size=2, window=2)
    batches = _arrays(TrainingData(data, config, ONE).training(0))
    steps = len(batches) // 300
    fresh = np.array([fresh for _, _, fresh in batches]).reshape(300, steps, 2)
    always = fresh.all(axis=0)
    # About one in a hundred of the rows that continue another.
    assert 0.003 < fresh[:, ~always].mean() < 0.03
    assert (_arrays(TrainingData(data, config, ONE).training(700))[0][2] == batches[700][2]).all()


def test_independent_rows_have_no_states(data: Path):
    config = _config(data, "lstm")
    assert TrainingData(data, config, ONE).make_states(config.build()) == []


@pytest.mark.parametrize("network", ["bilstm", "lstm"])
@pytest.mark.parametrize("batch_size", [1, 3, 100])
@pytest.mark.parametrize("window", [2, 5])
def test_every_held_out_target_is_yielded_once(data: Path, network: str, batch_size: int, window: int):
    found = []
    config = _config(data, network, window=window)
    for text in held_out(data, config, ONE, split="validation", batch_size=batch_size):
        taken = list(text.batches)
        assert isinstance(text, HeldOutDocuments) or len(taken) == text.steps
        found += [np.array(batch[1])[np.array(batch[1]) > 0] for batch in taken]
    expected = [token for document in VALIDATION for token in (*document, 3)]
    assert sorted(np.concatenate(found)) == sorted(expected)
    assert len(expected) == VALIDATION_PAIRS


def test_validation_of_an_lstm_divides_long_documents_into_stretches(data: Path, monkeypatch):
    monkeypatch.setattr("textgen.training.data._STRETCH_TARGETS", 8)
    config = _config(data, "lstm")
    source = ValidationSource(data, "validation", (read_manifest(data),))
    (documents,) = TrainingData(data, config, ONE).validation(source)
    targets = [[np.count_nonzero(row) for row in batch.y] for batch in documents.batches]
    # Of 17, 9, 4 and 2 targets; each stretch has all ids before it as a warm-up.
    assert sorted(sum(targets, [])) == sorted([8, 8, 1, 8, 1, 4, 2])


def test_the_rows_of_a_neural_cache_are_few_enough_for_memory(data: Path):
    config = dataclasses.replace(_config(data, "lstm"), model=ModelConfig(network="lstm", units=1024))
    for cached, rows in ((0, 4), (1 << 14, 2), (1 << 20, 1)):
        (documents,) = held_out(data, config, ONE, split="validation", batch_size=100, cached_tokens=cached)
        assert len(next(documents.batches).x) == rows


def test_each_dataset_of_a_mixture_has_its_share_of_the_mean(data: Path, make_dataset, tmp_path: Path):
    other = make_dataset(tmp_path / "other", train=TRAIN, validation=[[5] * 7], layout="spans")
    config = _config(data, "lstm")
    ours, theirs = held_out({data: 3, other: 1}, config, ONE, split="validation", batch_size=4)
    assert ours.weight * VALIDATION_PAIRS == pytest.approx(3 * theirs.weight * 8)
    assert ours.weight * VALIDATION_PAIRS + theirs.weight * 8 == pytest.approx(VALIDATION_PAIRS + 8)


def test_stateful_rows_on_several_devices_are_an_error(data: Path):
    two = Replicas(tf.distribute.get_strategy())
    two.count = 2
    with pytest.raises(
        UserError, match=r"2 devices train; stateful rows are trained on one device\. Leave --stateful out"
    ):
        TrainingData(data, _config(data, "lstm", stateful=True), two)


def test_only_an_lstm_has_stateful_rows(data: Path):
    with pytest.raises(UserError, match=r"bilstm, which is not causal; --stateful needs a causal network"):
        _config(data, stateful=True)
    with pytest.raises(UserError, match=r"needs one micro-batch and the full softmax\."):
        _config(data, "lstm", stateful=True, micro_batches=2)


def test_the_pairs_layout_has_no_rows_for_an_lstm(make_dataset, tmp_path: Path):
    pairs = make_dataset(tmp_path / "pairs", train=TRAIN)
    with pytest.raises(UserError, match="spans"):
        TrainingData(pairs, _config(pairs, "lstm"), ONE)
