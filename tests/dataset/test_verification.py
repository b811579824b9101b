import hashlib

import pytest

from textgen.dataset import verify
from textgen.dataset.manifest import read_manifest
from textgen.dataset.verification import file_sha256
from textgen.errors import UserError

UNITS = [{"train": [[4, 5, 6]], "test": [[7, 8]]}, {"train": [[9]]}]
SHARD = "train-000001.tfrecord"


@pytest.fixture
def folder(build_dataset, tmp_path):
    return build_dataset(tmp_path / "data", UNITS, vocabulary_size=20)


@pytest.mark.parametrize("layout", ["pairs", "spans"])
def test_nothing_is_wrong_with_a_dataset_as_it_was_written(build_dataset, tmp_path, layout):
    folder = build_dataset(tmp_path / "data", UNITS, layout=layout)
    assert verify(folder) == verify(str(folder)) == []


def test_a_missing_shard_is_reported(folder):
    (folder / SHARD).unlink()
    assert verify(folder) == [f"{SHARD} (unit 1): missing"]


def test_a_cut_shard_is_reported_with_both_sizes(folder):
    content = (folder / SHARD).read_bytes()
    (folder / SHARD).write_bytes(content[:-1])
    assert verify(folder) == [f"{SHARD} (unit 1): cut: {len(content) - 1} of {len(content)} bytes"]


def test_a_shard_cut_between_records_is_reported(folder):
    block = read_manifest(folder).shards("train")[1].blocks[0]
    content = (folder / SHARD).read_bytes()
    (folder / SHARD).write_bytes(content[: block.bytes // block.records])
    assert verify(folder) == [f"{SHARD} (unit 1): cut: {len(content) // 2} of {len(content)} bytes"]


def test_a_changed_shard_is_reported(folder):
    content = bytearray((folder / SHARD).read_bytes())
    content[-1] ^= 1
    (folder / SHARD).write_bytes(content)
    assert verify(folder) == [f"{SHARD} (unit 1): changed: its SHA-256 differs from the manifest's"]


def test_a_grown_shard_is_reported(folder):
    content = (folder / SHARD).read_bytes()
    (folder / SHARD).write_bytes(content + b"x")
    assert verify(folder) == [f"{SHARD} (unit 1): changed: {len(content) + 1} bytes, {len(content)} expected"]


def test_extra_files_are_reported_by_name(folder):
    (folder / "train-000002.tfrecord").write_bytes(b"")
    (folder / "_work").mkdir()
    assert verify(folder) == [
        "_work: extra: the manifest does not name it",
        "train-000002.tfrecord: extra: the manifest does not name it",
    ]


def test_a_changed_vocabulary_is_reported(folder):
    with (folder / "vocabulary.jsonl").open("ab") as file:
        file.write(b'["more", 1]\n')
    assert verify(folder) == ["vocabulary.jsonl: changed: its SHA-256 differs from the manifest's"]


def test_a_missing_vocabulary_is_reported(folder):
    (folder / "vocabulary.jsonl").unlink()
    assert verify(folder) == ["vocabulary.jsonl: missing"]


def test_everything_wrong_is_reported_at_once(folder):
    (folder / SHARD).unlink()
    (folder / "vocabulary.jsonl").unlink()
    (folder / "notes.txt").write_text("")
    assert verify(folder) == [
        f"{SHARD} (unit 1): missing",
        "vocabulary.jsonl: missing",
        "notes.txt: extra: the manifest does not name it",
    ]


def test_a_folder_that_is_no_dataset_is_an_error(tmp_path):
    with pytest.raises(UserError, match=r"it has no manifest\.json\. Make one with `textgen prepare"):
        verify(tmp_path)


def test_the_digest_of_a_file_is_that_of_all_its_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr("textgen.dataset.verification._READ_BYTES", 10)
    (tmp_path / "file").write_bytes(bytes(range(37)))
    assert file_sha256(tmp_path / "file") == hashlib.sha256(bytes(range(37))).hexdigest()
