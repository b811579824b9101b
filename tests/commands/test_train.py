import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from textgen import presets, runs
from textgen.cli import main
from textgen.commands import train
from textgen.config import ModelConfig, TrainConfig
from textgen.config.settings_file import read_settings
from textgen.errors import Interrupted
from textgen.runs import RunConfig
from textgen.training import trainer


@pytest.fixture
def half(trained: Path, tmp_path: Path) -> Path:
    """A copy of the run, to go on with."""
    return shutil.copytree(trained, tmp_path / "half")


@pytest.fixture
def asked(monkeypatch) -> list[tuple[RunConfig, dict[str, Any]]]:
    """What the training loop is asked for, in place of training."""
    calls = []
    monkeypatch.setattr(trainer, "train", lambda data, output, config, **settings: calls.append((config, settings)))
    return calls


def test_a_run_has_what_it_was_asked_for(trained: Path, data: Path):
    config = runs.load(trained)
    assert config.model == ModelConfig(embedding=4, units=4)
    assert (config.train.epochs, config.train.seed, config.train.sample_prompt) == (1, 5, "🐋 abc")
    assert (trained / "vocabulary.jsonl").read_bytes() == (data / "vocabulary.jsonl").read_bytes()
    assert {path.name for path in trained.iterdir()} == {
        "baselines.json",
        "best", "curves.png", "history.csv", "last", "run.json", "samples.jsonl", "tensorboard", "vocabulary.jsonl",
    }  # fmt: skip


def test_samples_are_written_by_the_generator_as_the_model_learns(trained: Path):
    samples = [json.loads(line) for line in (trained / "samples.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [sample["step"] for sample in samples] == [3, 5]
    for sample in samples:
        assert (sample["prompt"], sample["temperature"], sample["seed"]) == ("🐋 abc", 0.8, 5)
        assert sample["text"].startswith("🐋 abc")
        continuation = sample["text"].removeprefix("🐋 abc")
        assert len(continuation) == 12
        assert set(continuation) <= set("abcdefghijklmnop")


@pytest.mark.system
def test_from_a_url_a_run_learns_what_it_learns_from_a_folder(data: Path, url: str, tmp_path: Path):
    for name, dataset in (("folder", str(data)), ("url", url)):
        options = ["--embedding", "4", "--units", "4", "--batch-size", "8", "--epochs", "1"]
        assert main(["train", "--data", dataset, "--output", str(tmp_path / name), *options]) == 0
    for name in ("vocabulary.jsonl", "samples.jsonl"):
        assert (tmp_path / "url" / name).read_bytes() == (tmp_path / "folder" / name).read_bytes()


def test_every_setting_has_an_option(asked, data: Path, tmp_path: Path):
    model = ModelConfig(
        embedding=3, layers=2, units=(5, 6), merge="ave", pooling="attention", dropout=0.25, tied=True
    )
    train = TrainConfig(
        batch_size=6, epochs=7, optimizer="sgd", momentum=0.5, learning_rate=0.5, schedule="cosine", warmup_steps=2,
        decay_steps=3, plateau_patience=2, weight_decay=0.125, clip_norm=0.0, label_smoothing=0.25, micro_batches=2,
        precision="bfloat16", softmax="full", sampled_tokens=3, patience=8, validate_every=9, checkpoint_minutes=2.5,
        keep_checkpoints=4, seed=11, sample_prompt="a b", sample_temperature=0.0, sample_tokens=13,
    )  # fmt: skip
    argv = [
        "--max-minutes",
        "1.5",
        "--strategy",
        "one",
        "--connect-minutes",
        "2.5",
        "--cache",
        str(tmp_path / "cache"),
        "--validation-data",
        "other",
    ]
    for name, value in {**dataclasses.asdict(model), **dataclasses.asdict(train)}.items():
        option = name.replace("_", "-")
        if isinstance(value, bool):
            argv.append(f"--{option}" if value else f"--no-{option}")
        else:
            argv += [f"--{option}", ",".join(map(str, value)) if isinstance(value, tuple) else str(value)]
    assert main(["train", "--data", str(data), "--output", str(tmp_path / "run"), *argv]) == 0
    ((config, settings),) = asked
    assert (config.model, config.train) == (model, train)
    assert (settings["resume"], settings["max_minutes"], settings["strategy"]) == (False, 1.5, "one")
    assert settings["connect_minutes"] == 2.5
    assert settings["validation_data"] == "other"
    assert (tmp_path / "cache").is_dir()


def test_a_window_may_be_chosen_when_reading(asked, data: Path, tmp_path: Path):
    argv = ["train", "--data", str(data), "--output", str(tmp_path / "run")]
    assert main([*argv, "--window", "3"]) == main(argv) == 0
    assert [config.window for config, _ in asked] == [3, 5]


@pytest.mark.parametrize("preset", presets.names("train"))
def test_an_option_goes_before_its_preset(asked, data: Path, tmp_path: Path, preset: str):
    argv = ["train", "--data", str(data), "--output", str(tmp_path / "run"), "--preset", preset]
    assert main([*argv, "--units", "7"]) == 0
    ((config, _),) = asked
    chosen = {**dataclasses.asdict(config.model), **dataclasses.asdict(config.train)}
    assert chosen.items() >= {**read_settings(presets.preset_file(preset, "train"), "train"), "units": (7,)}.items()


@pytest.mark.parametrize(
    ("option", "value", "rule"),
    [
        ("--max-minutes", "0", "must be above 0"),
        ("--max-minutes", "-1", "must be above 0"),
        ("--max-minutes", "nan", "must be above 0"),
        ("--connect-minutes", "0", "must be above 0"),
        ("--epochs", "0", "at least 1"),
        ("--units", "0", "at least 1"),
        ("--batch-size", "-3", "at least 1"),
        ("--dropout", "1", "below 1"),
        ("--dropout", "nan", "below 1"),
        ("--optimizer", "lion", "must be one of: adam, adamw, rmsprop, sgd"),
        ("--learning-rate", "0", "above 0"),
        ("--learning-rate", "nan", "above 0"),
        ("--learning-rate", "inf", "finite"),
        ("--clip-norm", "-1", "Use 0 for no clipping"),
        ("--clip-norm", "inf", "clip norm"),
        ("--sample-temperature", "-0.5", "Use 0 for the most likely"),
        ("--sample-temperature", "inf", "sample temperature"),
        ("--sample-tokens", "0", "at least 1"),
        ("--seed", "-1", "seed"),
        ("--seed", str(2**32), "seed"),
    ],
)
def test_a_setting_out_of_its_range_is_refused_before_anything_is_written(
    refused, data: Path, tmp_path: Path, option: str, value: str, rule: str
):
    tiny = ("--units", 4, "--embedding", 4, "--epochs", 1)
    assert rule in refused("train", "--data", data, "--output", tmp_path / "run", *tiny, option, value)
    assert not (tmp_path / "run").exists()


def test_a_folder_that_is_no_dataset_is_refused(refused, trained: Path, tmp_path: Path):
    message = refused("train", "--data", trained, "--output", tmp_path / "run")
    assert f"{trained} is not a dataset" in message
    assert "textgen prepare" in message
    assert "is not there" in refused("train", "--data", tmp_path / "nowhere", "--output", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_folder_that_holds_something_is_refused_and_kept(refused, data: Path, half: Path, snapshot):
    before = snapshot(half)
    assert "Add --resume" in refused("train", "--data", data, "--output", half)
    assert snapshot(half) == before


def test_where_no_run_is_none_is_resumed(refused, data: Path, tmp_path: Path):
    for output in (tmp_path / "nowhere", tmp_path):
        message = refused("train", "--data", data, "--output", output, "--resume")
        assert "Make one with `textgen train" in message
    assert list(tmp_path.iterdir()) == []


def test_a_run_without_a_checkpoint_is_not_resumed(refused, data: Path, half: Path, snapshot):
    shutil.rmtree(half / "last")
    before = snapshot(half)
    message = refused("train", "--data", data, "--output", half, "--resume")
    assert "Train without --resume" in message
    assert snapshot(half) == before


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--units", "8"),
        ("--embedding", "8"),
        ("--layers", "2"),
        ("--dropout", "0.5"),
        ("--batch-size", "9"),
        ("--seed", "6"),
        ("--optimizer", "sgd"),
        ("--sample-prompt", "x"),
        ("--window", "3"),
    ],
)
def test_a_resumed_run_stays_what_it_is(refused, data: Path, half: Path, snapshot, option: str, value: str):
    before = snapshot(half)
    message = refused("train", "--data", data, "--output", half, "--resume", option, value)
    assert f"{option} is {value}, but the run has" in message
    assert "Leave the option out" in message
    assert snapshot(half) == before


def test_a_resumed_run_may_go_on_for_longer(asked, data: Path, half: Path):
    argv = ["train", "--data", str(data), "--output", str(half), "--resume"]
    before = runs.load(half)
    assert main([*argv, "--units", "4", "--epochs", "9", "--patience", "6", "--learning-rate", "0.5"]) == 0
    ((config, settings),) = asked
    train = dataclasses.replace(before.train, epochs=9, patience=6, learning_rate=0.5)
    assert config == dataclasses.replace(before, train=train)
    assert settings["resume"]


def test_a_job_that_is_started_again_goes_on_or_begins(asked, data: Path, half: Path, tmp_path: Path):
    for output in (tmp_path / "new", half):
        assert main(["train", "--data", str(data), "--output", str(output), "--units", "4", "--resume", "auto"]) == 0
    assert [settings["resume"] for _, settings in asked] == [False, True]


def test_a_run_is_resumed_or_not(data: Path, tmp_path: Path, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["train", "--data", str(data), "--output", str(tmp_path / "run"), "--resume", "maybe"])
    assert stopped.value.code == 2
    assert "'maybe' is not allowed; write --resume, or --resume auto" in capsys.readouterr().err


def test_units_that_are_no_numbers_are_refused(data: Path, tmp_path: Path, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["train", "--data", str(data), "--output", str(tmp_path / "run"), "--units", "4,b"])
    assert stopped.value.code == 2
    assert "'4,b' must be whole numbers separated by commas, as 256,128" in capsys.readouterr().err


def test_a_resumed_run_keeps_the_settings_that_it_went_on_with(data: Path, half: Path):
    assert main(["train", "--data", str(data), "--output", str(half), "--resume", "--patience", "6"]) == 0
    assert runs.load(half).train.patience == 6


def test_a_resumed_run_needs_its_own_dataset_and_keeps_its_settings_if_it_has_another(
    refused, other_data: Path, half: Path, snapshot
):
    before = snapshot(half)
    message = refused("train", "--data", other_data, "--output", half, "--resume", "--epochs", "9")
    assert "its vocabulary is another than the model's" in message
    assert snapshot(half) == before


def test_a_run_that_is_done_says_so_and_where_it_is(data: Path, half: Path, capfd):
    assert main(["train", "--data", str(data), "--output", str(half), "--resume"]) == 0
    out, err = capfd.readouterr()
    assert "is done: all epochs (1) are trained" in err
    assert out == f"{half}: run.json, history.csv, curves.png, samples.jsonl, tensorboard/, best/, last/\n"


def test_a_damaged_shard_is_named_in_one_line(data: Path, tmp_path: Path, capfd):
    damaged = shutil.copytree(data, tmp_path / "data")
    shard = damaged / "train-000000.tfrecord"
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)
    assert main(["train", "--data", str(damaged), "--output", str(tmp_path / "run"), "--units", "4"]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    (line,) = [line for line in err.splitlines() if line.startswith("error: ")]
    assert line == err.splitlines()[-1]
    assert str(shard) in line
    assert "`textgen verify` lists what is damaged" in line
    assert "Traceback" not in err


def test_an_interrupted_run_says_how_to_go_on_with_it(data: Path, tmp_path: Path, monkeypatch, capfd):
    def interrupted(*arguments: Any, **settings: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(trainer, "train", interrupted)
    assert main(["train", "--data", str(data), "--output", str(tmp_path / "run")]) == 130
    assert "run the same command again to begin anew" in capfd.readouterr().err


def test_several_datasets_are_mixed_by_their_weights(data: Path, tmp_path: Path, capfd):
    other = shutil.copytree(data, tmp_path / "other")
    options = ["--embedding", "4", "--units", "4", "--batch-size", "8", "--epochs", "1"]
    code = main(["train", "--data", f"{data}:3", "--data", str(other), "--output", str(tmp_path / "run"), *options])
    assert code == 0
    # 36 pairs each, in batches of 8.
    assert "training on 72 pairs, 9 steps per epoch" in capfd.readouterr().err


def test_a_weight_is_the_number_after_the_last_colon():
    assert train._weights(["a:3", "b", "gs://c/d:0.5"]) == {"a": 3.0, "b": 1.0, "gs://c/d": 0.5}


def test_a_folder_whose_name_ends_like_a_weight_is_a_folder(tmp_path: Path):
    (tmp_path / "data:3").mkdir()
    assert train._weights([f"{tmp_path}/data:3"]) == {f"{tmp_path}/data:3": 1.0}


def test_a_dataset_named_twice_is_an_error(refused, data: Path, tmp_path: Path):
    message = refused("train", "--data", data, "--data", f"{data}:2", "--output", tmp_path / "run")
    assert f"--data is {data} twice; a dataset has one weight. Give it once." in message


def test_datasets_of_different_vocabularies_are_not_mixed(refused, data: Path, other_data: Path, tmp_path: Path):
    message = refused("train", "--data", data, "--data", other_data, "--output", tmp_path / "run")
    assert "its vocabulary is another than the model's" in message


def test_the_check_of_cudnn_works_under_its_former_name_and_says_the_new_one(data: Path, capfd):
    assert main(["train", "--data", str(data), "--check-cudnn", "--units", "4"]) == 0
    out, err = capfd.readouterr()
    assert out.startswith("every LSTM runs in cuDNN on a GPU")
    assert "train --check-cudnn is now called inspect --check-cudnn" in err


def test_settings_come_from_a_file_and_options_go_before_it(asked, data: Path, tmp_path: Path):
    file = tmp_path / "settings.toml"
    file.write_text("units = 7\nepochs = 4\nwindow = 3\n")
    argv = ["train", "--data", str(data), "--output", str(tmp_path / "run"), "--preset", "notebook"]
    assert main([*argv, "--config", str(file), "--epochs", "2"]) == 0
    ((config, _),) = asked
    assert (config.model.units, config.model.layers, config.train.epochs, config.window) == ((7,), 3, 2, 3)


def test_the_settings_of_another_run_make_a_run_like_it(asked, trained: Path, data: Path, tmp_path: Path):
    argv = ["train", "--data", str(data), "--output", str(tmp_path / "run"), "--config", str(trained / "run.json")]
    assert main(argv) == 0
    ((config, _),) = asked
    assert config == runs.load(trained)


def test_a_file_may_not_change_what_a_resumed_run_is(refused, data: Path, half: Path, tmp_path: Path):
    file = tmp_path / "settings.toml"
    file.write_text("units = 7\n")
    message = refused("train", "--data", data, "--output", half, "--resume", "--config", file)
    assert "--units is 7, but the run has 4" in message


@pytest.mark.parametrize(
    ("former", "now"), [(["--parts", "3"], ["--micro-batches", "3"]), (["--carry"], ["--stateful"])]
)
def test_former_options_work_and_say_the_new_names(
    asked, data: Path, tmp_path: Path, capfd, former: list[str], now: list[str]
):
    argv = ["train", "--data", str(data), "--output", str(tmp_path / "run"), "--network", "lstm"]
    assert main([*argv, *former]) == main([*argv, *now]) == 0
    assert asked[0][0] == asked[1][0]
    assert f"{former[0]} is now called {now[0]}" in capfd.readouterr().err


def test_a_run_needs_a_folder(refused, data: Path):
    assert "Add --output RUN." in refused("train", "--data", data)


def test_a_run_that_a_signal_stopped_says_how_to_go_on_and_ends_as_the_signal_would(
    data, tmp_path, monkeypatch, capfd
):
    def interrupted(*arguments: Any, **settings: Any) -> None:
        raise Interrupted("stopped after step 3; a checkpoint is saved.", signal=15)

    monkeypatch.setattr(trainer, "train", interrupted)
    assert main(["train", "--data", str(data), "--output", str(tmp_path / "run")]) == 143
    assert capfd.readouterr().err == "stopped after step 3; a checkpoint is saved.\n"
