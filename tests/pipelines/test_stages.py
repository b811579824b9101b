import doctest
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines import stages
from pipelines.stages import COUNTS, DUPLICATES, OVERLAP, SHARDS, TOKENS, parse_plan_at_work, parse_result
from textgen.config.schema import SchemaError
from textgen.dataset import read_manifest

RESULTS: dict[str, Any] = {
    TOKENS: {
        "rejected": {"empty": 1},
        "samples": ["a: 'b'"],
        "replaced": 2,
        "characters": {"a\udcff.txt": [2, 9]},
        "source": "0" * 64,
        "tags": ["1700000000"],
        "checksums": [(1 << 32) - 1],
    },
    DUPLICATES: {"exact duplicate": [0, 3]},
    OVERLAP: {"test": 1},
    COUNTS: {"unit": 0, "documents": {"train": 1, "validation": 0, "test": 0}, "equal": {"0" * 32: 2}},
}
PLAN = {"fingerprint": "0" * 64, "config": {"window": 4}}
NASTY = [None, True, -1, 1 << 60, 0.5, "", "\x1b[2J", "../../x", [], [-1], [1 << 60], ["a"], {}, {"a": {}}, [[0]]]
"""Values of which none may stand in the place of any value of a result."""


def content(value: Any) -> bytes:
    return json.dumps(value).encode()


def changed(value: Any) -> Iterator[tuple[str, Any]]:
    """Yields a value with one of its parts lost, with a part too many, and with every nasty value in every place."""
    yield from (("", nasty) for nasty in NASTY if not same_kind(nasty, value))
    for key, each in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        for place, other in changed(each):
            copy = dict(value) if isinstance(value, dict) else list(value)
            copy[key] = other
            yield f".{key}{place}", copy


def same_kind(one: Any, other: Any) -> bool:
    """Returns whether two values may both be allowed: texts, flags, and empty lists and objects."""
    if type(one) is not type(other):
        return False
    if isinstance(one, list) and one and other:
        return same_kind(one[0], other[0])
    return isinstance(one, (str, bool)) or one in ({}, []) or one == other


def the_report(make_dataset: Callable[..., Path], folder: Path) -> dict[str, Any]:
    made = read_manifest(make_dataset(folder / "data", train=[[4, 5]], test=[[6]])).units[0]
    report = {**made.to_json(), "duplicates": {"exact duplicate": [0]}, "shared": {"test": 1}}
    return json.loads(content(report))


@pytest.mark.parametrize("stage", RESULTS)
def test_a_value_that_is_not_of_its_kind_is_refused_in_one_line(stage: str) -> None:
    result = RESULTS[stage]
    assert parse_result(stage, 0, content(result)) == result
    tried = list(changed(result))
    assert len(tried) > 20
    for _, wrong in tried:
        with pytest.raises(SchemaError) as refused:
            parse_result(stage, 0, content(wrong))
        assert str(refused.value).isprintable()


def test_every_value_of_a_report_is_checked(make_dataset: Callable[..., Path], tmp_path: Path) -> None:
    report = the_report(make_dataset, tmp_path)
    assert parse_result(SHARDS, 0, content(report)) == report
    for place, wrong in changed(report):
        if place in (".dropped", ".duplicates", ".shared", ".duplicates.exact duplicate"):
            continue
        with pytest.raises(SchemaError) as refused:
            parse_result(SHARDS, 0, content(wrong))
        assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"unit": 1}, "a shard of unit 1 has the name train-000000.tfrecord|it is of unit 1; it must be of unit 0"),
        ({"kept": 7}, "the documents of unit 0 are 2, and their parts add up to 7"),
        ({"shards": []}, "the train pairs of unit 0 are 3, and their parts add up to 0"),
        ({"splits": {}}, "the train pairs of unit 0 are 0, and their parts add up to 3"),
        ({"duplicates": {"x": [2]}}, "end with 2; the unit has 2 documents"),
        ({"unit_": 1}, "unit_.* is unknown"),
    ],
)
def test_a_report_that_contradicts_itself_is_refused(
    make_dataset: Callable[..., Path], tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(SchemaError, match=message):
        parse_result(SHARDS, 0, content({**the_report(make_dataset, tmp_path), **change}))


def test_results_of_another_unit_or_of_impossible_counts_are_refused() -> None:
    with pytest.raises(SchemaError, match="it is of unit 0; it must be of unit 3"):
        parse_result(COUNTS, 3, content(RESULTS[COUNTS]))
    with pytest.raises(SchemaError, match="9 of 2 characters of a file are replaced"):
        parse_result(TOKENS, 3, content({**RESULTS[TOKENS], "characters": {"a": [9, 2]}}))


@pytest.mark.parametrize(
    "damaged",
    [b"", b"{", b"\xff", b"[" * 100_000, b'{"a": NaN}', b'{"a": 1, "a": 2}', b'{"a": ' + b"9" * 9999 + b"}", b"3"],
)
def test_what_is_no_json_object_is_refused(damaged: bytes) -> None:
    for stage in (*RESULTS, SHARDS):
        with pytest.raises(SchemaError):
            parse_result(stage, 0, damaged)
    with pytest.raises(SchemaError):
        parse_plan_at_work(damaged)


def test_the_plan_at_work_is_checked() -> None:
    assert parse_plan_at_work(content(PLAN)) == PLAN
    for place, wrong in changed(PLAN):
        if not place.startswith(".config") or not isinstance(wrong.get("config"), dict):
            with pytest.raises(SchemaError):
                parse_plan_at_work(content(wrong))
    with pytest.raises(SchemaError, match=r"fingerprint is '\.\./x'; it must be a text that matches"):
        parse_plan_at_work(content({**PLAN, "fingerprint": "../x"}))
    with pytest.raises(SchemaError, match="it has 1,048,6.* bytes; it may have at most 1,048,576"):
        parse_plan_at_work(content({**PLAN, "config": {"a": "b" * (1 << 20)}}))


def test_the_examples_in_the_docstrings_hold() -> None:
    result = doctest.testmod(stages)
    assert result.attempted
    assert not result.failed


def test_names_of_a_datasets_files_are_known() -> None:
    names = ("manifest.json", "train-000001.tfrecord", "dropped-000001.jsonl", "vocabulary.jsonl")
    assert all(map(stages.is_own_name, names))
    assert not any(map(stages.is_own_name, ("", "_work", "notes.txt", "train-1.tfrecord")))
