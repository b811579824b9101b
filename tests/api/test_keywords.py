import inspect

import pytest

import textgen
from textgen.api.keywords import prepare_config, settings_list, train_configs
from textgen.config import STAGES, ModelConfig, PrepareConfig, SelectionConfig, TextConfig, TrainConfig
from textgen.errors import UserError


def test_settings_go_to_the_config_that_has_them() -> None:
    config = prepare_config(None, None, {"window": 7, "case": "keep", "min_tokens": 3})
    assert config == PrepareConfig(window=7, text=TextConfig(case="keep"), selection=SelectionConfig(min_tokens=3))


def test_a_tokenizer_brings_its_defaults() -> None:
    assert prepare_config(None, None, {"tokenizer": "char"}).text.whitespace == "keep"


def test_settings_override_a_preset() -> None:
    config = prepare_config(None, "notebook", {"vocabulary_size": 300})
    assert (config.text.vocabulary_size, config.text.punctuation) == (300, "strip")


def test_a_whole_config_is_taken_as_it_is() -> None:
    config = PrepareConfig(window=9, text=TextConfig())
    assert prepare_config(config, None, {}) is config


@pytest.mark.parametrize(("preset", "settings"), [("notebook", {}), (None, {"window": 3})])
def test_a_whole_config_excludes_others(preset: str | None, settings: dict[str, int]) -> None:
    with pytest.raises(UserError, match="it holds all settings already"):
        prepare_config(PrepareConfig(text=TextConfig()), preset, settings)


def test_training_settings_override_configs_which_override_the_preset() -> None:
    own = ModelConfig(embedding=5, units=(6,))
    configs = train_configs(own, None, "notebook", {"units": 7, "patience": 4, "window": 9})
    assert configs["model"] == ModelConfig(embedding=5, units=(7,))
    assert (configs["train"].optimizer, configs["train"].patience, configs["window"]) == ("rmsprop", 4, 9)


def test_an_unknown_setting_names_close_ones() -> None:
    with pytest.raises(UserError, match=r"'vocab_size' is not a setting of prepare. Did you mean vocabulary_size"):
        prepare_config(None, None, {"vocab_size": 10})
    with pytest.raises(UserError, match=r"'learningrate' is not a setting of train. Did you mean learning_rate"):
        train_configs(None, None, None, {"learningrate": 1})


def test_internal_fields_are_no_settings() -> None:
    with pytest.raises(UserError, match="'given_vocabulary' is not a setting"):
        prepare_config(None, None, {"given_vocabulary": "0"})


def test_an_unknown_preset_names_those_of_the_stage() -> None:
    with pytest.raises(UserError, match="preset is 'novel'; it must be one of: char, notebook"):
        train_configs(None, None, "novel", {})


def test_a_train_config_is_built_by_name() -> None:
    assert train_configs(None, TrainConfig(batch_size=3), None, {})["train"].batch_size == 3


@pytest.mark.parametrize(("name", "stage"), [("prepare", "prepare"), ("estimate", "prepare"), ("train", "train")])
def test_signature_and_docstring_have_every_setting(name: str, stage: str) -> None:
    function = getattr(textgen, name)
    parameters = inspect.signature(function).parameters
    for setting in STAGES[stage]:
        assert parameters[setting.name].default == setting.default
        assert f"        {setting.name}: {setting.help}" in function.__doc__
    assert "settings" not in parameters and "preset" in parameters


def test_no_setting_has_the_name_of_another_parameter() -> None:
    for function, stage in ((textgen.prepare, "prepare"), (textgen.train, "train")):
        own = set(inspect.signature(function, follow_wrapped=False).parameters) - {s.name for s in STAGES[stage]}
        code = function.__code__
        assert own == set(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])


def test_choices_and_varying_defaults_are_written() -> None:
    lines = settings_list("prepare").splitlines()
    (case,) = [line.strip() for line in lines if line.strip().startswith("case:")]
    assert case.startswith("case: letter case: lowercase or unchanged; one of fold, keep (default: fold; keep for")
