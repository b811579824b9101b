import dataclasses
import itertools
import json
import math
import os
import shutil
import signal
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.training.test_time_limit import FakeClock
from textgen import runs
from textgen.config import ModelConfig, TrainConfig
from textgen.dataset import read_manifest, read_pairs
from textgen.errors import Interrupted, Terminated, UserError
from textgen.model.cpu_parallelism import CpuPlan
from textgen.runs import RunConfig
from textgen.training import evaluator, loop, metrics, preemption, step, trainer
from textgen.training.callbacks.curves import Curves
from textgen.training.callbacks.history import History
from textgen.training.metrics import MetricSums
from textgen.training.setup import config_for
from textgen.training.trainer import train

TRAIN = [[4, 5, 6, 7, 8, 9, 10, 4, 5, 6, 7, 8], [11, 12, 13, 11, 12, 13, 1, 11, 12], [14, 15, 16, 17, 18, 19] * 2]
VALIDATION = [[4, 5, 6, 7, 14, 15, 16], [11]]
BATCH = 8
STEPS_PER_EPOCH = 5
"""13 + 10 + 13 = 36 pairs, 8 per step."""


def _sampler(model: keras.Model, config: RunConfig) -> Callable[[], str]:
    return lambda: "some text"


def _config(data: Path, *, dropout: float = 0.5, **settings: Any) -> RunConfig:
    # A check, with a checkpoint, is inside each epoch; the state of dropout is restored too.
    settings = {"batch_size": BATCH, "epochs": 2, "validate_every": 3, "learning_rate": 0.01, "seed": 7, **settings}
    model = ModelConfig(embedding=4, units=4, dropout=dropout)
    return config_for(read_manifest(data), model=model, train=TrainConfig(**settings))


def _train(data: Path, output: Path, config: RunConfig, *, curves: bool = False, **settings: Any) -> History:
    with pytest.MonkeyPatch.context() as patch:
        if not curves:
            # A picture takes longer than the steps that it is of.
            patch.setattr(Curves, "on_check", lambda curves, check: None)
        return train(data, output, config, make_sampler=_sampler, connect_minutes=1.0, **settings)


def _checkpoint(output: Path, which: str = "last") -> dict[str, np.ndarray]:
    """All that the newest checkpoint holds, but durations."""
    reader = tf.train.load_checkpoint(str(runs.checkpoints_in(output / which)[0]))
    names = set(reader.get_variable_to_shape_map()) - {"_CHECKPOINTABLE_OBJECT_GRAPH"}
    return {
        name: reader.get_tensor(name) for name in sorted(names) if not name.startswith(("seconds", "sums", "spent"))
    }


def _value(checkpoint: dict[str, np.ndarray], name: str) -> float:
    return checkpoint[f"{name}/.ATTRIBUTES/VARIABLE_VALUE"].item()


def _one_call_more(output: Path) -> float:
    """Returns a time limit in minutes that is over after the first call of the next session."""
    return _spent(output) / 60 + 1e-9


def _spent(output: Path) -> float:
    """Returns the seconds that count against a time limit, of the newest checkpoint."""
    reader = tf.train.load_checkpoint(str(runs.checkpoints_in(output / "last")[0]))
    return reader.get_tensor("spent/.ATTRIBUTES/VARIABLE_VALUE").item()


def _learnt(checkpoint: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """All but the memory of early stopping."""
    of_checks = ("best_loss", "stale_checks", "checked_at")
    return {name: value for name, value in checkpoint.items() if not name.startswith(of_checks)}


def _assert_same(ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray]) -> None:
    assert ours
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        np.testing.assert_array_equal(value, theirs[name], err_msg=name)


def _untimed(history: History) -> list[Any]:
    return [dataclasses.replace(row, seconds=0, pairs_per_second=0, waited=0) for row in history.rows]


def _stop_after(last: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupts as Ctrl-C does, in the first call that would go beyond a step."""
    make_steps = step.training_steps

    def training_steps(*arguments: Any, **settings: Any) -> Any:
        steps, done = make_steps(*arguments, **settings), 0

        def runs(batches: Any, count: int, so_far: MetricSums) -> MetricSums:
            nonlocal done
            done += count
            if done > last:
                raise KeyboardInterrupt
            return steps(batches, count, so_far)

        return runs

    monkeypatch.setattr(step, "training_steps", training_steps)


@pytest.fixture(scope="module")
def data(make_dataset, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("loop") / "data"
    return make_dataset(folder, train=TRAIN, validation=VALIDATION)


@pytest.fixture(scope="module")
def whole(data: Path, tmp_path_factory) -> tuple[Path, History]:
    """A run of two epochs without an interruption."""
    output = tmp_path_factory.mktemp("whole") / "deep" / "run"
    return output, _train(data, output, _config(data), curves=True)


@pytest.fixture(scope="module")
def finished_half(data: Path, tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("half") / "run"
    _train(data, output, _config(data, epochs=1))
    return output


@pytest.fixture
def half(finished_half: Path, tmp_path: Path) -> Path:
    """Copies a run of one epoch, which the test may resume."""
    return shutil.copytree(finished_half, tmp_path / "half")


class Resumed(NamedTuple):
    """The run of one epoch, gone on with for another in two sittings."""

    output: Path
    first_sitting: History
    second_sitting: History


@pytest.fixture(scope="module")
def resumed(data: Path, finished_half: Path, tmp_path_factory) -> Resumed:
    output = shutil.copytree(finished_half, tmp_path_factory.mktemp("resumed") / "run")
    # A run killed between a check's row and its checkpoint leaves a row of work that is done again.
    rows = (output / "history.csv").read_text().splitlines()
    (output / "history.csv").write_text("\n".join([*rows, rows[-1].replace("5,", "7,", 1)]) + "\n")
    first = _train(data, output, _config(data), resume=True, max_minutes=_one_call_more(output))
    return Resumed(output, first, _train(data, output, _config(data), resume=True))


class TestFiles:
    def test_a_row_stands_at_every_check_and_at_the_end(self, whole):
        output, history = whole
        assert [row.step for row in history.rows] == [3, 6, 9, 10]
        assert [row.epoch for row in history.rows] == [0.6, 1.2, 1.8, 2.0]
        assert History(output / "history.csv", until_step=10).rows == history.rows
        for row in history.rows:
            assert 0 < row.loss < 4
            assert 0 < row.validation_loss < 4
            assert row.pairs_per_second * row.seconds == pytest.approx(24 if row.step % 10 else 4, abs=8)
            assert 0 < row.waited < 1
            assert row.learning_rate == pytest.approx(0.01)
            # Each token of these datasets is a character.
            bits = row.validation_loss * 10 / math.log(2) / 8
            assert row.validation_bits_per_character == pytest.approx(bits)

    def test_the_run_says_what_it_is_and_has_its_own_vocabulary(self, whole, data: Path):
        output, _ = whole
        assert runs.load(output) == _config(data)
        assert (output / "vocabulary.jsonl").read_bytes() == (data / "vocabulary.jsonl").read_bytes()

    def test_curves_are_a_picture(self, whole):
        assert (whole[0] / "curves.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")

    def test_every_check_leaves_a_sample(self, whole):
        lines = (whole[0] / "samples.jsonl").read_text(encoding="utf-8").splitlines()
        expected = {"prompt": "", "temperature": 0.8, "seed": 7, "text": "some text"}
        assert [json.loads(line) for line in lines] == [{"step": step, **expected} for step in (3, 6, 9, 10)]

    def test_the_checkpoints_are_the_last_ones_and_the_best(self, whole):
        output, history = whole
        assert sorted(path.stem for path in (output / "last").glob("*.index")) == ["ckpt-10", "ckpt-9"]
        best = min(history.rows, key=lambda row: row.validation_loss)
        assert [path.stem for path in (output / "best").glob("*.index")] == [f"ckpt-{best.step}"]
        assert _value(_checkpoint(output), "best_loss") == best.validation_loss

    def test_nothing_else_is_left(self, whole):
        assert sorted(path.name for path in whole[0].iterdir()) == [
            "baselines.json", "best", "curves.png", "history.csv", "last", "run.json", "samples.jsonl", "tensorboard",
            "vocabulary.jsonl",
        ]  # fmt: skip

    def test_the_best_weights_give_the_best_validation_loss(self, whole, data: Path):
        output, history = whole
        model = runs.load_model(output, runs.load(output))
        (batch,) = read_pairs(data, split="validation", batch_size=100)
        losses = keras.losses.sparse_categorical_crossentropy(batch[1], model(batch[0]), from_logits=True)
        best = min(row.validation_loss for row in history.rows)
        assert float(np.mean(losses)) == pytest.approx(best, rel=1e-5)


class TestResume:
    def test_an_epoch_more_in_two_sittings_gives_the_weights_of_a_run_that_had_both(self, whole, resumed: Resumed):
        _assert_same(_learnt(_checkpoint(resumed.output)), _learnt(_checkpoint(whole[0])))

    def test_a_sitting_whose_time_is_up_ends_with_a_check(self, resumed: Resumed):
        assert [row.step for row in resumed.first_sitting.rows] == [3, 5, 6]

    def test_history_rows_of_repeated_steps_are_dropped(self, resumed: Resumed):
        assert [row.step for row in resumed.second_sitting.rows] == [3, 5, 6, 9, 10]
        assert History(resumed.output / "history.csv", until_step=10).rows == resumed.second_sitting.rows

    def test_a_run_killed_inside_an_epoch_resumes_to_the_same_result(
        self, whole, data: Path, tmp_path: Path, monkeypatch
    ):
        output = tmp_path / "run"
        output.mkdir()
        with monkeypatch.context() as patch:
            _stop_after(4, patch)
            with pytest.raises(KeyboardInterrupt):
                _train(data, output, _config(data))
        assert _value(_checkpoint(output), "step") == 3

        history = _train(data, output, _config(data), resume=True)
        _assert_same(_checkpoint(output), _checkpoint(whole[0]))
        assert _untimed(history) == _untimed(whole[1])

    def test_another_learning_rate_is_the_one_that_trains(self, data: Path, half: Path):
        before = _checkpoint(half)
        _train(data, half, _config(data, learning_rate=1e-30), resume=True, max_minutes=_one_call_more(half))
        after = _checkpoint(half)
        assert _value(after, "step") > _value(before, "step")
        weights = [name for name in before if name.startswith("model/")]
        _assert_same({name: before[name] for name in weights}, {name: after[name] for name in weights})

    def test_a_finished_run_is_not_changed(self, data: Path, half: Path, capfd):
        before = (half / "history.csv").read_bytes()
        _train(data, half, _config(data, epochs=1), resume=True)
        assert "is done: all epochs (1) are trained" in capfd.readouterr().err
        assert (half / "history.csv").read_bytes() == before

    def test_resuming_without_a_checkpoint_is_an_error(self, data: Path, half: Path):
        shutil.rmtree(half / "last")
        with pytest.raises(UserError, match="has no checkpoint to resume from"):
            _train(data, half, _config(data), resume=True)


def _signal_at(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sends SIGTERM before the agreement of that number, counted over training and validation."""
    agree, calls = preemption.agree, itertools.count(1)

    def agreement(*arguments: Any, **settings: Any) -> Any:
        if next(calls) == count:
            os.kill(os.getpid(), signal.SIGTERM)
        return agree(*arguments, **settings)

    monkeypatch.setattr(loop, "agree", agreement)


class TestSignals:
    def test_a_run_stopped_in_training_and_in_checks_resumes_to_the_same_result(
        self, whole, data: Path, tmp_path: Path, monkeypatch
    ):
        # Steps 1, 2; the check at 3 is due; within the check at 3; after it; in the last check.
        stops, output, seen = [1, 2, 2, 3, 6], tmp_path / "run", []
        for i, count in enumerate(stops):
            with monkeypatch.context() as patch:
                _signal_at(count, patch)
                # Before the first step of a session there is nothing to save.
                with pytest.raises((Interrupted, Terminated)) as stopped:
                    _train(data, output, _config(data), resume=i > 0)
            assert isinstance(stopped.value, Terminated) or "a checkpoint is saved" in str(stopped.value)
            left = _checkpoint(output)
            seen.append((_value(left, "step"), _value(left, "checked_at")))
        assert (3, 0) in seen and seen[-1][0] > seen[-1][1]
        history = _train(data, output, _config(data), resume=True)
        assert _untimed(history) == _untimed(whole[1])
        _assert_same(_checkpoint(output), _checkpoint(whole[0]))

    def test_a_signal_before_the_first_step_ends_at_once_and_the_run_can_be_resumed(
        self, whole, data: Path, tmp_path: Path, monkeypatch
    ):
        output = tmp_path / "run"
        with monkeypatch.context() as patch:
            patch.setattr(loop.TrainingLoop, "_advance", lambda *_: os.kill(os.getpid(), signal.SIGTERM))
            with pytest.raises(Terminated):
                _train(data, output, _config(data))
        assert not list(output.glob("*/*.index"))
        history = _train(data, output, _config(data), resume=True)
        assert _untimed(history) == _untimed(whole[1])


def test_a_separate_validation_dataset_replaces_the_validation_split(
    data: Path, finished_half: Path, make_dataset, tmp_path: Path
):
    bare = make_dataset(tmp_path / "bare", train=TRAIN)
    held_out = make_dataset(tmp_path / "held-out", train=VALIDATION)
    ours = _train(bare, tmp_path / "a", _config(data, epochs=1), validation_data=held_out)
    theirs = History(finished_half / "history.csv", until_step=STEPS_PER_EPOCH)
    assert _untimed(ours) == _untimed(theirs)
    assert ours.rows[-1].validation_bits_per_character


class TestRefusals:
    def test_a_dataset_to_validate_on_that_has_other_windows_is_refused_before_training(
        self, data: Path, make_dataset, tmp_path: Path
    ):
        wider = make_dataset(tmp_path / "wider", train=VALIDATION, window=6)
        with pytest.raises(UserError, match="window"):
            _train(data, tmp_path / "run", _config(data), validation_data=wider)
        assert not (tmp_path / "run").exists()

    def test_a_folder_with_anything_in_it_is_not_written_to_without_resume(self, data: Path, tmp_path: Path):
        (tmp_path / "diary.txt").write_text("mine")
        with pytest.raises(UserError, match=r"is not empty\. Add --resume.* or name another folder"):
            _train(data, tmp_path, _config(data))
        assert [path.name for path in tmp_path.iterdir()] == ["diary.txt"]

    @pytest.mark.parametrize("resume", [False, True])
    def test_another_vocabulary_is_refused_before_anything_is_written(
        self, data: Path, make_dataset, tmp_path: Path, resume: bool
    ):
        other = make_dataset(tmp_path / "other", train=[[4, 4, 5]], tokens=string.ascii_uppercase[:16])
        with pytest.raises(
            UserError, match=r"its vocabulary is another than the model's\. Name the model's own --data"
        ):
            _train(other, tmp_path / "run", _config(data), resume=resume)
        assert not (tmp_path / "run").exists()

    def test_a_vocabulary_that_is_not_the_manifests_is_refused(self, data: Path, tmp_path: Path):
        damaged = shutil.copytree(data, tmp_path / "data")
        content = (damaged / "vocabulary.jsonl").read_text()
        (damaged / "vocabulary.jsonl").write_text(content.replace('"a"', '"z"'))
        with pytest.raises(UserError, match="vocabulary"):
            _train(damaged, tmp_path / "run", _config(data), max_minutes=1e-9)

    @pytest.mark.parametrize("resume", [False, True])
    def test_a_window_that_the_shards_do_not_hold_is_refused_before_anything_is_written(
        self, data: Path, half: Path, tmp_path: Path, resume: bool
    ):
        output = half if resume else tmp_path / "run"
        before = {path: path.read_bytes() for path in output.rglob("*.*")}
        config = dataclasses.replace(_config(data), window=4)
        with pytest.raises(UserError, match="the pairs layout fixed them as 5, 1 and 1"):
            _train(data, output, config, resume=resume)
        assert {path: path.read_bytes() for path in output.rglob("*.*")} == before
        assert output.exists() == resume

    @pytest.mark.parametrize(
        ("loss", "told"),
        [
            (math.nan, "the training loss is nan at step 6; it must stay finite. Nothing of it is saved"),
            (
                1e27,
                r"the training loss is 1e\+27 at step 6; a uniform guess has 3, and above 8.99 training has diverged",
            ),
        ],
    )
    def test_a_loss_that_explodes_ends_the_run_and_keeps_its_last_good_state(
        self, data: Path, half: Path, loss: float, told: str
    ):
        before, best = _checkpoint(half), _checkpoint(half, "best")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(metrics.MetricSums, "mean_loss", property(lambda sums: loss))
            with pytest.raises(UserError, match=f"{told}.*lower --learning-rate .it is 0.01.: with --resume"):
                _train(data, half, _config(data), resume=True)
        _assert_same(_checkpoint(half), before)
        _assert_same(_checkpoint(half, "best"), best)

    def test_a_learning_rate_that_is_far_too_high_ends_the_run(self, data: Path, tmp_path: Path):
        config = _config(data, optimizer="sgd", learning_rate=1e9, clip_norm=0.0)
        with pytest.raises(UserError, match=r"it is 1e\+09\), or --clip-norm 1 \(it is 0\)"):
            _train(data, tmp_path / "run", config)
        assert not (tmp_path / "run" / "best").exists()


class TestStopping:
    def test_training_stops_after_patience_checks_and_continues_with_more_patience(self, data: Path, tmp_path: Path):
        # So small a learning rate changes no weight, and validation's loss stays what it was.
        settings = {"optimizer": "sgd", "learning_rate": 1e-30, "validate_every": 1}
        history = _train(data, tmp_path / "run", _config(data, patience=2, **settings))
        assert [row.step for row in history.rows] == [1, 2, 3]
        assert len({row.validation_loss for row in history.rows}) == 1
        assert [path.stem for path in (tmp_path / "run" / "best").glob("*.index")] == ["ckpt-1"]
        assert _value(_checkpoint(tmp_path / "run"), "stale_checks") == 2

        history = _train(data, tmp_path / "run", _config(data, patience=4, **settings), resume=True)
        assert [row.step for row in history.rows] == [1, 2, 3, 4, 5]

    def test_without_a_validation_split_trainings_loss_is_monitored_and_a_cycle_is_learnt(
        self, make_dataset, tmp_path: Path
    ):
        cycle = [4, 5, 6, 7, 8, 9] * 20
        data = make_dataset(tmp_path / "data", train=[cycle], boundaries=False)
        config = _config(data, dropout=0, batch_size=16, epochs=20, validate_every=40, learning_rate=0.05)
        history = _train(data, tmp_path / "run", config)
        assert all(row.validation_loss is None for row in history.rows)
        assert all(row.monitored == row.loss for row in history.rows)
        assert history.rows[0].loss > 1
        assert history.rows[-1].loss < 0.05
        assert history.rows[-1].accuracy > 0.99
        best_loss = _value(_checkpoint(tmp_path / "run"), "best_loss")
        assert best_loss == min(row.loss for row in history.rows)


class TestTimeLimit:
    CONFIG: ClassVar = {"epochs": 50, "validate_every": 0, "schedule": "cosine", "patience": 50}
    MINUTES = 1.5

    def _train(self, data: Path, output: Path, **settings: Any) -> History:
        config = _config(data, **{**self.CONFIG, "validate_every": 1000})
        # Each reading takes a second, so each call has one step.
        clock = FakeClock(step=1)
        return _train(data, output, config, clock=clock, **{"max_minutes": self.MINUTES, **settings})

    def test_the_schedule_and_five_checks_end_with_the_time(self, data: Path, tmp_path: Path, capfd):
        rows = self._train(data, tmp_path / "run").rows
        assert len(rows) == 5
        rates = [row.learning_rate for row in rows]
        assert rates == sorted(rates, reverse=True)
        assert 0.0001 <= rates[-1] < 0.0002
        assert rows[-1].step < 100
        assert 90 <= _spent(tmp_path / "run") < 95
        assert f"--max-minutes 1.5 is over after step {rows[-1].step}.\n" in capfd.readouterr().err

    def test_the_time_of_all_sessions_counts(self, data: Path, tmp_path: Path, capfd):
        output = tmp_path / "run"
        first = self._train(data, output, max_minutes=0.9)
        rows = self._train(data, output, resume=True).rows[len(first.rows) :]
        assert 90 <= _spent(output) < 95
        # Three fifths of the new limit are spent; a check at 80 percent and one at the end remain.
        assert len(rows) == 2
        assert rows[0].learning_rate < 0.01 * (0.01 + 0.99 * (1 + math.cos(math.pi * 3 / 5)) / 2)
        assert 0.0001 <= rows[-1].learning_rate < 0.0002

        self._train(data, output, resume=True)
        assert "run is done: its training has taken 1.5" in capfd.readouterr().err

    def test_the_first_step_in_which_kernels_are_compiled_is_not_counted(
        self, data: Path, tmp_path: Path, monkeypatch
    ):
        clock, advance = FakeClock(step=1), loop.TrainingLoop._advance

        def compile_first(training: loop.TrainingLoop, batches: Any, steps: int) -> float:
            clock.seconds += 0 if training.state.step else 60
            return advance(training, batches, steps)

        monkeypatch.setattr(loop.TrainingLoop, "_advance", compile_first)
        config = _config(data, **{**self.CONFIG, "validate_every": 1000})
        rows = _train(data, tmp_path / "run", config, clock=clock, max_minutes=self.MINUTES).rows
        assert len(rows) == 5
        assert rows[0].step > 1

    def test_a_limit_that_is_over_at_once_is_told(self, data: Path, tmp_path: Path, capfd):
        rows = self._train(data, tmp_path / "run", max_minutes=1e-9).rows
        assert [row.step for row in rows] == [1]
        told = "--max-minutes 1e-09 is over after step 1, with 1 of the 5 planned validations: it is too short for"
        assert told in capfd.readouterr().err


class TestNoLeak:
    @pytest.mark.parametrize("layout", ["pairs", "spans"])
    def test_x_does_not_change_with_its_target_or_what_comes_after(self, make_dataset, tmp_path: Path, layout: str):
        document = [4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]
        whole = make_dataset(tmp_path / "whole", train=[document], layout=layout)
        ((whole_x, whole_y),) = read_pairs(whole, batch_size=100)
        for changed in (0, 1, 4, 9, 10):
            other = [*document[:changed], 19, *document[changed + 1 :]]
            data = make_dataset(tmp_path / str(changed), train=[other], layout=layout)
            ((x, y),) = read_pairs(data, batch_size=100)
            # Target i is the document's i-th token, since [BOS] is none.
            np.testing.assert_array_equal(x[: changed + 1], whole_x[: changed + 1])
            assert y[changed] == 19
            if changed + 1 < len(document):
                assert not np.array_equal(x[changed + 1], whole_x[changed + 1])
        assert whole_y.numpy().tolist() == [*document, 3]

    def test_chance_is_not_predicted_better_than_chance(self, make_dataset, tmp_path: Path):
        random, tokens = np.random.RandomState(0), 16
        documents = random.randint(4, 4 + tokens, [50, 101])
        data = make_dataset(
            tmp_path / "data",
            train=documents[:30],
            validation=documents[30:],
            layout="spans",
            boundaries=False,
        )
        config = _config(data, dropout=0, batch_size=128, epochs=4, validate_every=32, learning_rate=0.03)
        history = _train(data, tmp_path / "run", config)
        assert history.rows[-1].step == 96
        for row in history.rows:
            assert row.validation_loss > math.log(tokens) - 0.02


@pytest.mark.parametrize("network", ["bilstm", "lstm"])
def test_training_and_evaluation_use_one_plan_of_the_cores(make_dataset, tmp_path: Path, monkeypatch, network):
    splits, steps_with, losses_with, calls = list[CpuPlan](), list[CpuPlan](), list[CpuPlan](), list[None]()

    class RecordingPlan(CpuPlan):
        def split(self, tensors: Any) -> Any:
            splits.append(self)
            return super().split(tensors)

        def micro_batches(self, rows: int) -> int:
            steps_with.append(self)
            return super().micro_batches(rows)

    plan = RecordingPlan(rows_per_micro_batch=3, halves=True)
    monkeypatch.setattr(trainer, "plan_cpu", lambda: calls.append(None) or plan)
    stateful_loss, full_softmax_loss = evaluator.stateful_loss, evaluator.full_softmax_loss

    def recorded(make_loss: Any) -> Any:
        def make(*arguments: Any, plan: CpuPlan, **settings: Any) -> Any:
            losses_with.append(plan)
            return make_loss(*arguments, plan=plan, **settings)

        return make

    monkeypatch.setattr(evaluator, "stateful_loss", recorded(stateful_loss))
    monkeypatch.setattr(evaluator, "full_softmax_loss", recorded(full_softmax_loss))
    data = make_dataset(tmp_path / "data", train=TRAIN, validation=VALIDATION, layout="spans")
    model = ModelConfig(network=network, embedding=4, units=4)
    config = config_for(read_manifest(data), model=model, train=TrainConfig(batch_size=BATCH, epochs=1))
    _train(data, tmp_path / "run", config)
    assert len(calls) == 1
    assert steps_with and all(each is plan for each in steps_with)
    assert losses_with and all(each is plan for each in losses_with)
    # A causal network reads each batch in two halves; the directions of a bilstm already use both cores.
    assert bool(splits) == (network == "lstm")
