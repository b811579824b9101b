"""Checks of JSON from strangers: a value as declared is returned, and any other gives one clear line."""

import dataclasses

import pytest

from textgen.config import TextConfig, to_json
from textgen.config.schema import (
    Flag,
    ListOf,
    MapOf,
    Numbers,
    OrNull,
    Real,
    Record,
    Row,
    SchemaError,
    SettingsOf,
    Text,
    Whole,
)

THING = Record(
    {
        "count": Whole(at_most=9),
        "share": Real(at_least=0, at_most=1),
        "name": Text(pattern="[a-z]+"),
        "is_new": Flag(),
        "split": OrNull(Text(choices=("train", "test"))),
        "sizes": Numbers(at_most=9),
        "parts": ListOf(Row({"count": Whole(), "name": Text()})),
        "reasons": MapOf(Text(max_length=5), Whole(at_least=1)),
    },
    {"path": Text(is_path=True)},
)
GOOD = {
    "count": 3, "share": 0.5, "name": "a", "is_new": True, "split": None, "sizes": [1, 2], "parts": [[1, "b"]],
    "reasons": {"empty": 1}, "path": "a\udcff",
}  # fmt: skip


def checked(values):
    return THING.check(values, "")


def test_a_value_as_declared_is_returned():
    assert checked(GOOD) == {**GOOD, "parts": [(1, "b")]}
    assert checked({**GOOD, "split": "test"})["split"] == "test"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"count": -1}, "count is -1; it must be a whole number from 0 to 9"),
        ({"count": True}, "count is true; it must be a whole number from 0 to 9"),
        ({"count": 1.0}, "count is 1.0; it must be a whole number from 0 to 9"),
        ({"count": 10**30}, f"count is {10**30}; it must be a whole number from 0 to 9"),
        ({"share": 2}, "share is 2; it must be a number from 0 to 1"),
        ({"share": None}, "share is null; it must be a number from 0 to 1"),
        ({"name": "../b"}, "name is '../b'; it must be a text that matches [a-z]+"),
        ({"name": "a\n"}, "name is 'a\\n'; it must be a text that matches [a-z]+"),
        ({"name": "a\u202eb"}, "name is 'a\\u202eb'; it must be a text that matches [a-z]+"),
        ({"name": ["a"]}, "name is a list of 1; it must be a text"),
        ({"is_new": 1}, "is_new is 1; it must be true or false"),
        ({"split": "all"}, "split is 'all'; it must be one of: train, test"),
        ({"sizes": [1, 10]}, "sizes[1] is 10; it must be a whole number from 0 to 9"),
        ({"sizes": {}}, "sizes is an object; it must be a list of whole numbers"),
        ({"parts": [[1, "b", 2]]}, "parts[0] is a list of 3; it must be a list of 2 values: count, name"),
        ({"parts": [[1, "\ud800"]]}, "parts[0].name is '\\ud800'; it must be a text without surrogates"),
        ({"reasons": {"emptier": 1}}, "a key of reasons is 'emptier'; it must be a text of at most 5 characters"),
        ({"reasons": {"empty": 0}}, "reasons.'empty' is 0; it must be a whole number from 1 to"),
        ({"path": "a\0"}, "path is 'a\\x00'; it must be a path without a NUL character"),
        ({"other": 1}, "'other' is unknown to this version of textgen"),
    ],
)
def test_any_other_value_is_named_with_the_rule(changed, message):
    with pytest.raises(SchemaError) as error:
        checked({**GOOD, **changed})
    assert str(error.value).startswith(message)
    assert str(error.value).isprintable()


def test_a_missing_key_is_named():
    with pytest.raises(SchemaError, match="^share is missing$"):
        checked({key: value for key, value in GOOD.items() if key != "share"})


def test_settings_are_checked_by_their_own_declarations():
    kind = SettingsOf(TextConfig)
    text = TextConfig(vocabulary_size=7)
    assert kind.check(to_json(text), "text") == text
    for changed, message in [
        ({"vocabulary_size": 0}, "in text, vocabulary size is 0; it must be at least 1"),
        ({"vocabulary_size": 10**400}, "in text, vocabulary size is too large"),
        ({"tokenizer_model": "../x"}, "in text, tokenizer model is '../x'; it must match"),
        ({"unknown_word": "x" * 20_000}, "in text, unknown word has 20,000 characters"),
    ]:
        with pytest.raises(SchemaError) as error:
            kind.check({**dataclasses.asdict(text), **changed}, "text")
        assert str(error.value).startswith(message)
    with pytest.raises(SchemaError, match="in text, the settings are a list; they must be an object"):
        kind.check([], "text")
