import dataclasses
import hashlib
import shutil

import pytest

from textgen.config import PrepareConfig, TextConfig
from textgen.dataset import verify
from textgen.dataset.storage import manifest
from textgen.dataset.storage.manifest import read_manifest
from textgen.dataset.storage.verification import Problem, file_sha256
from textgen.errors import UserError
from textgen.locks import hold

UNITS = [{"train": [[4, 5, 6]], "test": [[7, 8]]}, {"train": [[9]]}]
SHARD = "train-000001.tfrecord"
DIFFERS = "changed: its SHA-256 differs from the manifest's"
EXTRA = "extra: the manifest does not name it"


@pytest.fixture
def folder(build_dataset, tmp_path):
    return build_dataset(tmp_path / "data", UNITS, vocabulary_size=20)


def told(folder):
    return [str(problem) for problem in verify(folder)]


def with_settings(folder, **settings):
    """The folder, with a manifest of another configuration."""
    values = {field: getattr(read_manifest(folder), field) for field in manifest.Manifest.__dataclass_fields__}
    values["config"] = PrepareConfig(**{"text": TextConfig(), "window": 3, **settings})
    (folder / manifest.FILE_NAME).write_bytes(manifest.Manifest(**values).to_bytes())
    return folder


@pytest.mark.parametrize("layout", ["pairs", "spans"])
def test_nothing_is_wrong_with_a_dataset_as_it_was_written(build_dataset, tmp_path, layout):
    folder = build_dataset(tmp_path / "data", UNITS, layout=layout)
    assert verify(folder) == verify(str(folder)) == []


def test_a_missing_shard_is_reported(folder):
    (folder / SHARD).unlink()
    assert verify(folder) == [Problem(SHARD, 1, "missing")]
    assert told(folder) == [f"{SHARD} (unit 1): missing"]


def test_a_truncated_shard_is_reported_with_both_sizes(folder):
    content = (folder / SHARD).read_bytes()
    (folder / SHARD).write_bytes(content[:-1])
    assert told(folder) == [f"{SHARD} (unit 1): cut: {len(content) - 1} of {len(content)} bytes"]


def test_a_shard_truncated_between_records_is_reported(folder):
    block = read_manifest(folder).shards("train")[1].blocks[0]
    content = (folder / SHARD).read_bytes()
    (folder / SHARD).write_bytes(content[: block.bytes // block.records])
    assert told(folder) == [f"{SHARD} (unit 1): cut: {len(content) // 2} of {len(content)} bytes"]


def test_a_changed_shard_is_reported(folder):
    content = bytearray((folder / SHARD).read_bytes())
    content[-1] ^= 1
    (folder / SHARD).write_bytes(content)
    assert told(folder) == [f"{SHARD} (unit 1): {DIFFERS}"]


def test_a_grown_shard_is_reported(folder):
    content = (folder / SHARD).read_bytes()
    (folder / SHARD).write_bytes(content + b"x")
    assert told(folder) == [f"{SHARD} (unit 1): changed: {len(content) + 1} bytes, {len(content)} expected"]


def test_extra_files_are_reported_by_name(folder):
    (folder / "train-000002.tfrecord").write_bytes(b"")
    (folder / "tokenizer.model").write_bytes(b"")
    (folder / "dropped-000000.jsonl").write_bytes(b"")
    assert told(folder) == [
        f"dropped-000000.jsonl: {EXTRA}",
        f"tokenizer.model: {EXTRA}",
        f"train-000002.tfrecord: {EXTRA}",
    ]


def test_files_of_dropped_documents_are_verified(folder):
    made = read_manifest(folder)
    made.units[1].dropped_sha256 = hashlib.sha256(b"{}\n").hexdigest()
    kept = dataclasses.replace(made, config=dataclasses.replace(made.config, keep_dropped=True))
    (folder / manifest.FILE_NAME).write_bytes(kept.to_bytes())
    letters = folder / "dropped-000001.jsonl"
    assert verify(folder) == [Problem(letters.name, 1, "missing")]
    letters.write_bytes(b"{ }\n")
    assert told(folder) == [f"{letters.name} (unit 1): {DIFFERS}"]
    letters.write_bytes(b"{}\n")
    assert told(folder) == []


def test_the_lock_of_a_process_at_work_is_no_extra_file(folder):
    with hold(folder, command="repair"):
        assert verify(folder) == []
    (folder / f"_lock-{'0' * 32}").touch()
    assert verify(folder) == []


def test_files_of_a_killed_preparation_are_not_extra_files(folder):
    (folder / "_work" / "tokens").mkdir(parents=True)
    (folder / "_work" / "plan.json.12.tmp").write_bytes(b"{")
    assert verify(folder) == []


@pytest.mark.parametrize("name", ["vocabulary.jsonl", "inputs.jsonl"])
def test_a_changed_or_missing_file_of_all_units_is_reported(folder, name):
    with (folder / name).open("ab") as file:
        file.write(b'["more", 1]\n')
    assert told(folder) == [f"{name}: {DIFFERS}"]
    (folder / name).unlink()
    assert verify(folder) == [Problem(name, None, "missing")]


def test_a_changed_or_missing_tokenizer_is_reported(folder):
    text = TextConfig(
        tokenizer="sentencepiece", punctuation="keep", tokenizer_model=hashlib.sha256(b"model").hexdigest()
    )
    with_settings(folder, text=text)
    assert told(folder) == ["tokenizer.model: missing"]
    (folder / "tokenizer.model").write_bytes(b"mode1")
    assert told(folder) == [f"tokenizer.model: {DIFFERS}"]
    (folder / "tokenizer.model").write_bytes(b"model")
    assert told(folder) == []


def test_everything_wrong_is_reported_at_once(folder):
    (folder / SHARD).unlink()
    (folder / "vocabulary.jsonl").unlink()
    (folder / "notes.txt").write_text("")
    assert told(folder) == [f"{SHARD} (unit 1): missing", "vocabulary.jsonl: missing", f"notes.txt: {EXTRA}"]


@pytest.mark.parametrize("theirs", [{"window": 4}, {"vocabulary_size": 21}, {"layout": "spans"}])
def test_the_manifest_of_another_dataset_is_one_problem(build_dataset, folder, tmp_path, theirs):
    other = build_dataset(tmp_path / "other", UNITS, **{"vocabulary_size": 20, **theirs})
    shutil.copy(other / "manifest.json", folder)
    units = read_manifest(other).units
    named = sum(len(report.shards) for report in units)
    if "vocabulary_size" in theirs:
        for shard in folder.glob("*.tfrecord"):
            shard.write_bytes(shard.read_bytes() + b"x")
    assert told(folder) == [f"manifest.json: foreign: of the {named} shards that it names none is here as it says"]


def test_a_dataset_whose_shards_all_changed_is_not_reported_as_foreign(folder):
    for shard in folder.glob("*.tfrecord"):
        content = bytearray(shard.read_bytes())
        content[20] ^= 1
        shard.write_bytes(content)
    assert [problem.what for problem in verify(folder)] == [DIFFERS] * 3


@pytest.mark.parametrize("keep", [0, 1])
def test_a_dataset_of_one_truncated_shard_is_not_reported_as_foreign(build_dataset, tmp_path, keep):
    folder = build_dataset(tmp_path / "data", UNITS[1:])
    (folder / "train-000000.tfrecord").write_bytes(b"x" * keep)
    (problem,) = verify(folder)
    assert (problem.file, problem.unit, problem.what[:3]) == ("train-000000.tfrecord", 0, "cut")


def test_a_dataset_that_lost_all_shards_has_its_own_manifest(folder):
    for shard in folder.glob("*.tfrecord"):
        shard.unlink()
    assert [problem.what for problem in verify(folder)] == ["missing"] * 3


def test_a_dataset_at_a_url_is_verified_there(folder):
    url = f"local://{folder}"
    assert verify(url) == []
    (folder / "train-000000.tfrecord").unlink()
    with (folder / SHARD).open("r+b") as file:
        file.truncate(10)
    (folder / "vocabulary.jsonl").write_bytes(b"")
    (folder / "notes").mkdir()
    assert [str(problem) for problem in verify(url)] == told(folder)
    assert len(told(folder)) == 4


def test_a_folder_that_is_no_dataset_is_an_error(tmp_path):
    with pytest.raises(UserError, match=r"it has no manifest\.json\. Make one with `textgen prepare"):
        verify(tmp_path)


def test_the_digest_of_a_file_is_that_of_all_its_bytes(tmp_path):
    (tmp_path / "file").write_bytes(bytes(range(37)))
    assert file_sha256(tmp_path / "file", block_bytes=10) == hashlib.sha256(bytes(range(37))).hexdigest()


def test_a_link_in_the_place_of_a_file_is_not_opened(folder, tmp_path):
    for name in ("train-000000.tfrecord", "vocabulary.jsonl"):
        (folder / name).rename(tmp_path / name)
        (folder / name).symlink_to(tmp_path / name)
    what = "no regular file: it is a symbolic link"
    assert {(problem.file, problem.what) for problem in verify(folder)} == {
        ("train-000000.tfrecord", what), ("vocabulary.jsonl", what)
    }  # fmt: skip
