"""Reads and checks prompts, and numbers their samples."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from textgen.errors import UserError, require

MAX_PROMPT_BYTES = 1 << 20
"""Maximum size of a prompt or a text to score, which a network reads in about a minute."""

MAX_FILE_BYTES = 1 << 28
"""Maximum size of a file of prompts."""


def to_bytes(prompts: Sequence[str], *, what: str = "prompt") -> list[bytes]:
    """Returns prompts as valid UTF-8.

    Args:
        prompts: the prompts.
        what: what they are, for the error.

    Raises:
        UserError: a prompt is too long, or is no string.
    """
    for prompt in prompts:
        require(
            isinstance(prompt, str),
            f"a {what} is {prompt!r:.40}, a {type(prompt).__name__}; it must be a str. Decode bytes first.",
        )
    # An argument of the command line that was not valid UTF-8 has surrogates in it.
    found = [prompt.encode(errors="replace") for prompt in prompts]
    remedies = {"prompt": "Give its end, since what stands far before it hardly changes what is written."}
    remedy = remedies.get(what, "Divide it, or use `textgen evaluate` for a whole dataset.")
    for encoded in found:
        require(
            len(encoded) <= MAX_PROMPT_BYTES,
            f"a {what} has {len(encoded):,} bytes; it must have at most {MAX_PROMPT_BYTES:,}. {remedy}",
        )
    return found


def sample_numbers(prompts: Iterable[bytes]) -> Iterator[int]:
    """Yields the number of each prompt among those that equal it, so that each of them is continued differently.

    >>> list(sample_numbers([b"a", b"b", b"a"]))
    [0, 0, 1]
    """
    counts = Counter[bytes]()
    for prompt in prompts:
        yield counts[prompt]
        counts[prompt] += 1


def parse_prompts(content: bytes, name: str) -> list[str]:
    """Returns the prompts in a file, one per line; an empty line is an empty prompt, which begins a document.

    Args:
        content: content of the file.
        name: name of the file; with the ending `.jsonl` each line is a JSON string, or an object with the key
            "prompt", so that a prompt may have several lines.

    Raises:
        UserError: the content is not UTF-8, or a line is not such JSON.
    """
    lines = decode(content, name).removesuffix("\n").split("\n") if content else []
    if not name.endswith(".jsonl"):
        return [line.removesuffix("\r") for line in lines]
    return [_json_prompt(line, f"{name}, line {number:,}") for number, line in enumerate(lines, 1)]


def decode(content: bytes, name: str) -> str:
    """Returns the text of a file, without a byte order mark.

    Raises:
        UserError: it is not UTF-8.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UserError(
            f"{name}, line {line:,} has the byte 0x{content[error.start]:02x} at offset {error.start:,}, which is "
            "not UTF-8 there; the file must be UTF-8. Convert it, as with iconv."
        ) from None


def read(path: str) -> bytes:
    """Returns the content of a file of prompts or text.

    Raises:
        UserError: the file is too large.
        OSError: it can't be read.
    """
    with Path(path).expanduser().open("rb") as file:
        return read_stream(file, path)


def read_stream(file: BinaryIO, name: str) -> bytes:
    """Returns what is left in a stream of prompts or text.

    Raises:
        UserError: it is too large.
        OSError: it can't be read.
    """
    content = file.read(MAX_FILE_BYTES + 1)
    require(
        len(content) <= MAX_FILE_BYTES,
        f"{name} has more than {MAX_FILE_BYTES:,} bytes, which is the maximum. Divide it.",
    )
    return content


def _json_prompt(line: str, where: str) -> str:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        value = None
    prompt = value.get("prompt") if isinstance(value, dict) else value
    if not isinstance(prompt, str):
        raise UserError(f'{where} is no prompt; it must be a JSON string, or an object with "prompt". Correct it.')
    return prompt
