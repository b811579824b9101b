"""A manifest with a right SHA-256 and a wrong value is refused in one line, and never leads out of its folder."""

import copy
import hashlib
import json

import pytest

from textgen.dataset.storage.manifest import DamageError, parse

_PROOF = b' "sha256": "'


def _signed(values: dict) -> bytes:
    values = {**values}
    values.pop("sha256", None)
    body = json.dumps(values, indent=1)[:-2].encode() + b",\n"
    return body + _PROOF + hashlib.sha256(body).hexdigest().encode() + b'"\n}\n'


def _places(value, path=()):
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from _places(inner, (*path, key))


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
        parse(_signed(values))


def test_a_unit_is_named_once(values):
    values["units"][1] = values["units"][0]
    with pytest.raises(DamageError, match=r"units\[1\]\.unit is 0; .* it must be 1"):
        parse(_signed(values))


NASTY = (None, True, -1, 1.5, 10**40, 1e300, "", "../x", "\x1b[2J\u202e\ud800", [], {}, [[]], {"a": 1}, "x" * 20_000)


def test_each_value_of_another_type_or_range_is_one_line_or_as_good(values):
    assert parse(_signed(values))
    for path in [path for path in _places(values) if path and path[0] != "sha256"]:
        for nasty in NASTY:
            changed = copy.deepcopy(values)
            inside = changed
            for key in path[:-1]:
                inside = inside[key]
            inside[path[-1]] = nasty
            try:
                parse(_signed(changed))
            except ValueError as error:
                # UserError is one; SchemaError and others of Python would not begin so.
                assert str(error).startswith("manifest.json "), (path, nasty, error)
                assert str(error).isprintable() and len(str(error)) < 30_000, (path, nasty)
