import dataclasses
import json
import os
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from textgen import runs
from textgen.config import ModelConfig, TextConfig, TrainConfig
from textgen.errors import UserError
from textgen.runs import BEST, RunConfig

CONFIG = RunConfig(
    text=TextConfig(tokenizer="char", punctuation="keep"),
    model=ModelConfig(embedding=4, units=4, dropout=0.25),
    train=TrainConfig(batch_size=3, sample_prompt="é \n"),
    window=5,
    vocabulary_size=20,
    tokens_sha256="ab",
    boundaries=False,
)


def _written(folder: Path, values: object) -> Path:
    (folder / "run.json").write_text(values if isinstance(values, str) else json.dumps(values), encoding="utf-8")
    return folder


def test_settings_come_back_as_they_were_saved(tmp_path: Path):
    runs.save(CONFIG, tmp_path)
    assert runs.load(tmp_path) == CONFIG


def test_settings_are_plain_json(tmp_path: Path):
    runs.save(CONFIG, tmp_path)
    values = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert values["window"] == 5
    assert values["model"]["units"] == [4]
    assert values["model"]["dropout"] == 0.25


def test_build_takes_the_shapes_of_the_settings():
    model = CONFIG.build()
    assert model(tf.fill([3, 5], 4)).shape == (3, 20)


def test_a_folder_without_settings_is_no_run(tmp_path: Path):
    with pytest.raises(UserError, match=r"is not a run: it has no run.json\. Make one with `textgen train"):
        runs.load(tmp_path)


def test_a_folder_that_is_not_there_is_no_run(tmp_path: Path):
    with pytest.raises(UserError, match=r"is not there\. Make one with `textgen train"):
        runs.load(tmp_path / "nowhere")


@pytest.mark.parametrize("values", ["{", "[]", "3", '{"version": 2, "text": 1}', "{}"])
def test_damaged_settings_are_an_error(tmp_path: Path, values: str):
    with pytest.raises(UserError, match=r"run\.json is damaged.*Train again"):
        runs.load(_written(tmp_path, values))


@pytest.mark.parametrize("version", [1, 3])
def test_a_run_of_another_version_is_an_error_with_a_remedy(tmp_path: Path, version: int):
    runs.save(CONFIG, tmp_path)
    values = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert values.pop("version") == 2
    # Version 1 had no number.
    _written(tmp_path, values if version == 1 else {"version": version, **values})
    with pytest.raises(
        UserError,
        match=rf"run\.json: it has version {version} of a run's folder; .*version 2\. Train again in another",
    ):
        runs.load(tmp_path)


def test_settings_that_miss_one_are_damaged(tmp_path: Path):
    values = {"version": 2, **dataclasses.asdict(CONFIG)}
    del values["window"]
    with pytest.raises(UserError, match=r"run\.json is damaged.*window"):
        runs.load(_written(tmp_path, values))


def test_settings_of_another_version_are_refused(tmp_path: Path):
    values = {"version": 2, **dataclasses.asdict(CONFIG)}
    values["model"]["heads"] = 8
    with pytest.raises(UserError, match=r"unknown settings \['heads'\]"):
        runs.load(_written(tmp_path, values))


def test_a_run_without_a_checkpoint_has_no_model(tmp_path: Path):
    with pytest.raises(UserError, match=r"has no checkpoint yet\. Continue with `textgen train --resume"):
        runs.load_model(tmp_path, CONFIG)


def test_the_model_has_the_weights_of_the_best_checkpoint_wherever_the_folder_is(tmp_path: Path):
    keras.utils.set_random_seed(5)
    model = CONFIG.build()
    before = tmp_path / "before"
    tf.train.Checkpoint(model=model).write(str(before / BEST / "ckpt-3"))
    moved = before.rename(tmp_path / "after")
    loaded = runs.load_model(moved, CONFIG)
    for ours, theirs in zip(loaded.trainable_variables, model.trainable_variables, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_run_of_another_version_is_an_error_about_the_version(tmp_path: Path):
    runs.save(CONFIG, tmp_path)
    path = tmp_path / "run.json"
    path.write_text(path.read_text().replace('"stateful"', '"carry"'))
    with pytest.raises(UserError, match=r"run\.json: carry is now stateful; this was written by another version"):
        runs.load(tmp_path)


def _save_best(folder: Path, step: int, *, config: RunConfig = CONFIG) -> list[np.ndarray]:
    keras.utils.set_random_seed(step)
    model = config.build()
    tf.train.Checkpoint(model=model).write(str(folder / BEST / f"ckpt-{step}"))
    return [weight.numpy() for weight in model.weights]


def test_of_two_best_checkpoints_the_earlier_one_is_used_if_the_later_is_damaged(tmp_path: Path, capsys):
    saved = _save_best(tmp_path, 3)
    _save_best(tmp_path, 8)
    (tmp_path / BEST / "ckpt-8.index").write_bytes(b"")
    loaded = runs.load_model(tmp_path, CONFIG)
    assert all(np.array_equal(a, b) for a, b in zip(loaded.weights, saved, strict=True))
    assert "ckpt-8 is damaged: " in capsys.readouterr().err


def test_weights_that_are_not_finite_are_damaged(tmp_path: Path):
    model = CONFIG.build()
    model.weights[0].assign(np.full(model.weights[0].shape, np.nan))
    tf.train.Checkpoint(model=model).write(str(tmp_path / BEST / "ckpt-3"))
    with pytest.raises(UserError, match=r"ckpt-3 is damaged: its weights .* are not all finite"):
        runs.load_model(tmp_path, CONFIG)


@pytest.mark.parametrize(
    "sizes",
    [{"embedding": 1_000_000}, {"units": (1_000_000,)}, {"layers": 1000}, {"embedding": 60_000, "tied": True}],
)
@pytest.mark.parametrize("network", ["bilstm", "lstm"])
def test_a_network_that_is_larger_than_its_checkpoint_is_refused_before_it_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sizes: dict[str, int], network: str
):
    _save_best(tmp_path, 3)
    (tmp_path / BEST).rename(tmp_path / "last")
    _save_best(tmp_path, 3)
    large = dataclasses.replace(CONFIG, model=ModelConfig(network=network, **sizes))
    monkeypatch.setattr(RunConfig, "build", lambda _: pytest.fail("the network is made"))
    for use in (runs.load_model, runs.require_checkpoint):
        with pytest.raises(UserError, match=r"ckpt-3 is damaged: it has .* numbers, and the network of run.json has"):
            use(tmp_path, large)


def test_a_checkpoint_that_is_far_larger_than_its_network_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    _save_best(tmp_path, 3)
    monkeypatch.setattr(runs, "shapes", lambda _: {"model/x": [1 << 40]})
    with pytest.raises(UserError, match=r"it has 1,099,511,627,776 numbers, more than the network of run.json"):
        runs.load_model(tmp_path, CONFIG)


def test_a_run_with_one_undamaged_checkpoint_can_be_resumed(tmp_path: Path):
    with pytest.raises(UserError, match=r"has no checkpoint to resume from\. Train without --resume"):
        runs.require_checkpoint(tmp_path, CONFIG)
    _save_best(tmp_path, 3)
    _save_best(tmp_path, 8)
    (tmp_path / BEST).rename(tmp_path / "last")
    (tmp_path / "last" / "ckpt-8.index").write_bytes(b"")
    runs.require_checkpoint(tmp_path, CONFIG)


_TOP = {"text": {}, "model": {}, "train": {}, "window": 5, "vocabulary_size": 20, "tokens_sha256": "ab"}


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("window", True, "window is true; it must be a whole number from 1 to 4,096"),
        ("window", 0, "window is 0; it must be"),
        ("window", 5.0, r"window is 5\.0; it must be"),
        ("window", 1 << 40, "window is 1099511627776; it must be"),
        ("vocabulary_size", -3, "vocabulary_size is -3; it must be"),
        ("vocabulary_size", "20", "vocabulary_size is '20'; it must be"),
        ("vocabulary_size", 1 << 60, "vocabulary_size is .*; it must be"),
        ("tokens_sha256", "\x1b[2J", r"tokens_sha256 is '\\x1b\[2J'; it must be a text that matches"),
        ("tokens_sha256", "a" * 1000, "tokens_sha256 is '.*; it must be a text of at most 64 characters"),
        ("boundaries", 1, "boundaries is 1; it must be true or false"),
        ("text", [], "text is a list of 0; it must be an object"),
        ("model", None, "model is null; it must be an object"),
        ("model", {"units": {}}, "units is {}; it must be whole numbers"),
        ("model", {"layers": 10**6}, "layers is too large"),
        ("model", {"layers": float("inf")}, "it has the number Infinity"),
        ("train", {"learning_rate": 10**400}, "learning rate is too large"),
        ("train", {"batch_size": -1}, "batch size is -1; it must be at least 1"),
        ("train", {"sample_prompt": 3}, "sample prompt is 3; it must be text"),
        ("text", {"tokenizer_model": "../x"}, "tokenizer model is '../x'; it must match"),
        ("text", {"tokenizer": "evil"}, "tokenizer is 'evil'; it must be one of"),
        ("weights\x1b", 1, r"weights\\x1b' is unknown to this version"),
        ("version", [2], "it has version a list of 1 of a run's folder"),
        ("version", 10**30, "it has version 1000000000000000000000000000000 of a run's folder"),
    ],
)
def test_each_setting_of_a_run_is_checked(tmp_path: Path, field: str, value: object, message: str):
    values = {"version": 2, **_TOP, "boundaries": False, field: value}
    with pytest.raises(UserError, match=message) as error:
        runs.load(_written(tmp_path, values))
    assert "\n" not in str(error.value)
    assert "\x1b" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[" * 100_000, "more than 16 lists and objects inside each other"),
        (" " * (1 << 20) + "{}", "it may have at most 1,048,576"),
        ('{"version": 2, "version": 2}', "it has the key 'version' twice"),
        ('{"version": ' + "9" * 5000 + "}", "number of too many digits"),
        ('{"version": NaN}', "the number NaN"),
        ("\ud800", "it is not UTF-8"),
    ],
)
def test_content_that_is_not_the_json_of_a_run_is_damaged(tmp_path: Path, content: str, message: str):
    (tmp_path / "run.json").write_bytes(content.encode(errors="surrogatepass"))
    with pytest.raises(UserError, match=rf"run\.json is damaged: .*{message}.*\. Train again in another folder"):
        runs.load(tmp_path)


@pytest.mark.parametrize("kind", ["pipe", "folder"])
def test_settings_that_are_no_regular_file_are_no_run(tmp_path: Path, kind: str):
    path = tmp_path / "run.json"
    os.mkfifo(path) if kind == "pipe" else path.mkdir()
    with pytest.raises(UserError, match=r"is not a run: it has no run\.json"):
        runs.load(tmp_path)
