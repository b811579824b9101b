import argparse

import pytest

from pipelines.arguments import add_arguments, config_from
from textgen.config import PrepareConfig, TextConfig
from textgen.errors import UserError


def parse(*options: str) -> PrepareConfig:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return config_from(parser.parse_args(["--input", "x", "--output", "y", *options]))


def test_words_with_separate_marks_and_the_pairs_layout_are_the_default() -> None:
    config = parse()
    assert config == PrepareConfig(text=TextConfig())
    assert (config.text.tokenizer, config.text.punctuation, config.layout) == ("word", "separate", "pairs")


def test_characters_keep_the_text_as_it_stands() -> None:
    text = parse("--tokenizer", "char").text
    assert (text.case, text.whitespace, text.punctuation) == ("keep", "keep", "keep")


def test_the_notebook_preset_is_the_notebook() -> None:
    config = parse("--preset", "notebook")
    assert (config.text.vocabulary_size, config.text.punctuation, config.window) == (500, "strip", 44)


def test_an_option_goes_before_its_preset() -> None:
    config = parse("--preset", "char", "--window", "20", "--case", "fold", "--split-by", "document")
    assert (config.window, config.text.case, config.split_by, config.text.tokenizer) == (
        20,
        "fold",
        "document",
        "char",
    )


def test_boundaries_can_be_left_out() -> None:
    assert parse().boundaries and not parse("--no-boundaries").boundaries


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--window", "0"), "window is 0; it must be at least 1"),
        (("--stride", "0"), "stride is 0; it must be at least 1. Use 1 for every window"),
        (("--vocabulary-size", "0"), "vocabulary size is 0"),
        (("--validation-percent", "60", "--test-percent", "40"), "must leave some to train on"),
        (("--validation-percent", "-1"), "must be at least 0"),
        (("--validation-percent", "nan"), "must be at least 0"),
        (("--tokenizer", "char", "--punctuation", "separate"), "Use 'keep' or 'strip'"),
    ],
)
def test_a_setting_out_of_range_is_refused_with_its_rule(options: tuple[str, ...], message: str) -> None:
    with pytest.raises(UserError, match=message):
        parse(*options)
