"""Checks prompts and numbers their samples."""

from collections import Counter
from collections.abc import Sequence

from textgen.errors import require

MAX_PROMPT_BYTES = 1 << 20
"""Maximum size of a prompt, which a network reads in about a minute."""


def to_bytes(prompts: Sequence[str]) -> list[bytes]:
    """Returns prompts as valid UTF-8.

    Raises:
        UserError: a prompt is too long.
    """
    # An argument of the command line that was not valid UTF-8 has surrogates in it.
    found = [prompt.encode(errors="replace") for prompt in prompts]
    for prompt in found:
        require(
            len(prompt) <= MAX_PROMPT_BYTES,
            f"a prompt has {len(prompt):,} bytes; it must have at most {MAX_PROMPT_BYTES:,}. Give its end, since "
            "what stands far before it hardly changes what is written.",
        )
    return found


def sample_numbers(prompts: Sequence[bytes]) -> list[int]:
    """Returns the number of each prompt among those that equal it, so that each of them is continued differently.

    >>> sample_numbers([b"a", b"b", b"a"])
    [0, 0, 1]
    """
    counts = Counter[bytes]()
    numbers = []
    for prompt in prompts:
        numbers.append(counts[prompt])
        counts[prompt] += 1
    return numbers
