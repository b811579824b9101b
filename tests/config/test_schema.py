"""Checks of JSON from strangers: a value as declared is returned, and any other gives one clear line."""

import pytest

from textgen.config.schema import (
    Flag,
    ListOf,
    MapOf,
    Matrix,
    Numbers,
    OrNull,
    Real,
    Record,
    Row,
    SchemaError,
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
        "table": Matrix(columns=2, at_most=9),
        "parts": ListOf(Row({"count": Whole(), "name": Text()})),
        "reasons": MapOf(Text(max_length=5), Whole(at_least=1)),
    },
    {"path": Text(is_path=True)},
)
GOOD = {
    "count": 3, "share": 0.5, "name": "a", "is_new": True, "split": None, "sizes": [1, 2],
    "table": [[0, 9], [5, 5]], "parts": [[1, "b"]], "reasons": {"empty": 1}, "path": "a\udcff",
}  # fmt: skip


def checked(values):
    return THING.check(values, "")


def test_a_value_as_declared_is_returned():
    assert checked(GOOD) == {**GOOD, "parts": [(1, "b")]}
    assert checked({**GOOD, "split": "test"})["split"] == "test"
    assert checked({**GOOD, "table": []})["table"] == []


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
        ({"table": [[1, 2], [1, 10]]}, "table[1][1] is 10; it must be a whole number from 0 to 9"),
        ({"table": [[-1, 2]]}, "table[0][0] is -1; it must be a whole number from 0 to 9"),
        ({"table": [[True, 2]]}, "table[0][0] is true; it must be a whole number from 0 to 9"),
        ({"table": [[1, 2], [1.0, 2]]}, "table[1][0] is 1.0; it must be a whole number from 0 to 9"),
        ({"table": [[1, 2], [1]]}, "table[1] is a list of 1; it must be a list of 2 numbers"),
        ({"table": [[1, 2], {}]}, "table[1] is an object; it must be a list of 2 numbers"),
        ({"table": [[1, 2], ["a", 10**30]]}, "table[1][0] is 'a'; it must be a whole number from 0 to 9"),
        ({"table": {}}, "table is an object; it must be a list of at most"),
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
