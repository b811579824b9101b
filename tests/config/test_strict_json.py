"""Checks that JSON is parsed only within limits of size and nesting, and by its schema."""

import time

import pytest

from textgen.config.schema import Record, Row, SchemaError, Text, Whole
from textgen.config.strict_json import MAX_NESTING, parse_json, parse_json_lines

THING = Record({"count": Whole()})


def test_a_value_as_declared_is_returned():
    assert parse_json(b'{"count": 3}', THING, max_bytes=12) == {"count": 3}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it is not JSON"),
        (b"\xff", "it is not UTF-8 after byte 0"),
        (b'{"count": NaN}', "it has the number NaN"),
        (b'{"count": 1, "count": 2}', "it has the key 'count' twice"),
        (b'{"count": ' + b"9" * 5000 + b"}", "it has a number of too many digits"),
        (b"[" * 9_000, f"it has more than {MAX_NESTING} lists and objects inside each other"),
        (b'{"a":' * 2000, f"it has more than {MAX_NESTING} lists and objects inside each other"),
        (b'[{"a":' * 9 + b"1" + b"}]" * 9, f"it has more than {MAX_NESTING} lists and objects inside each other"),
        (b"[" * 17 + b"]" * 17, f"it has more than {MAX_NESTING} lists and objects inside each other"),
        (b'[{"a":' * 8 + b'"[[["' + b"}]" * 8, "it is a list of 1; it must be an object"),
        (b"[[" + b"[]," * 99 + b"{}], []]", "it is a list of 2; it must be an object"),
        (b"[" * 17 + b"}", "it has more than"),
        (b'["' + b"[" * 900 + b'"]', "it is a list of 1; it must be an object"),
        (b" " * 10_001, "it has 10,001 bytes; it may have at most 10,000"),
        (b"7", "it is 7; it must be an object"),
    ],
)
def test_what_is_no_json_of_this_size_is_refused(content, message):
    with pytest.raises(SchemaError) as error:
        parse_json(content, THING, max_bytes=10_000)
    assert str(error.value).startswith(message)


def test_nesting_is_found_before_the_content_is_parsed():
    began = time.monotonic()
    with pytest.raises(SchemaError):
        parse_json(b"[" * (1 << 24), THING, max_bytes=1 << 30)
    assert time.monotonic() - began < 5


def test_lines_are_checked_one_by_one():
    kind = Row({"name": Text(), "count": Whole()})
    assert list(parse_json_lines(b'["a", 1]\n\n["\xe2\x80\xa8", 2]', kind, max_bytes=100)) == [
        ("a", 1),
        ("\u2028", 2),
    ]
    lines = parse_json_lines(b'["a", 1]\n["b"]\n', kind, max_bytes=100)
    assert next(lines) == ("a", 1)
    with pytest.raises(SchemaError, match="line 2: it is a list of 1; it must be a list of 2 values"):
        next(lines)
    with pytest.raises(SchemaError, match="line 1: it has 8 bytes; it may have at most 5"):
        next(parse_json_lines(b'["a", 1]\n', kind, max_bytes=100, max_line_bytes=5))
