"""Lines of `inputs.jsonl` that a stranger may have written: any but those that a preparation writes are refused."""

import dataclasses
import json
import os

import pytest

from textgen.config import PrepareConfig, TextConfig
from textgen.config.schema import SchemaError
from textgen.dataset.storage.inputs_schema import parse

CONFIG = PrepareConfig(text=TextConfig())
FILE = {
    "path": os.fsdecode(b"\xff a\n.csv.gz"), "size": 3, "modified": -1.5, "format": "csv", "compression": ["gzip"],
    "encoding": "cp1252", "split": None, "member": None,
}  # fmt: skip
MEMBER = ["c.tar", [], 4096, 512, 3, "", -1, 9]
IN_ARCHIVE = {**FILE, "path": "c.tar/a.csv", "member": MEMBER}


def _lines(*rows):
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def test_the_values_of_each_file_are_returned():
    first, second = parse(_lines(FILE, IN_ARCHIVE), CONFIG, files=2)
    assert first == FILE
    assert second == {**IN_ARCHIVE, "member": tuple(MEMBER)}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"path": "a\0"}, r"path is 'a\\x00'; it must be a path without a NUL"),
        ({"path": ["a"]}, "path is a list of 1; it must be a text"),
        ({"size": -1}, "size is -1; it must be a whole number from 0"),
        ({"modified": True}, "modified is true; it must be a number"),
        ({"modified": 1e300}, r"modified is 1e\+300; it must be a number"),
        ({"format": "exe"}, "format is 'exe'; it must be one of: document,"),
        ({"compression": ["rar"]}, r"compression\[0\] is 'rar'; it must be one of: gzip,"),
        ({"compression": ["gzip"] * 5}, "compression is a list of 5; it must be a list of at most 4"),
        ({"encoding": "rot13"}, "encoding is 'rot13'; it must be Python's own name of a text encoding"),
        ({"encoding": "auto"}, "encoding is 'auto'; it must be Python's own name"),
        ({"encoding": "latin1"}, "encoding is 'latin1'; it must be Python's own name"),
        ({"encoding": "../x"}, "encoding is '../x'; it must be Python's own name"),
        ({"split": "train"}, "split is 'train'; in this dataset it must be null"),
        ({"member": MEMBER[:-1]}, "member is a list of 7; it must be a list of 8"),
        ({"member": ["c.tar", [], 4096, 512, 3, "rar", -1, 9]}, r"member.packing is 'rar'; it must be one of"),
        ({"member": ["c.tar", [], 4096, 512, 3, "", 2**32, 9]}, r"member.checksum is 4294967296; it must be a whole"),
        (
            {"member": ["/etc/shadow", [], 4096, 512, 3, "", -1, 9]},
            "path is 'c.tar/a.csv'; it must begin with that of",
        ),
        (
            {"member": ["c.tar", [], 514, 512, 3, "", -1, 9]},
            "member ends at byte 515 of its archive; it must end at 514",
        ),
        (
            {"member": ["c.tar", [], 4096, 512, 4, "", -1, 9]},
            "size is 3, and that in member is 4; they must be equal",
        ),
        ({"more": 1}, "'more' is unknown"),
    ],
)
def test_a_value_of_another_kind_is_named_with_the_rule(changed, message):
    with pytest.raises(SchemaError, match=f"^line 2: {message}"):
        list(parse(_lines(FILE, {**IN_ARCHIVE, **changed}), CONFIG))


@pytest.mark.parametrize("key", sorted(FILE))
def test_each_value_must_be_there(key):
    with pytest.raises(SchemaError, match=f"^line 1: {key} is missing"):
        list(parse(_lines({name: value for name, value in FILE.items() if name != key}), CONFIG))


def test_a_file_is_named_once():
    with pytest.raises(SchemaError, match="^line 2: path is .*, which an earlier line names too"):
        list(parse(_lines(FILE, FILE), CONFIG))


def test_lines_are_as_many_as_the_manifest_says():
    with pytest.raises(SchemaError, match="^its number of lines is 1; it must be 0$"):
        list(parse(_lines(FILE), CONFIG, files=0))


def test_files_belong_to_splits_where_the_user_named_files_for_them():
    given = dataclasses.replace(CONFIG, given_splits="test", test_percent=0)
    for split in ("train", "test"):
        assert next(parse(_lines({**FILE, "split": split}), given))["split"] == split
    for split in ("validation", None):
        with pytest.raises(SchemaError, match="in this dataset it must be 'train' or 'test'"):
            list(parse(_lines({**FILE, "split": split}), given))


def test_a_member_of_a_compressed_archive_has_its_offset_in_the_decompressed_one():
    member = ["c.tar", ["gzip"], 100, 5000, 3, "", -1, 9]
    assert list(parse(_lines({**IN_ARCHIVE, "member": member}), CONFIG))
