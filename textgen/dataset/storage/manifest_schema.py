"""Schema of `manifest.json`: each value is checked, whoever wrote the file and its SHA-256."""

from typing import Any

from textgen.config import EOS, SPLITS, PrepareConfig
from textgen.config.schema import (
    SHA256,
    Anything,
    ListOf,
    MapOf,
    Numbers,
    Record,
    SchemaError,
    SettingsOf,
    Text,
    Whole,
    shown,
)
from textgen.config.strict_json import parse_json
from textgen.dataset.storage import accounts
from textgen.dataset.storage.block_limits import block_fault
from textgen.dataset.storage.layouts import LAYOUTS
from textgen.dataset.storage.records import RecordFormat, RecordLimits
from textgen.dataset.storage.shards import Block
from textgen.dataset.storage.unit_report import UnitReport

MAX_BYTES = 1 << 30
"""Maximum size of the file, which has about 30 bytes per 16,384 pairs and 1,200 per unit. To read one takes up to ten
times its size in memory."""

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
        "blocks": ListOf(Numbers(size=4, at_most=1 << 40)),
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
        "units": ListOf(REPORT),
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


def parse_values(content: bytes) -> dict[str, Any]:
    """Returns the unchecked values of the content, an object with a version.

    Raises:
        SchemaError: it is too large, no JSON, or no such object.
    """
    values = parse_json(content, Anything(), max_bytes=MAX_BYTES)
    if not isinstance(values, dict) or "version" not in values:
        raise SchemaError("it is not the JSON of a manifest, which must be an object with a version")
    return values


def check(values: dict[str, Any]) -> dict[str, Any]:
    """Returns the checked values; `config` is a `PrepareConfig`, and `units` are of `UnitReport`.

    Raises:
        SchemaError: a value is not as declared, or values contradict each other.
    """
    checked: dict[str, Any] = _MANIFEST.check(values, "")
    config = checked["config"]
    limits = LAYOUTS[config.layout].limits(RecordFormat(config.window, config.stride, checked["vocabulary_size"]))
    for i, report in enumerate(checked["units"]):
        if report["unit"] != i:
            raise SchemaError(f"units[{i}].unit is {report['unit']}; units are numbered from 0, so it must be {i}")
        if report.get("dropped_sha256") and not config.keep_dropped:
            raise SchemaError(f"unit {i} has dropped_sha256; with config.keep_dropped false, it must be empty")
        check_report(report)
        for shard in report["shards"]:
            _check_blocks(shard, limits)
    if bool(checked.get("passed_over")) != bool(checked.get("passed_over_sha256")):
        raise SchemaError("passed_over and passed_over_sha256 must both be empty, or neither")
    text = config.text
    if bool(text.tokenizer_model) != (text.tokenizer == "sentencepiece"):
        raise SchemaError(
            f"the tokenizer is {text.tokenizer} and tokenizer_model is {shown(text.tokenizer_model)}; it must be the "
            "SHA-256 of a model for sentencepiece, and empty for others"
        )
    units = tuple(map(UnitReport.from_json, checked["units"]))
    accounts.check(units, config)
    return {**checked, "units": units}


def _check_blocks(shard: dict[str, Any], limits: RecordLimits) -> None:
    for index, values in enumerate(shard["blocks"]):
        fault = block_fault(Block(*values), limits)
        if fault:
            raise SchemaError(f"block {index} of {shard['name']} has {fault}")


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
