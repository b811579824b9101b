import doctest

import pytest

from textgen.corpus.readers import field_paths
from textgen.corpus.readers.field_paths import Several, field_value, text_paths, value_at


@pytest.mark.parametrize(
    ("value", "field", "found"),
    [
        ({"text": "a"}, "text", "a"),
        ({"data": {"text": "a"}}, "data.text", "a"),
        ({"messages": [{"content": "a"}, {"content": "b"}]}, "messages.1.content", "b"),
        (["a", "b"], "1", "b"),
        ({"1": "a"}, "1", "a"),
        ({"a.b": "exact", "a": {"b": "path"}}, "a.b", "exact"),
        ({"a": {"b.c": "a"}}, "a.b.c", "a"),
        ({"a": None}, "a", None),
        ({"": "a"}, "", "a"),
    ],
)
def test_a_field_is_found_by_its_path(value, field, found):
    assert value_at(value, field) == found


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({"text": "a"}, "Text"),
        ({"a": None}, "a.b"),
        ({"a": "text"}, "a.0"),
        (["a"], "1"),
        (["a"], "-1"),
        (["a"], "text"),
        ({"a": {}}, "a."),
        ("text", "text"),
        (3.0, "text"),
    ],
)
def test_a_path_without_a_value_is_missing(value, field):
    assert value_at(value, field) is field_paths.MISSING


@pytest.mark.parametrize(
    ("value", "field", "found"),
    [
        ({"a": ["b", "c"]}, "a.*", ["b", "c"]),
        ({"a": {"b": 1, "c": 2}}, "a.*", [1, 2]),
        ({"a": [{"b": ["c"]}, {"b": ["d", "e"]}, {}]}, "a.*.b.*", ["c", "d", "e"]),
        ({"a": [{"b": 1}, 2]}, "a.*.b", [1]),
        (["a", "b"], "*", ["a", "b"]),
        ({"a": []}, "a.*", []),
        ({"a.*": ["b"]}, "a.*", ["b"]),
    ],
)
def test_a_star_stands_for_all_items(value, field, found):
    assert value_at(value, field) == Several(found)


def test_a_key_may_be_a_star():
    assert value_at({"*": "a"}, "*") == "a"


@pytest.mark.parametrize(("value", "field"), [({"a": "b"}, "a.*"), ({"a": [{"c": 1}]}, "a.*.b"), ({}, "a.*")])
def test_a_star_without_values_is_missing(value, field):
    assert value_at(value, field) is field_paths.MISSING


def test_several_fields_are_separated_by_commas():
    record = {"a": "b", "c,d": "e", "a,c": "f"}
    assert field_value(record, "a,c") == "f"
    assert field_value(record, "c,d") == "e"
    assert field_value(record, "a, x") == Several(["b"])
    assert field_value(record, "x,y") is field_paths.MISSING


def test_few_paths_are_named():
    assert len(text_paths({str(i): "a" for i in range(100)})) == 20
    assert text_paths("a") == [""]


def test_the_examples_in_the_docstrings_hold():
    result = doctest.testmod(field_paths)
    assert result.attempted
    assert not result.failed
