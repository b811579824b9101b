import dataclasses
import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.config import SPLITS, PrepareConfig, TextConfig
from textgen.config.schema import shown
from textgen.dataset.storage import manifest, manifest_schema
from textgen.dataset.storage.manifest import (
    FILE_NAME,
    DamageError,
    Manifest,
    SplitCounts,
    UnitReport,
    parse,
    read_manifest,
)
from textgen.dataset.storage.shards import Block, Blocks, Shard
from textgen.errors import UserError


def shard(split, unit, pairs=3):
    return Shard(
        name=f"{split}-{unit:06d}.tfrecord",
        split=split,
        unit=unit,
        records=pairs,
        pairs=pairs,
        bytes=40 * pairs,
        sha256="0" * 64,
        blocks=Blocks([Block(bytes=40 * pairs, records=pairs, pairs=pairs, crc32=17)]),
    )


def report(unit, **values):
    made = UnitReport(unit=unit, bytes=100, documents=3, kept=2, dropped={"empty": 1}, replaced=1)
    made.splits["train"] = SplitCounts(documents=1, characters=30, tokens=2, unknown=1, pairs=3)
    made.splits["test"] = SplitCounts(documents=1, tokens=2, pairs=3)
    made.shards = [shard("train", unit), shard("test", unit)]
    for name, value in values.items():
        setattr(made, name, value)
    return made


def made_of(*units, **values):
    config = PrepareConfig(text=TextConfig(case="keep"), layout="spans", text_field="“text”", keep_dropped=True)
    return Manifest(
        config=config,
        fingerprint="f" * 64,
        vocabulary_size=9,
        inputs_sha256="1" * 64,
        vocabulary_sha256="a" * 64,
        tokens_sha256="b" * 64,
        units=units,
        **values,
    )


def closed(made):
    """The report, with accounts that close."""
    for split, counts in made.splits.items():
        counts.pairs = sum(shard.pairs for shard in made.shards if shard.split == split)
        counts.documents = min(counts.documents, counts.pairs)
        counts.tokens = counts.pairs - counts.documents
    made.kept = sum(counts.documents for counts in made.splits.values())
    made.documents = made.kept + sum(made.dropped.values())
    made.replaced = min(made.replaced, made.documents)
    return made


counts = st.builds(SplitCounts, documents=st.integers(0, 9), tokens=st.integers(0, 9))
unit_reports = st.builds(
    UnitReport,
    unit=st.integers(0, 99),
    bytes=st.integers(0, 10**12),
    kept=st.integers(0, 9),
    dropped=st.dictionaries(st.sampled_from(["empty", "malformed row"]), st.integers(1, 9)),
    replaced=st.integers(0, 9),
    splits=st.fixed_dictionaries(dict.fromkeys(SPLITS, counts)),
    shards=st.lists(st.builds(shard, st.sampled_from(SPLITS), st.integers(0, 99), st.integers(1, 5)), max_size=3),
    dropped_sha256=st.sampled_from(["", "d" * 64]),
).map(closed)


def signed(values):
    """A file with other values than `to_bytes` would write, and the proof that fits them."""
    values.pop("sha256", None)
    told = json.dumps(values, indent=1).removesuffix("\n}") + ",\n"
    return f'{told} "sha256": "{hashlib.sha256(told.encode()).hexdigest()}"\n}}\n'.encode()


@given(st.lists(unit_reports, max_size=5))
@settings(max_examples=60, deadline=None)
def test_a_manifest_survives_its_file(units):
    for i, unit in enumerate(units):
        by_split = {each.split: dataclasses.replace(each, unit=i) for each in unit.shards}
        unit.unit = i
        unit.shards = [
            dataclasses.replace(each, name=f"{split}-{i:06d}.tfrecord") for split, each in by_split.items()
        ]
        closed(unit)
    made = made_of(*units)
    assert parse(made.to_bytes()) == made
    assert parse(made.to_bytes()).to_bytes() == made.to_bytes()


def test_the_file_is_json_with_a_unit_a_line():
    content = made_of(report(0), report(1)).to_bytes().decode()
    values = json.loads(content)
    assert values["version"] == manifest.VERSION
    assert values["config"]["text"]["case"] == "keep"
    assert [unit["unit"] for unit in values["units"]] == [0, 1]
    assert list(values)[-1] == "sha256"
    lines = [line for line in content.splitlines() if '"shards"' in line]
    assert [json.loads(line.rstrip(","))["unit"] for line in lines] == [0, 1]


@given(unit_reports)
@settings(max_examples=40, deadline=None)
def test_a_report_survives_json(made):
    assert UnitReport.from_json(json.loads(json.dumps(made.to_json()))) == made


def test_datasets_of_version_4_can_be_read():
    made = dataclasses.replace(made_of(report(0)), version=4)
    assert parse(made.to_bytes()) == made


@pytest.mark.parametrize("version", [0, manifest.VERSION + 1, None, "1"])
def test_another_version_is_refused(version):
    values = {**json.loads(made_of().to_bytes()), "version": version}
    with pytest.raises(
        UserError, match=rf"has version {shown(version)}; .* reads version {manifest.VERSION}\. Prepare a new dataset"
    ):
        parse(json.dumps(values).encode())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        made_of(report(0)).to_bytes()[:-20],
        b'{"version": 4}',
        b'{"version": 4, "units": [], "config": {"text": {}}}',
        made_of(report(0)).to_bytes() + b"\n",
        made_of(report(0)).to_bytes().replace(b"\n", b"\r\n"),
        made_of(report(0)).to_bytes().replace(b'"bytes": 100', b'"bytes": 101'),
        json.dumps(json.loads(made_of(report(0)).to_bytes())).encode(),
    ],
)
def test_a_damaged_file_is_an_error_that_says_what_to_do(content):
    message = r"^manifest\.json is damaged: it.*\. Restore a copy of it, or run the same `textgen prepare` again, w"
    with pytest.raises(DamageError, match=message):
        parse(content)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_a_change_of_any_byte_is_seen(data):
    content = bytearray(made_of(report(0), report(1)).to_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] = data.draw(st.integers(0, 255).filter(lambda byte: byte != content[place]))
    with pytest.raises(UserError, match=r"is damaged|has version"):
        parse(bytes(content))


def test_the_proof_is_the_digest_of_the_lines_before_it():
    content = made_of(report(0)).to_bytes()
    lines = b"".join(content.splitlines(keepends=True)[:-2])
    assert hashlib.sha256(lines).hexdigest() == json.loads(content)["sha256"]


def test_a_file_signed_by_hand_is_read():
    assert parse(signed(json.loads(made_of(report(0)).to_bytes()))) == made_of(report(0))


def resigned(content):
    """A changed file with the proof that fits it."""
    body = content[: content.rindex(b' "sha256": "')]
    return body + f' "sha256": "{hashlib.sha256(body).hexdigest()}"\n}}\n'.encode()


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (b'{"unit": 1,', b'{"unit": 1', r"units\[1\]: it is not JSON: "),
        (b'{"unit": 1,', b'{"unit": 1, "unit": 1,', r"units\[1\]: it has the key 'unit' twice"),
        (b'{"unit": 1,', b'{"unit": 1, "size": 1,', r"units\[1\]\.'size' is unknown to this version"),
        (b'\n  {"unit": 1,', b'\n  7,\n  {"unit": 1,', r"units\[1\] is 7; it must be an object with the keys"),
        (b" ],\n", b' ],\n "units": [],\n', "'units' is unknown to this version"),
    ],
)  # fmt: skip
def test_a_wrong_line_with_a_right_proof_is_named(before, after, message):
    content = made_of(report(0), report(1)).to_bytes()
    assert content.count(before) == 1 and parse(resigned(content))
    with pytest.raises(DamageError, match=rf"^manifest\.json is damaged: {message}"):
        parse(resigned(content.replace(before, after)))


def test_a_large_file_has_a_unit_a_line(monkeypatch):
    made = made_of(report(0))
    by_hand = signed(json.loads(made.to_bytes()))
    monkeypatch.setattr(manifest_schema, "_MAX_OTHER_BYTES", len(by_hand) - 1)
    assert parse(made.to_bytes()) == made
    with pytest.raises(
        DamageError, match=rf"it has {len(by_hand):,} bytes and not one unit per line, as it must have"
    ):
        parse(by_hand)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"documents": 4}, r"the documents of unit 0 are 4, and their parts add up to 3\."),
        ({"dropped": {}}, r"the documents of unit 0 are 3, and their parts add up to 2\."),
        ({"shards": [shard("train", 0)]}, r"the test pairs of unit 0 are 3, and their parts add up to 0\."),
        ({"shards": [shard("train", 0), shard("test", 0, 4)]}, r"the test pairs of unit 0 are 3, .* add up to 4\."),
        (
            {"shards": [dataclasses.replace(shard("train", 0), bytes=121), shard("test", 0)]},
            r"the bytes of train-000000\.tfrecord are 121, and their parts add up to 120\.",
        ),
        (
            {"shards": [shard("train", 0), dataclasses.replace(shard("test", 0), records=1000)]},
            r"the records of test-000000\.tfrecord are 1,000, and their parts add up to 3\.",
        ),
    ],
)
def test_accounts_that_do_not_close_are_refused(change, message):
    with pytest.raises(DamageError, match=rf"is damaged: {message} Restore a copy of it"):
        parse(made_of(report(0, **change)).to_bytes())


def test_a_setting_of_another_version_is_refused():
    values = json.loads(made_of().to_bytes())
    values["config"]["beams"] = 4
    with pytest.raises(UserError, match=r"unknown settings \['beams'\].*Use that version"):
        parse(signed(values))


def test_a_manifest_is_read_from_its_folder(tmp_path):
    (tmp_path / FILE_NAME).write_bytes(made_of(report(0)).to_bytes())
    assert read_manifest(tmp_path) == read_manifest(str(tmp_path)) == made_of(report(0))


def test_a_folder_without_a_manifest_is_refused_with_what_makes_one(tmp_path):
    message = rf"is not a dataset: it has no manifest\.json\. Make one with `textgen prepare --output {tmp_path}`\."
    with pytest.raises(UserError, match=message):
        read_manifest(tmp_path)


def test_a_folder_that_is_not_there_is_refused_with_what_makes_one(tmp_path):
    missing = tmp_path / "missing"
    with pytest.raises(UserError, match=rf"{missing} is not there\. Make one with `textgen prepare --output"):
        read_manifest(missing)


def test_a_total_is_the_sum_of_its_reports():
    total = UnitReport.total([report(1), report(0, dropped={"malformed row": 4, "empty": 2}, documents=8)])
    assert (total.unit, total.bytes, total.documents, total.kept, total.replaced) == (-1, 200, 11, 4, 2)
    assert total.dropped == {"empty": 3, "malformed row": 4}
    assert list(total.dropped) == ["empty", "malformed row"]
    assert total.splits["train"] == SplitCounts(documents=2, characters=60, tokens=4, unknown=2, pairs=6)
    assert total.splits["validation"] == SplitCounts()


@given(st.lists(unit_reports, max_size=6))
@settings(max_examples=40, deadline=None)
def test_totals_add_up_and_leave_their_reports_as_they_are(units):
    before = json.dumps([unit.to_json() for unit in units])
    total = UnitReport.total(units)
    assert json.dumps([unit.to_json() for unit in units]) == before
    for split in SPLITS:
        assert total.splits[split].pairs == sum(unit.splits[split].pairs for unit in units)
    assert sum(total.dropped.values()) == sum(sum(unit.dropped.values()) for unit in units)
    assert len(total.shards) == sum(len(unit.shards) for unit in units)


def test_shards_stand_in_the_order_of_split_and_unit():
    made = made_of(report(1), report(0))
    assert [(found.split, found.unit) for found in made.total.shards] == [
        ("train", 0),
        ("train", 1),
        ("test", 0),
        ("test", 1),
    ]
    assert made.shards("test") == [shard("test", 0), shard("test", 1)]


def test_an_unknown_split_is_an_error_that_lists_them():
    with pytest.raises(UserError, match=r"split is 'dev'; it must be one of: train, validation, test, all\."):
        made_of(report(0)).shards("dev")


def test_all_splits_together_are_read_and_counted_as_one():
    whole = made_of(report(0), report(1))
    assert whole.shards("all") == whole.total.shards
    counts = whole.counts("all")
    assert counts.pairs == sum(split.pairs for split in whole.total.splits.values()) > 0
    assert whole.counts("test") == whole.total.splits["test"]


def test_an_empty_split_is_an_error_that_says_how_to_fill_it():
    message = r"the validation split of this dataset is empty\. Prepare it with --validation-percent above 0, or name"
    with pytest.raises(UserError, match=message):
        made_of(report(0)).shards("validation")


def test_an_empty_training_split_names_no_option_that_does_not_exist():
    with pytest.raises(UserError) as error:
        made_of().shards("train")
    assert "the train split of this dataset is empty." in str(error.value)
    assert "--train-percent" not in str(error.value)


def test_a_dataset_without_units_has_no_pairs_to_read():
    with pytest.raises(UserError, match="this dataset has no pairs in any split"):
        made_of().shards("all")


def test_the_text_settings_are_those_of_the_config():
    assert made_of().text == TextConfig(case="keep")
