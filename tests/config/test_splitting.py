import dataclasses
import json

import pytest

from textgen.config import PrepareConfig, TextConfig, build, from_json, to_json
from textgen.config.splitting import names_of_given
from textgen.errors import UserError


def config(**settings: object) -> PrepareConfig:
    return PrepareConfig(text=TextConfig(), **settings)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, (5, 5)),
        ({"test_percent": 0}, (5, 0)),
        ({"given_splits": "test"}, (5, 0)),
        ({"given_splits": "validation,test"}, (0, 0)),
        ({"given_splits": "validation", "validation_percent": 0, "test_percent": 2}, (0, 2)),
        ({"split_field": "split"}, (0, 0)),
        ({"split_field": "split", "validation_percent": 3}, (3, 0)),
        ({"group_field": "author"}, (5, 5)),
        ({"split_by": "tail", "given_splits": "test"}, (5, 0)),
    ],
)
def test_a_split_that_the_input_gives_takes_no_percent_unless_it_is_asked_for(
    settings: dict, expected: tuple[float, float]
) -> None:
    made = config(**settings)
    assert (made.validation_percent, made.test_percent) == expected
    assert tuple(made.held_out_percent().values()) == expected
    assert from_json(PrepareConfig, json.loads(json.dumps(to_json(made)))) == made


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"given_splits": "validation,test", "test_percent": 5},
            r"test percent is 5, but --test-input names the files of the test split\. Leave --test-percent out, or",
        ),
        (
            {"given_splits": "test", "split_field": "s"},
            r"split field is 's', but files .* Leave --split-field out, or",
        ),
        ({"group_field": "author", "split_by": "tail"}, r"group field is 'author' and split by is 'tail', .* Use"),
        ({"validation_percent": 99, "test_percent": 1}, "validation and test take 100 percent of the text"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        config(**settings)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [({}, False), ({"given_splits": "test"}, True), ({"split_field": "s"}, True), ({"group_field": "s"}, True)],
)
def test_equal_texts_may_be_separated_unless_their_hash_chooses_the_split(settings: dict, expected: bool) -> None:
    assert config(**settings).separates_equal_texts is expected


def test_a_whole_config_takes_given_splits_only_without_a_percentage() -> None:
    with pytest.raises(UserError, match="test percent is 5"):
        dataclasses.replace(config(), given_splits="test")
    assert dataclasses.replace(config(test_percent=0), given_splits="test").given_splits == "test"


def test_given_splits_are_built_with_the_settings() -> None:
    names = names_of_given(validation=["a"], test=["b", "c"])
    made = build(PrepareConfig, {"given_splits": names, "tokenizer": "char", "punctuation": "keep"})
    assert (made.given_splits, made.text.tokenizer) == ("validation,test", "char")
    assert names_of_given(validation=[], test=[]) == ""
