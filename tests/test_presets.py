import argparse
import dataclasses

import pytest

from pipelines import arguments
from textgen.config import TEXT_DEFAULTS, TOKENIZERS, ModelConfig, TextConfig, TrainConfig, to_json
from textgen.presets import PRESETS


def parsed(*options):
    parser = argparse.ArgumentParser()
    arguments.add_arguments(parser)
    return arguments.config_from(parser.parse_args(["--input", "a.txt", "--output", "d", *options]))


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_builds_the_configs_of_every_stage(preset):
    made = parsed("--preset", preset)
    wanted = PRESETS[preset]["prepare"]
    flat = {**to_json(made.text), **to_json(made.selection), **to_json(made)}
    assert {name: flat[name] for name in wanted} == wanted
    assert set(PRESETS[preset]) <= {"prepare", "train"}
    model_names = {field.name for field in dataclasses.fields(ModelConfig)}
    train = PRESETS[preset].get("train", {})
    model = ModelConfig(**{name: value for name, value in train.items() if name in model_names})
    rest = TrainConfig(**{name: value for name, value in train.items() if name not in model_names})
    assert {**to_json(model), **to_json(rest)}.items() >= dict(train).items()


def test_the_notebook_preset_strips_marks_and_the_char_preset_keeps_the_text_as_it_stands():
    notebook, char = parsed("--preset", "notebook"), parsed("--preset", "char")
    assert (notebook.text.punctuation, notebook.text.vocabulary_size, notebook.window) == ("strip", 500, 44)
    assert char.text == TextConfig(
        tokenizer="char", vocabulary_size=1000, case="keep", whitespace="keep", punctuation="keep"
    )
    assert char.split_by == "tail"


@pytest.mark.parametrize("preset", ["prose", "complaints", "social"])
def test_the_presets_for_kinds_of_text_say_nothing_of_training_and_drop_duplicates(preset):
    assert set(PRESETS[preset]) == {"prepare"}
    made = parsed("--preset", preset)
    assert made.selection.duplicates == "drop" and made.selection.min_tokens > 0
    assert made.text.tokenizer == "word" and made.text != TextConfig()


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_every_preset_goes_with_every_tokenizer(preset, tokenizer):
    made = parsed("--preset", preset, "--tokenizer", tokenizer)
    wanted = {**TEXT_DEFAULTS[tokenizer], **PRESETS[preset]["prepare"], "tokenizer": tokenizer}
    assert {name: value for name, value in to_json(made.text).items() if name in wanted} == {
        name: value for name, value in wanted.items() if name in to_json(made.text)
    }
