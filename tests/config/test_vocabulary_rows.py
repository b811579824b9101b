"""Checks of the rows of a vocabulary: the fast way for files as they are written agrees with the way line by line."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.config.schema import SchemaError
from textgen.config.vocabulary_rows import parse_rows, tokens_sha256

tokens = st.lists(st.text(st.characters(codec="utf-8"), max_size=5), min_size=1, max_size=9, unique=True)


def _lines(rows, **options):
    return "".join(json.dumps(list(row), **options) + "\n" for row in rows).encode()


@given(tokens, st.booleans())
@settings(max_examples=200, deadline=None)
def test_rows_are_read_in_any_form_of_json(found, ascii_only):
    rows = [(token, i) for i, token in enumerate(found)]
    written = _lines(rows, ensure_ascii=ascii_only)
    for content in (written, written[:-1], _lines(rows, separators=(" ,", ":"))):
        assert parse_rows(content) == parse_rows(content, rows=len(rows)) == (tuple(found), tuple(range(len(found))))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'["a", 1]\n["\\ud800", 2]\n', r"line 2: token is '\\ud800'; it must be a text without surrogates"),
        (b'["a", 1]\n[["b"], 2]\n', r"line 2: token is a list of 1; it must be a text"),
        (b'["a", 1]\n["b", 9007199254740992]\n', r"line 2: count is 9007199254740992; it must be a whole number"),
        (b'["a", 1]\n["b", 1e3]\n', r"line 2: count is 1000.0; it must be a whole number"),
        (b'["a", 1]\n["b", 2],["c", 3]\n', "line 2: it is not JSON"),
        (b'["a", 1]\n["b\n", 2]\n', "line 2: it is not JSON"),
        (b'["a", 1]\n["\x1b", 2]\n', "line 2: it is not JSON"),
        (b'["a", 1]\n' + b"[" * 99, "line 2: it has more than 16 lists"),
        (b'["' + b"a" * (1 << 20) + b'b", 1]\n', r"line 1: token is .*; it must be a text of at most 1,048,576"),
        (b'["' + b"a" * (1 << 23) + b'", 1]\n', r"line 1: it has 8,388,\d+ bytes; it may have at most 8,388,608"),
    ],
)
def test_any_other_row_is_named_with_the_rule(content, message):
    with pytest.raises(SchemaError, match=f"^{message}"):
        parse_rows(content)


def test_lines_are_counted_before_they_are_parsed():
    for content, rows in ((b"?\n" * 9, 8), (b'["a", 1]\n["b", 1]', 1), (b"", 1)):
        with pytest.raises(SchemaError, match=f"^its number of lines is .; it must be {rows}$"):
            parse_rows(content, rows=rows)
    with pytest.raises(SchemaError, match="^its number of rows is 1; it must be 2$"):
        parse_rows(b'["a", 1]\n\n', rows=2)


def test_many_escapes_take_little_memory_and_time():
    token = '"' * (1 << 19)
    assert parse_rows(_lines([(token, 1), ("b", 1)])).tokens == (token, "b")


def test_the_order_of_tokens_is_part_of_their_sha256():
    assert tokens_sha256(("a", "b")) == tokens_sha256(["a", "b"]) != tokens_sha256(("b", "a"))
