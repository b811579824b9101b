import io
from pathlib import Path

import pytest

from textgen.errors import UserError
from textgen.generation import prompts
from textgen.generation.prompts import (
    MAX_PROMPT_BYTES,
    parse_prompts,
    read,
    read_stream,
    sample_numbers,
    to_bytes,
)


def test_prompts_become_valid_utf8():
    assert to_bytes(["é", "", "a\udcffb"]) == ["é".encode(), b"", b"a?b"]


def test_a_prompt_that_is_too_long_is_refused_with_the_rule():
    assert len(to_bytes(["a" * MAX_PROMPT_BYTES])[0]) == MAX_PROMPT_BYTES
    with pytest.raises(
        UserError, match=r"a prompt has 10,000,000 bytes; it must have at most 1,048,576\. Give its end"
    ):
        to_bytes(["short", "a" * 10_000_000])


def test_equal_prompts_are_numbered():
    assert list(sample_numbers([b"a", b"b", b"a", b"a"])) == [0, 0, 1, 2]


@pytest.mark.parametrize("prompt", [5, None, b"bytes"])
def test_a_prompt_that_is_no_text_is_refused(prompt: object):
    with pytest.raises(UserError, match=rf"a prompt is .*, a {type(prompt).__name__}; it must be a str"):
        to_bytes(["a", prompt])


def test_a_file_has_one_prompt_per_line_and_an_empty_line_is_an_empty_prompt():
    assert parse_prompts("é\r\n\nb\n".encode(), "a.txt") == ["é", "", "b"]
    assert parse_prompts(b"\xef\xbb\xbfa\nb", "a.txt") == ["a", "b"]
    assert parse_prompts(b"", "a.txt") == []
    assert parse_prompts(b'"a\\nb"\n{"prompt": "c", "id": 3}\n', "a.jsonl") == ["a\nb", "c"]


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (
            b"ab\nc\xff\n",
            "p.txt",
            "p.txt, line 2 has the byte 0xff at offset 4, which is not UTF-8 there; the",
        ),
        (
            b'"a"\n3\n',
            "p.jsonl",
            'p.jsonl, line 2 is no prompt; it must be a JSON string, or an object with "prompt"',
        ),
        (b"{", "p.jsonl", "p.jsonl, line 1 is no prompt"),
    ],
)
def test_a_file_that_has_no_prompts_is_refused_with_the_place(content: bytes, name: str, message: str):
    with pytest.raises(UserError) as refused:
        parse_prompts(content, name)
    assert message in str(refused.value)


def test_a_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "prompts.txt"
    path.write_bytes(b"a\n")
    assert read(str(path)) == b"a\n"
    with pytest.raises(FileNotFoundError):
        read(str(tmp_path / "none"))
    monkeypatch.setattr(prompts, "MAX_FILE_BYTES", 1)
    for reading in (lambda: read(str(path)), lambda: read_stream(io.BytesIO(b"ab"), "standard input")):
        with pytest.raises(UserError, match=r"has more than 1 bytes, which is the maximum\. Divide it"):
            reading()
