import pytest

from textgen import presets
from textgen.config import TEXT_DEFAULTS, TOKENIZERS, TextConfig, to_json
from textgen.config.settings_file import collect, prepare_config, read_settings, train_configs
from textgen.errors import UserError


def prepared(preset, **given):
    return prepare_config(collect("prepare", given, preset=preset))


def settings(preset, stage):
    return read_settings(presets.preset_file(preset, stage), stage)


@pytest.mark.parametrize("preset", presets.names("prepare"))
def test_a_preset_makes_the_config_of_a_preparation(preset):
    made = prepared(preset)
    flat = {**to_json(made.text), **to_json(made.selection), **to_json(made)}
    wanted = settings(preset, "prepare")
    assert wanted and {name: flat[name] for name in wanted} == wanted


@pytest.mark.parametrize("preset", presets.names("train"))
def test_a_preset_of_a_notebook_makes_the_configs_of_a_training(preset):
    wanted = settings(preset, "train")
    made = train_configs(wanted)
    assert {**to_json(made["model"]), **to_json(made["train"])}.items() >= wanted.items()


def test_the_notebook_preset_is_the_word_level_notebook():
    notebook = prepared("notebook")
    assert (notebook.text.punctuation, notebook.text.vocabulary_size, notebook.window) == ("strip", 500, 44)
    model = train_configs(settings("notebook", "train"))["model"]
    assert (model.embedding, model.widths) == (8, (50, 50, 50))


def test_the_char_preset_keeps_the_text_as_it_stands():
    char = prepared("char")
    assert char.text == TextConfig(
        tokenizer="char",
        vocabulary_size=1000,
        normalization="nfc",
        case="keep",
        whitespace="keep",
        punctuation="keep",
    )
    assert char.split_by == "tail"


@pytest.mark.parametrize("preset", ["prose", "complaints", "social"])
def test_the_presets_for_kinds_of_text_have_no_settings_of_training_and_drop_duplicates(preset):
    made = prepared(preset)
    assert made.selection.duplicates == "drop" and made.selection.min_tokens > 0
    assert made.text.tokenizer == "word" and made.text != TextConfig()
    with pytest.raises(UserError, match=f"preset is '{preset}'; it must be one of: char, notebook"):
        presets.preset_file(preset, "train")


@pytest.mark.parametrize("preset", presets.names("prepare"))
@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_every_preset_goes_with_every_tokenizer(preset, tokenizer):
    if preset == "tokenized" and tokenizer != "word":
        with pytest.raises(UserError, match="Leave it out, or use --tokenizer word"):
            prepared(preset, tokenizer=tokenizer)
        return
    made = to_json(prepared(preset, tokenizer=tokenizer).text)
    wanted = {**TEXT_DEFAULTS[tokenizer], **settings(preset, "prepare"), "tokenizer": tokenizer}
    assert {name: made[name] for name in wanted if name in made} == {
        name: value for name, value in wanted.items() if name in made
    }


def test_the_preset_for_tokenized_corpora_keeps_words_and_lines():
    text = prepared("tokenized").text
    assert (text.case, text.punctuation, text.normalization) == ("keep", "keep", "nfc")
    assert (text.unknown_word, text.line_ends) == ("<unk>", "token")
