import pytest

from textgen.errors import UserError
from textgen.generation.prompts import MAX_PROMPT_BYTES, sample_numbers, to_bytes


def test_prompts_become_valid_utf8():
    assert to_bytes(["é", "", "a\udcffb"]) == ["é".encode(), b"", b"a?b"]


def test_a_prompt_that_is_too_long_is_refused_with_the_rule():
    assert len(to_bytes(["a" * MAX_PROMPT_BYTES])[0]) == MAX_PROMPT_BYTES
    with pytest.raises(
        UserError, match=r"a prompt has 10,000,000 bytes; it must have at most 1,048,576\. Give its end"
    ):
        to_bytes(["short", "a" * 10_000_000])


def test_equal_prompts_are_numbered():
    assert sample_numbers([b"a", b"b", b"a", b"a"]) == [0, 0, 1, 2]
