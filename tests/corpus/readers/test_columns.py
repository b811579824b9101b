import doctest

import pytest

from textgen.corpus.readers import columns
from textgen.corpus.readers.columns import close_name, column_indices, missing_column_error, shortened


def test_an_error_without_a_column_lists_the_columns():
    assert str(missing_column_error("a.csv", "CSV", ["id", "text"], None)) == (
        "a.csv is a CSV file with the columns id, text. Give the one that holds the documents with --text-field, "
        "or text_field in Python."
    )


def test_an_error_for_a_missing_column_shows_its_name():
    assert str(missing_column_error("a.csv", "CSV", ["id", "text"], "Text")) == (
        "a.csv is a CSV file with the columns id, text; none is named 'Text'. Did you mean 'text'? "
        "Give one of them with --text-field, "
        "or text_field in Python."
    )


def test_only_the_first_of_many_columns_are_listed():
    message = str(missing_column_error("a.csv", "CSV", [f"c{i}" for i in range(1000)], None))
    assert "c0, c1, " in message
    assert "c19 and 980 more. Give" in message
    assert "c20" not in message


def test_names_that_can_not_be_printed_are_replaced():
    message = str(missing_column_error("a.jsonl", "JSON Lines", ["\ud800"], "\ud800"))
    assert b"with the column ?; none is named" in message.encode()


def test_only_the_start_of_a_very_long_name_is_listed():
    message = str(missing_column_error("a.csv", "CSV", ["id", "a" * 10_000], "text"))
    assert f"id, {'a' * 99}…; none is named" in message


@pytest.mark.parametrize(
    ("names", "field", "indices"),
    [
        (["id", "title", "body"], "body", [2]),
        (["id", "title", "body"], "title,body", [1, 2]),
        (["id", "title", "body"], "body, title", [2, 1]),
        (["title,body", "title", "body"], "title,body", [0]),
        (["a,b", "c"], "c,a,b", [1, 0]),
        (["a", "b,c", "b"], "a,b,c", [0, 1]),
        (["text", "text"], "text", [0]),
        (["id"], "id,text", []),
        (["id"], "", []),
        (["id"], ",", []),
        (["id"], None, []),
    ],
)
def test_a_field_names_one_column_or_several(names, field, indices):
    assert column_indices(names, field) == indices


@pytest.mark.parametrize(
    ("field", "meant"), [("Text", "Text "), ("text", "Text "), ("Teext", "Text "), ("body", None), ("", None)]
)
def test_a_close_name_is_suggested(field, meant):
    assert close_name(field, ["id", "Text "]) == meant


def test_a_sample_is_short_and_printable():
    assert shortened("a\n b\x07") == "a b?"
    assert len(shortened("word " * 100)) <= 40


def test_the_examples_in_the_docstrings_hold():
    result = doctest.testmod(columns)
    assert result.attempted
    assert not result.failed
