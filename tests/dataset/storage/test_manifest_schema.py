"""A manifest with a right SHA-256 and a wrong value is refused in one line, and never leads out of its folder."""

import json

import pytest

from tests.sealed import HOSTILE, changed, places, sealed
from textgen.dataset.storage.manifest import DamageError, parse


@pytest.fixture
def values(build_dataset, tmp_path):
    folder = build_dataset(tmp_path / "data", [{"train": [[5, 6, 7]], "test": [[8]]}, {"train": [[9]]}])
    return json.loads((folder / "manifest.json").read_bytes())


@pytest.mark.parametrize(
    "name",
    ["../victim/photos", "/etc/passwd", "train-000001.tfrecord", "test-000000.tfrecord", "s3://b/train-000000.tfrecord",
     "train-000000.tfrecord\0", "train-000000.tfrecord\n", "", ".", "_work"],
)  # fmt: skip
def test_a_shard_has_the_name_of_its_split_and_unit(values, name):
    values["units"][0]["shards"][0]["name"] = name
    with pytest.raises(DamageError, match=r"^manifest\.json is damaged: .* must "):
        parse(sealed(values))


def test_a_unit_is_named_once(values):
    values["units"][1] = values["units"][0]
    with pytest.raises(DamageError, match=r"units\[1\]\.unit is 0; .* it must be 1"):
        parse(sealed(values))


def test_each_value_of_another_type_or_range_is_one_line_or_as_good(values):
    assert parse(sealed(values))
    for place in [place for place in places(values) if place and place[0] != "sha256"]:
        for hostile in HOSTILE:
            try:
                parse(sealed(changed(values, place, hostile)))
            except ValueError as error:
                # UserError is one; SchemaError and others of Python would not begin so.
                assert str(error).startswith("manifest.json "), (place, hostile, error)
                assert str(error).isprintable() and len(str(error)) < 30_000, (place, hostile)
