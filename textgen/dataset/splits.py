"""Which part of the corpus a document belongs to, settled before any window is cut.

By document: a hash of the cleaned text decides, so that equal texts share a split wherever they stand. By tail:
the last part of every document is held out, for a corpus that is one novel; the token after a cut has no context on
its side of it, so it is no target.
"""

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

from textgen.config import PrepareConfig

_BUCKETS = 10_000


class Part(NamedTuple):
    """Tokens `start` to `end` of a document, windowed on their own."""

    split: str
    start: int
    end: int


def split_of(cleaned: bytes, held_out_percent: Mapping[str, float]) -> str:
    """The split of a document.

    The first 8 bytes of BLAKE2b, modulo 10,000, fall in validation's share, then in test's, then in train's.
    """
    digest = hashlib.blake2b(cleaned, digest_size=8).digest()
    bucket = int.from_bytes(digest, "little") % _BUCKETS
    for split, percent in held_out_percent.items():
        share = round(percent * _BUCKETS / 100)
        if bucket < share:
            return split
        bucket -= share
    return "train"


def tail_parts(length: int, held_out_percent: Mapping[str, float]) -> list[Part]:
    """Train, then validation, then test, by their shares of the length; empty parts are left out.

    >>> [tuple(part) for part in tail_parts(100, {"validation": 10, "test": 10})]
    [('train', 0, 80), ('validation', 80, 90), ('test', 90, 100)]
    """
    ends = {"train": length}
    kept = 100.0
    for split, percent in reversed(list(held_out_percent.items())):
        kept -= percent
        ends[split] = ends["train"]
        ends["train"] = round(length * kept / 100)
    parts, start = [], 0
    for split in ("train", *held_out_percent):
        if start < ends[split]:
            parts.append(Part(split, start, ends[split]))
            start = ends[split]
    return parts


def parts(cleaned: bytes, length: int, config: PrepareConfig) -> list[Part]:
    """The parts of a document of `length` tokens."""
    if config.split_by == "tail":
        return tail_parts(length, config.held_out_percent())
    return [Part(split_of(cleaned, config.held_out_percent()), 0, length)]
