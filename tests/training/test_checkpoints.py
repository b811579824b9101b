import shutil
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from textgen.config import ModelConfig, TrainConfig
from textgen.errors import UserError
from textgen.locks import hold
from textgen.locks.owners import this_process
from textgen.model import networks
from textgen.runs.checkpoint_files import VALUE
from textgen.training.checkpoints import Checkpoints, was_saved
from textgen.training.learning_rates import LearningRate
from textgen.training.metrics import MetricSums
from textgen.training.optimizers import make_optimizer
from textgen.training.train_state import TrainState


def _state(seed: int, optimizer: str = "adam") -> TrainState:
    keras.utils.set_random_seed(seed)
    model = networks.build(ModelConfig(embedding=4, units=4, dropout=0.5), vocabulary_size=20, window=5)
    config = TrainConfig(optimizer=optimizer, schedule="plateau")
    rate = LearningRate(config, last_step=10)
    return TrainState(
        model, make_optimizer(config, model, rate), rate, [tf.Variable(tf.zeros([2, 4]), trainable=False)]
    )


def _move(state: TrainState, step: int) -> None:
    """Changes weights and slots, as a step of training does."""
    random = np.random.RandomState(step)
    weights = state.model.trainable_variables
    state.optimizer.apply([tf.constant(random.normal(size=w.shape), tf.float32) for w in weights], weights)
    state.step = step


def _everything(state: TrainState) -> list[np.ndarray]:
    learnt = [*state.model.trainable_variables, *state.optimizer.variables]
    rest = (state.step, state.best_loss, state.stale_checks, state.checked_at, state.sums, state.seconds)
    rest = (*rest, state.best_at, state.spent, state.spent_at_check)
    return [np.array(v) for v in (*learnt, *rest, state.learning_rate.scale, *state.lstm_states)]


def _equal(one: TrainState, other: TrainState) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(_everything(one), _everything(other), strict=True))


def _steps(folder: Path) -> list[int]:
    return sorted(int(path.stem.removeprefix("ckpt-")) for path in folder.glob("*.index"))


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop", "sgd"])
def test_all_of_the_state_comes_back_exactly(tmp_path: Path, optimizer: str):
    saved = _state(1, optimizer)
    _move(saved, 3)
    _move(saved, 4)
    saved.best_loss = 1.0 / 3
    saved.stale_checks = 2
    saved.checked_at = 3
    saved.sums = MetricSums(1.0 / 3, 2.0, 3.0, 4.0, 5.0)
    saved.seconds = 1.0 / 7
    saved.spent, saved.spent_at_check = 60.0 / 7, 50.0 / 7
    saved.learning_rate.scale.assign(0.25)
    saved.lstm_states[0].assign(tf.ones([2, 4]))
    Checkpoints(tmp_path, saved, keep=2).save(best=False)

    restored = _state(2, optimizer)
    assert not _equal(restored, saved)
    Checkpoints(tmp_path, restored, keep=2).restore()
    assert _equal(restored, saved)
    assert (restored.step, restored.best_loss, restored.stale_checks) == (4, 1.0 / 3, 2)
    assert (restored.sums, restored.seconds) == (MetricSums(1.0 / 3, 2.0, 3.0, 4.0, 5.0), 1.0 / 7)


def test_a_checkpoint_without_the_time_spent_is_restored_with_zeros(tmp_path: Path, monkeypatch):
    saved = _state(1)
    _move(saved, 3)
    saved.spent = 7.0
    older = Checkpoints(tmp_path, saved, keep=1)
    counters = {name: counter for name, counter in older._counters.items() if not name.startswith("spent")}
    monkeypatch.setattr(older, "_counters", counters)
    monkeypatch.setattr(older, "_whole", older._everything())
    older.save()

    restored = _state(2)
    Checkpoints(tmp_path, restored, keep=1).restore()
    assert (restored.step, restored.spent) == (3, 0.0)
    saved.spent = 0.0
    assert _equal(restored, saved)


def test_training_from_a_checkpoint_equals_uninterrupted_training(tmp_path: Path):
    whole = _state(1)
    _move(whole, 1)
    Checkpoints(tmp_path, whole, keep=1).save(best=False)
    _move(whole, 2)

    resumed = _state(2)
    Checkpoints(tmp_path, resumed, keep=1).restore()
    _move(resumed, 2)
    assert _equal(resumed, whole)


def test_dropout_continues_from_a_checkpoint_with_the_next_masks(tmp_path: Path):
    x = tf.constant([[4, 5, 6, 7, 8]] * 3)
    whole = _state(1)
    whole.model(x, training=True)
    Checkpoints(tmp_path, whole, keep=1).save(best=False)

    resumed = _state(1)
    Checkpoints(tmp_path, resumed, keep=1).restore()
    np.testing.assert_array_equal(resumed.model(x, training=True), whole.model(x, training=True))


def test_the_last_ones_are_kept_and_the_newest_is_restored(tmp_path: Path):
    state = _state(1)
    checkpoints = Checkpoints(tmp_path, state, keep=3)
    for step in range(1, 6):
        _move(state, step)
        checkpoints.save(best=False)
    assert _steps(tmp_path / "last") == [3, 4, 5]

    other = _state(2)
    Checkpoints(tmp_path, other, keep=3).restore()
    assert _equal(other, state)


def test_a_resumed_run_keeps_the_given_number_of_checkpoints(tmp_path: Path):
    for first in (1, 3):
        state = _state(1)
        checkpoints = Checkpoints(tmp_path, state, keep=2)
        if first > 1:
            checkpoints.restore()
        for step in (first, first + 1):
            _move(state, step)
            checkpoints.save(best=False)
    assert _steps(tmp_path / "last") == [3, 4]


def test_the_best_is_kept_apart_when_later_ones_push_it_out(tmp_path: Path):
    state = _state(1)
    checkpoints = Checkpoints(tmp_path, state, keep=1)
    _move(state, 1)
    checkpoints.save(best=True)
    best = [variable.numpy() for variable in state.model.trainable_variables]
    for step in (2, 3):
        _move(state, step)
        checkpoints.save(best=False)

    assert (_steps(tmp_path / "best"), _steps(tmp_path / "last")) == ([1], [3])
    model = _state(2).model
    tf.train.Checkpoint(model=model).restore(str(tmp_path / "best" / "ckpt-1")).expect_partial()
    for ours, theirs in zip(model.trainable_variables, best, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_the_later_of_two_best_checkpoints_is_kept(tmp_path: Path):
    state = _state(1)
    checkpoints = Checkpoints(tmp_path, state, keep=2)
    for step in (1, 2):
        _move(state, step)
        checkpoints.save(best=True)
    assert _steps(tmp_path / "best") == [2]


class Killed(BaseException):
    pass


@pytest.mark.parametrize("former", [[], [1]], ids=["first check", "later check"])
@pytest.mark.parametrize("writes", [0, 1], ids=["before", "between"])
def test_a_run_killed_before_both_folders_have_a_new_best_goes_on_from_a_whole_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, former: list[int], writes: int
):
    state = _state(1)
    checkpoints, write = Checkpoints(tmp_path, state, keep=2), Checkpoints._write
    for step in former:
        _move(state, step)
        state.record_check(9.0, counts=True, is_comparable=True)
        checkpoints.save(best=True)
    _move(state, 2)
    state.record_check(5.0, counts=True, is_comparable=True)
    made = []

    def killed(self: Checkpoints, *arguments: Any, **settings: Any) -> None:
        if len(made) == writes:
            raise Killed
        made.append(write(self, *arguments, **settings))

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Checkpoints, "_write", killed)
        checkpoints.save(best=True)
    other = _state(2)
    resumed = Checkpoints(tmp_path, other, keep=2)
    if not former and not writes:
        assert not was_saved(tmp_path)
        return
    resumed.restore()
    assert (other.step, other.best_at) == ((2, 2) if writes else (1, 1))
    resumed.complete_best()
    assert _steps(tmp_path / "best") == [other.step]
    model = _state(3).model
    tf.train.Checkpoint(model=model).restore(str(tmp_path / "best" / f"ckpt-{other.step}")).expect_partial()
    for ours, theirs in zip(model.trainable_variables, other.model.trainable_variables, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_an_early_check_that_is_not_the_best_does_not_replace_the_best(tmp_path: Path):
    state = _state(1)
    checkpoints = Checkpoints(tmp_path, state, keep=2)
    for step, loss, is_regular in ((1, 5.0, True), (2, 6.0, False)):
        _move(state, step)
        checkpoints.save(best=state.record_check(loss, counts=is_regular, is_comparable=True))
    assert (state.stale_checks, state.checked_at) == (0, 2)
    other = _state(2)
    resumed = Checkpoints(tmp_path, other, keep=2)
    resumed.restore()
    resumed.complete_best()
    assert _steps(tmp_path / "best") == [1]


def test_nothing_is_restored_without_a_checkpoint(tmp_path: Path):
    with pytest.raises(UserError, match=r"has no checkpoint to resume from\. Train without --resume"):
        Checkpoints(tmp_path, _state(1), keep=1).restore()


@pytest.fixture(scope="module")
def run_of_two(tmp_path_factory) -> tuple[Path, list[TrainState]]:
    """A run with checkpoints of the steps 1 and 2, and the states of both."""
    folder = tmp_path_factory.mktemp("run")
    state, copies = _state(1), []
    checkpoints = Checkpoints(folder, state, keep=2)
    for step in (1, 2):
        _move(state, step)
        checkpoints.save()
        copies.append(_state(9))
        Checkpoints(folder, copies[-1], keep=2).restore()
    return folder, copies


@pytest.fixture
def two(run_of_two: tuple[Path, list[TrainState]], tmp_path: Path) -> list[TrainState]:
    """Copies that run, and returns the states of its checkpoints, which no test changes."""
    folder, states = run_of_two
    shutil.copytree(folder / "last", tmp_path / "last")
    return states


@pytest.mark.parametrize("file", ["ckpt-2.index", "ckpt-2.data-00000-of-00001"])
@pytest.mark.parametrize("damage", ["a bit", "cut", "empty", "more"])
def test_a_damaged_checkpoint_is_left_out_with_a_warning(
    tmp_path: Path, two: list[TrainState], capfd, file: str, damage: str
):
    path = tmp_path / "last" / file
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 4
    damaged = {"a bit": content, "cut": content[: len(content) // 2], "empty": b"", "more": bytes(99) + content}
    path.write_bytes(damaged[damage])
    restored = _state(2)
    Checkpoints(tmp_path, restored, keep=2).restore()
    assert restored.step == 1
    assert _equal(restored, two[0])
    assert f"warning: {tmp_path}/last/ckpt-2 is damaged and left out" in capfd.readouterr().err


def test_an_incomplete_checkpoint_of_a_killed_process_is_ignored(tmp_path: Path, two: list[TrainState]):
    (tmp_path / "last" / "ckpt-2.index").unlink()
    restored = _state(2)
    Checkpoints(tmp_path, restored, keep=2).restore()
    assert _equal(restored, two[0])


def test_nothing_is_restored_if_all_checkpoints_are_damaged(tmp_path: Path, two: list[TrainState]):
    for path in (tmp_path / "last").glob("*.index"):
        path.write_bytes(b"")
    with pytest.raises(UserError, match=r"has no checkpoint to resume from"):
        Checkpoints(tmp_path, _state(2), keep=2).restore()


def test_older_ones_leave_nothing_behind(tmp_path: Path, two: list[TrainState]):
    Checkpoints(tmp_path, two[1], keep=1).save()
    assert sorted(path.name for path in (tmp_path / "last").iterdir()) == [
        "ckpt-2.data-00000-of-00001", "ckpt-2.index",
    ]  # fmt: skip


def _values(checkpoint: Path) -> dict[str, np.ndarray]:
    reader = tf.train.load_checkpoint(str(checkpoint))
    names = [name for name in reader.get_variable_to_shape_map() if name.endswith(VALUE)]
    return {name: reader.get_tensor(name) for name in names}


def test_both_folders_hold_the_weights_under_the_names_of_the_model(tmp_path: Path):
    state = _state(1)
    _move(state, 3)
    Checkpoints(tmp_path, state, keep=2).save(best=True)
    best, last = (_values(tmp_path / folder / "ckpt-3") for folder in ("best", "last"))
    assert len(best) == len(state.model.trainable_variables)
    assert all(name.startswith("model/") for name in best)
    assert {name for name in last if name.startswith("model/")} == set(best)
    for name, weights in best.items():
        np.testing.assert_array_equal(last[name], weights)


def _write_as_before(folder: Path, state: TrainState, *, without: str = "") -> None:
    """Writes a checkpoint as version 0.4 did: with the optimizer as an object."""
    counters = {
        "step": np.int64(state.step), "best_loss": np.float64(state.best_loss), "stale_checks": np.int64(0),
        "checked_at": np.int64(state.checked_at), "sums": np.zeros(5), "seconds": np.float64(0.25),
    }  # fmt: skip
    tf.train.Checkpoint(
        model=state.model,
        optimizer=state.optimizer,
        seeds=[variable.value for variable in state.model.non_trainable_variables],
        learning_rate_scale=state.learning_rate.scale,
        lstm_states=list(state.lstm_states),
        **{name: tf.Variable(value) for name, value in counters.items() if name != without},
    ).write(str(folder / "last" / f"ckpt-{state.step}"))


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_checkpoint_of_the_version_before_is_restored(tmp_path: Path, optimizer: str):
    saved = _state(1, optimizer)
    _move(saved, 3)
    saved.seconds = 0.25
    _write_as_before(tmp_path, saved)
    restored = _state(2, optimizer)
    Checkpoints(tmp_path, restored, keep=2).restore()
    assert _equal(restored, saved)


def test_a_counter_that_a_checkpoint_does_not_have_keeps_its_first_value(tmp_path: Path):
    saved = _state(1)
    _move(saved, 3)
    _write_as_before(tmp_path, saved, without="seconds")
    restored = _state(2)
    Checkpoints(tmp_path, restored, keep=2).restore()
    assert (restored.step, restored.seconds) == (3, 0.0)


@pytest.mark.parametrize("keep", [1, 2])
def test_checkpoints_of_a_run_resumed_from_an_earlier_one_replace_those_of_later_steps(tmp_path: Path, keep: int):
    state = _state(1)
    checkpoints = Checkpoints(tmp_path, state, keep=keep)
    _move(state, 100)
    checkpoints.save(best=True)
    _move(state, 60)
    checkpoints.save(best=True)
    assert (_steps(tmp_path / "best"), _steps(tmp_path / "last")) == ([60], [60])
    best = _values(tmp_path / "best" / "ckpt-60")
    weights = _values(tmp_path / "last" / "ckpt-60")
    assert all(np.array_equal(values, weights[name]) for name, values in best.items())


def test_a_checkpoint_of_another_step_than_its_name_is_left_out(tmp_path: Path, two: list[TrainState], capfd):
    for path in (tmp_path / "last").glob("ckpt-2.*"):
        path.rename(path.with_name(path.name.replace("ckpt-2", "ckpt-7")))
    restored = _state(2)
    Checkpoints(tmp_path, restored, keep=2).restore()
    assert _equal(restored, two[0])
    assert "ckpt-7 is damaged and left out: its counters are not those of step 7" in capfd.readouterr().err


def test_a_folder_of_checkpoints_that_leads_out_of_the_run_is_not_touched(tmp_path: Path, two: list[TrainState]):
    other = tmp_path.parent / f"{tmp_path.name}-other"
    (tmp_path / "last").rename(other)
    (tmp_path / "last").symlink_to(other)
    before = sorted(other.iterdir())
    for use in ("restore", "save"):
        with pytest.raises(UserError, match=r"last is a link to .*outside of the run; nothing is read or removed"):
            getattr(Checkpoints(tmp_path, _state(2), keep=1), use)()
    assert sorted(other.iterdir()) == before


def test_nothing_is_written_when_another_process_has_taken_the_lock(tmp_path: Path):
    state, run = _state(1), tmp_path / "run"
    with pytest.raises(UserError, match="has taken it over"), hold(run, command="train") as lock:
        assert lock
        checkpoints = Checkpoints(run, state, keep=2, require_lock=lock.require_held)
        checkpoints.save(best=True)
        before = sorted(run.rglob("*"))
        (run / "_lock").write_bytes(this_process("repair", folder=0).to_bytes())
        _move(state, 3)
        checkpoints.save(best=True)
    assert sorted(run.rglob("*")) == before
