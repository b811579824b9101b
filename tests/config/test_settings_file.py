import json
from pathlib import Path

import pytest

from textgen.config import PrepareConfig, TextConfig, TrainConfig, to_json
from textgen.config.settings_file import collect, prepare_config, read_settings, train_configs
from textgen.errors import UserError

BOTH = """
[prepare]
tokenizer = "char"
window = 128
[train]
units = [64, 32]
layers = 2
learning_rate = 1
"""


def write(folder: Path, text: str, name: str = "settings.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_may_hold_the_settings_of_both_commands(tmp_path: Path):
    path = write(tmp_path, BOTH)
    assert read_settings(path, "prepare") == {"tokenizer": "char", "window": 128}
    assert read_settings(path, "train") == {"units": (64, 32), "layers": 2, "learning_rate": 1.0}


@pytest.mark.parametrize("text", ['window = 9\ncase = "keep"\n', '{"window": 9, "case": "keep"}'])
def test_a_file_of_one_command_needs_no_table(tmp_path: Path, text: str):
    assert read_settings(write(tmp_path, text), "prepare") == {"window": 9, "case": "keep"}


def test_a_manifest_holds_the_settings_of_its_preparation(tmp_path: Path):
    config = PrepareConfig(text=TextConfig(case="keep"), window=7, layout="spans")
    path = write(tmp_path, json.dumps({"version": 9, "config": to_json(config), "units": []}), "manifest.json")
    assert prepare_config(read_settings(path, "prepare")) == config
    with pytest.raises(
        UserError, match=r"manifest\.json is the manifest of a dataset, which has no settings of train"
    ):
        read_settings(path, "train")


def test_a_run_holds_the_settings_of_its_training_and_of_its_text(tmp_path: Path):
    run = {
        "version": 1, "text": to_json(TextConfig(case="keep")), "model": {"units": [3]}, "train": {"epochs": 2},
        "window": 7, "vocabulary_size": 9, "tokens_sha256": "", "boundaries": False,
    }  # fmt: skip
    path = write(tmp_path, json.dumps(run), "run.json")
    made = train_configs(read_settings(path, "train"))
    assert (made["model"].units, made["train"], made["window"]) == ((3,), TrainConfig(epochs=2), 7)
    made = prepare_config(read_settings(path, "prepare"))
    assert (made.text.case, made.window, made.boundaries) == ("keep", 7, False)


@pytest.mark.parametrize(
    ("stage", "text", "message"),
    [
        ("prepare", "windw = 3", "'windw' is not a setting of prepare. Did you mean window?"),
        (
            "prepare",
            "zzz = 3",
            "'zzz' is not a setting of prepare. `textgen prepare --help-all` and help(textgen.prepare) list them.",
        ),
        ("prepare", "window = '3'", "window is '3'; it must be a whole number. It is the number"),
        ("prepare", "window = 0", "window is 0; it must be from 1 to 4,096."),
        ("prepare", "near_duplicates = 0.2", "near duplicates is 0.2; it must be 0, or at least"),
        ("prepare", "names = 'mask'", "names is now called mentions. Rename it."),
        ("train", "carry = true", "carry is now called stateful. Rename it."),
        ("train", "learning_rate = '0.1'", "learning rate is '0.1'; it must be a number."),
        ("train", "seed = 3\n[train]\nlayers = 2", "['seed'] is outside of the tables [prepare] and [train]."),
        ("train", "[train]\ngiven_vocabulary = 'a'\nwindow = 'b'", "window is 'b'"),
    ],
)
def test_a_bad_key_or_value_is_named_with_the_file(tmp_path: Path, stage: str, text: str, message: str):
    path = write(tmp_path, text)
    with pytest.raises(UserError) as refused:
        read_settings(path, stage)
    assert str(refused.value).startswith(f"{path}: {message}")


@pytest.mark.parametrize("text", ["window 3", '{"window": 3', "[1, 2]", "\x00"])
def test_a_file_that_is_neither_toml_nor_json_is_refused(tmp_path: Path, text: str):
    with pytest.raises(UserError, match=r"settings\.toml is neither TOML nor a JSON object: "):
        read_settings(write(tmp_path, text), "prepare")


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path):
    path = tmp_path / "settings.toml"
    path.write_bytes(b"text_field = '\xff'")
    with pytest.raises(UserError, match="is neither TOML nor a JSON object"):
        read_settings(path, "prepare")


def test_a_path_without_a_file_is_refused(tmp_path: Path):
    with pytest.raises(UserError, match=r"there is no file .*nowhere\.toml\. Check the path after --config\."):
        read_settings(tmp_path / "nowhere.toml", "train")
    with pytest.raises(UserError, match=r"is a folder\. Give a file after --config, as manifest\.json or run\.json"):
        read_settings(tmp_path, "train")


def test_options_go_before_the_file_and_the_file_before_the_preset(tmp_path: Path):
    file = write(tmp_path, "units = 2\nlayers = 2")
    made = collect("train", {"units": (3,)}, file=file, preset="notebook")
    assert (made["units"], made["layers"], made["batch_size"]) == ((3,), 2, 128)


def test_the_defaults_of_the_tokenizer_stand_in_for_what_no_one_says():
    assert prepare_config({"tokenizer": "char", "case": "fold"}).text == TextConfig(
        tokenizer="char",
        vocabulary_size=1000,
        normalization="nfc",
        case="fold",
        whitespace="keep",
        punctuation="keep",
    )
    with pytest.raises(UserError, match="tokenizer is 'syllable'"):
        prepare_config({"tokenizer": "syllable"})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{" + '"a": [' * 1 + "[" * 100_000, "is neither TOML nor a JSON object"),
        ('{"config": 3, "units": []}', "config must hold settings by name"),
        ('{"prepare": 3, "train": {}}', "prepare must hold settings by name"),
    ],
)
def test_a_file_of_another_shape_is_an_error(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "settings.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match=message):
        collect("prepare", {}, file=str(path))
