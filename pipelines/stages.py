"""Names of the files and stages of a preparation, and the results that each records per unit in `_work`.

A result is checked when it is read again: a stranger may have written it, or a disk may have damaged it.
"""

import re
from collections.abc import Mapping
from typing import Any

from textgen.config import SPLITS, TOKENIZER_FILE, TOKENIZER_JSON, VOCABULARY_FILE
from textgen.config.schema import (
    SHA256,
    Anything,
    Kind,
    ListOf,
    MapOf,
    Numbers,
    Record,
    SchemaError,
    Text,
    Whole,
)
from textgen.config.strict_json import parse_json
from textgen.dataset.storage import accounts, manifest_schema
from textgen.dataset.storage.manifest import DROPPED_NAME, FILE_NAME, INPUTS_FILE, PASSED_OVER_FILE, SHARD_NAME
from textgen.dataset.storage.unit_report import UnitReport

TOKENS, DUPLICATES, OVERLAP, COUNTS, SHARDS = "tokens", "duplicates", "overlap", "vocabulary", "shards"
STAGES = (TOKENS, DUPLICATES, OVERLAP, COUNTS, SHARDS)
"""The stages, each with a folder in `_work`: `tokens/000017.json` is the result of unit 17."""

MAX_BYTES = 1 << 28
"""Maximum size of a result."""

MAX_PLAN_BYTES = 1 << 20
"""Maximum size of `plan.json`."""

_RESULT_NAME = re.compile(r"(\d{6,10})\.json", re.ASCII)
_REASON = Text(max_length=200)
_SPLIT = Text(choices=SPLITS)
_COUNT = Whole()
_RESULTS: Mapping[str, Kind] = {
    TOKENS: Record(
        {
            "rejected": MapOf(_REASON, _COUNT),
            "samples": ListOf(Text(), at_most=100),
            "replaced": _COUNT,
            "characters": MapOf(Text(is_path=True), Numbers(size=2), at_most=1 << 24),
        },
        # An earlier version has recorded none; what it has read is read again.
        {
            "source": Text(pattern=SHA256),
            "tags": ListOf(Text(max_length=1000)),
            "checksums": Numbers(at_most=(1 << 32) - 1),
        },
    ),
    DUPLICATES: MapOf(_REASON, Numbers()),
    OVERLAP: MapOf(_SPLIT, _COUNT),
    COUNTS: Record(
        {
            "unit": _COUNT,
            "documents": Record(dict.fromkeys(SPLITS, _COUNT)),
            "equal": MapOf(Text(pattern="[0-9a-f]{32}"), _COUNT),
        }
    ),
    SHARDS: manifest_schema.REPORT,
}
_PLAN = Record({"fingerprint": Text(pattern=SHA256), "config": MapOf(Text(), Anything())})


def is_own_name(name: str) -> bool:
    """Returns whether a name is one of those that a preparation gives to the files of a dataset."""
    names = (FILE_NAME, INPUTS_FILE, PASSED_OVER_FILE, VOCABULARY_FILE, TOKENIZER_FILE, TOKENIZER_JSON)
    return name in names or bool(SHARD_NAME.fullmatch(name) or DROPPED_NAME.fullmatch(name))


def unit_of(name: str) -> int | None:
    """Returns the number of the unit whose result has this file name; None if it is the name of no result.

    >>> unit_of("000017.json"), unit_of("000017.tokens")
    (17, None)
    """
    found = _RESULT_NAME.fullmatch(name)
    return int(found[1]) if found else None


def parse_result(stage: str, unit: int, content: bytes) -> dict[str, Any]:
    """Returns the result of a stage for a unit; for any other stage than those above it may be any object.

    Raises:
        SchemaError: it is not as declared, is of another unit, or its counts do not add up.
    """
    kind = _RESULTS.get(stage, MapOf(Text(), Anything()))
    result: dict[str, Any] = parse_json(content, kind, max_bytes=MAX_BYTES)
    if stage in (COUNTS, SHARDS) and result["unit"] != unit:
        raise SchemaError(f"it is of unit {result['unit']}; it must be of unit {unit}")
    if stage == TOKENS:
        for replaced, characters in result["characters"].values():
            if replaced > characters:
                raise SchemaError(f"{replaced:,} of {characters:,} characters of a file are replaced")
    if stage == SHARDS:
        manifest_schema.check_report(result)
        accounts.check_unit(UnitReport.from_json(result))
    return result


def parse_plan_at_work(content: bytes) -> dict[str, Any]:
    """Returns the content of `plan.json`: the fingerprint and the settings of the plan that is at work in a folder.

    The settings may be those of another version; they are shown, and not used.

    Raises:
        SchemaError: it is not as declared.
    """
    found: dict[str, Any] = parse_json(content, _PLAN, max_bytes=MAX_PLAN_BYTES)
    return found
