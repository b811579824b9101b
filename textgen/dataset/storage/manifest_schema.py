"""Schema of `manifest.json`: each value is checked, whoever wrote the file and its SHA-256."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from textgen.config import EOS, SPLITS, PrepareConfig
from textgen.config.schema import (
    SHA256,
    Anything,
    ListOf,
    MapOf,
    Matrix,
    Numbers,
    Record,
    SchemaError,
    Text,
    Whole,
    shown,
)
from textgen.config.settings_kind import SettingsOf
from textgen.config.strict_json import parse_json, require_size
from textgen.dataset.storage import accounts
from textgen.dataset.storage.block_limits import find_block_fault
from textgen.dataset.storage.layouts import LAYOUTS
from textgen.dataset.storage.records import RecordFormat
from textgen.dataset.storage.shards import Shard
from textgen.dataset.storage.unit_report import UnitReport

UNITS_START, UNITS_END = b'\n "units": [\n', b"\n ],\n"
"""What is before and after the units, which have a line each."""

MAX_BYTES = 1 << 32
"""Maximum size of the file, which has about 30 bytes per 16,384 pairs and 1,200 per unit. To read one takes two to
four times its size in memory."""

_MAX_OTHER_BYTES = 1 << 26
"""Maximum size of the values before the units, and of a file in another form, which takes ten times its size."""

_SHARDS_AT_ONCE = 4096
"""Number of shards whose blocks are checked together, since a call per shard takes longer than its blocks."""

_UNIT = Whole(at_most=10**9)
_SPLIT = Text(choices=SPLITS)
_REASON = Text(max_length=200)
_COUNTS = Record(
    {"documents": Whole(), "tokens": Whole(), "pairs": Whole()}, {"characters": Whole(), "unknown": Whole()}
)
_SHARD = Record(
    {
        "name": Text(pattern=rf"(?:{'|'.join(SPLITS)})-\d{{6,10}}\.tfrecord"),
        "split": _SPLIT,
        "unit": _UNIT,
        "records": Whole(),
        "pairs": Whole(),
        "bytes": Whole(),
        "sha256": Text(pattern=SHA256),
        "blocks": Matrix(columns=4, at_most=(1 << 32) - 1),
    }
)
REPORT = Record(
    {
        "unit": _UNIT,
        "bytes": Whole(),
        "documents": Whole(),
        "kept": Whole(),
        "dropped": MapOf(_REASON, Whole()),
        "splits": MapOf(_SPLIT, _COUNTS),
        "shards": ListOf(_SHARD, at_most=len(SPLITS)),
    },
    {
        "replaced": Whole(),
        "replaced_characters": Whole(),
        "duplicates": MapOf(_REASON, Numbers()),
        "shared": MapOf(_SPLIT, Whole()),
        "dropped_sha256": Text(pattern=f"|{SHA256}"),
    },
)
_MANIFEST = Record(
    {
        "version": Whole(),
        "config": SettingsOf(PrepareConfig),
        "fingerprint": Text(pattern=SHA256),
        "vocabulary_size": Whole(at_least=EOS + 2, at_most=(1 << 31) - 1),
        "vocabulary_sha256": Text(pattern=SHA256),
        "tokens_sha256": Text(pattern=SHA256),
        "inputs_sha256": Text(pattern=SHA256),
        "sha256": Text(pattern=SHA256),
    },
    {
        "files": Whole(),
        "passed_over": MapOf(_REASON, Whole()),
        "passed_over_sha256": Text(pattern=f"|{SHA256}"),
        "tokenizer_sha256": Text(pattern=f"|{SHA256}"),
        "warnings": ListOf(Text(), at_most=1_000),
        "unknown_examples": MapOf(Text(max_length=1_000), Whole(), at_most=100),
    },
)


class Values(NamedTuple):
    """Unchecked values of a manifest.

    Attributes:
        settings: all values except for the units, with a version.
        units: the values of each unit, each parsed when its turn comes, since they take ten times their size in
            memory. It raises SchemaError for one that is no JSON.
    """

    settings: dict[str, Any]
    units: Iterator[Any]


def parse_values(content: bytes) -> Values:
    """Returns the unchecked values of the content.

    Raises:
        SchemaError: it is too large, no JSON, or no object with a version.
    """
    require_size(content, MAX_BYTES)
    start, end = content.find(UNITS_START) + len(UNITS_START), content.rfind(UNITS_END)
    has_lines = len(UNITS_START) <= start < end and content.startswith(b'  {"', start)
    if not has_lines and len(content) > _MAX_OTHER_BYTES:
        raise SchemaError(f"it has {len(content):,} bytes and not one unit per line, as it must have")
    settings = content[: start - len(UNITS_START)] + content[end + len(UNITS_END) - 1 :] if has_lines else content
    values = parse_json(settings, Anything(), max_bytes=_MAX_OTHER_BYTES)
    if not isinstance(values, dict) or "version" not in values:
        raise SchemaError("it is not the JSON of a manifest, which must be an object with a version")
    units = _parse_lines(content, start, end) if has_lines else _each(values.pop("units", None))
    return Values(values, units)


def _parse_lines(content: bytes, start: int, end: int) -> Iterator[Any]:
    """Yields the values of the units, whose lines are content[start:end]."""
    index = 0
    while start < end:
        line_end = content.find(b",\n", start, end)
        line_end = end if line_end < 0 else line_end
        try:
            yield parse_json(content[start:line_end], Anything(), max_bytes=MAX_BYTES)
        except SchemaError as error:
            raise SchemaError(f"units[{index}]: {error}") from None
        start, index = line_end + len(b",\n"), index + 1


def _each(units: Any) -> Iterator[Any]:
    yield from ListOf(Anything()).check(units, "units")


def check(values: Values) -> dict[str, Any]:
    """Returns the checked values; `config` is a `PrepareConfig`, and `units` are of `UnitReport`.

    Raises:
        SchemaError: a value is not as declared, or values contradict each other.
    """
    checked: dict[str, Any] = _MANIFEST.check(values.settings, "")
    if bool(checked.get("passed_over")) != bool(checked.get("passed_over_sha256")):
        raise SchemaError("passed_over and passed_over_sha256 must both be empty, or neither")
    text = checked["config"].text
    if bool(text.tokenizer_model) != (text.tokenizer == "sentencepiece"):
        raise SchemaError(
            f"the tokenizer is {text.tokenizer} and tokenizer_model is {shown(text.tokenizer_model)}; it must be the "
            "SHA-256 of a model for sentencepiece, and empty for others"
        )
    units = tuple(_checked_reports(values.units, checked["config"]))
    _check_blocks([shard for report in units for shard in report.shards], checked)
    accounts.check(units, checked["config"])
    return {**checked, "units": units}


def _checked_reports(units: Iterator[Any], config: PrepareConfig) -> Iterator[UnitReport]:
    for i, values in enumerate(units):
        report = REPORT.check(values, f"units[{i}]")
        if report["unit"] != i:
            raise SchemaError(f"units[{i}].unit is {report['unit']}; units are numbered from 0, so it must be {i}")
        if report.get("dropped_sha256") and not config.keep_dropped:
            raise SchemaError(f"unit {i} has dropped_sha256; with config.keep_dropped false, it must be empty")
        check_report(report)
        yield UnitReport.from_json(report)


def _check_blocks(shards: list[Shard], manifest: dict[str, Any]) -> None:
    config = manifest["config"]
    written = RecordFormat(config.window, config.stride, manifest["vocabulary_size"])
    limits = LAYOUTS[config.layout].limits(written)
    for first in range(0, len(shards), _SHARDS_AT_ONCE):
        several = shards[first : first + _SHARDS_AT_ONCE]
        fault = find_block_fault(np.concatenate([shard.blocks.rows for shard in several]).astype(np.int64), limits)
        if fault:
            block, what = fault
            for shard in several:
                if block < len(shard.blocks):
                    raise SchemaError(f"block {block} of {shard.name} has {what}")
                block -= len(shard.blocks)


def check_report(report: dict[str, Any]) -> None:
    """Checks that the values of a unit's report agree.

    Raises:
        SchemaError: they do not.
    """
    unit = report["unit"]
    for shard in report["shards"]:
        check_name(shard, unit)
    names = [shard["name"] for shard in report["shards"]]
    if len(set(names)) < len(names):
        raise SchemaError(f"unit {unit} has two shards of one split; it must have one at most")


def check_name(shard: dict[str, Any], unit: int) -> None:
    """Checks that the name of a shard is that of its split and unit, so that it names no other file.

    Raises:
        SchemaError: it is not.
    """
    expected = f"{shard['split']}-{unit:06d}.tfrecord"
    if shard["unit"] != unit or shard["name"] != expected:
        raise SchemaError(
            f"a shard of unit {unit} has the name {shard['name']} and the unit {shard['unit']}; it must be {expected}"
        )
