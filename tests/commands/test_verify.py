import shutil
from pathlib import Path

import pytest

from textgen.cli import main


@pytest.fixture
def copy(data: Path, tmp_path: Path) -> Path:
    return shutil.copytree(data, tmp_path / "data")


def _problems(folder: Path, capfd) -> list[str]:
    assert main(["verify", str(folder)]) == 1
    out, err = capfd.readouterr()
    assert "run the same `textgen prepare` again" in err
    assert f"{len(out.splitlines())} problem" in err
    return out.splitlines()


def test_a_whole_dataset_is_well(data: Path, capfd, snapshot):
    before = snapshot(data)
    assert main(["verify", str(data)]) == 0
    out, err = capfd.readouterr()
    size = sum(path.stat().st_size for path in data.glob("*.tfrecord"))
    assert (out, err) == (f"all well: 3 shards, {size:,} bytes\n", "")
    assert snapshot(data) == before


def test_a_shard_with_one_changed_bit_is_named(copy: Path, capfd):
    shard = copy / "validation-000000.tfrecord"
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)
    (problem,) = _problems(copy, capfd)
    assert problem.startswith("validation-000000.tfrecord (unit 0): changed")


def test_every_damage_has_its_line(copy: Path, capfd):
    (copy / "test-000000.tfrecord").unlink()
    with (copy / "train-000000.tfrecord").open("r+b") as file:
        file.truncate(100)
    (copy / "vocabulary.jsonl").write_text('["a", 1]\n')
    (copy / "train-000001.tfrecord").touch()
    problems = _problems(copy, capfd)
    assert [problem.split(":")[0].split(" ")[0] for problem in problems] == [
        "train-000000.tfrecord",
        "test-000000.tfrecord",
        "vocabulary.jsonl",
        "train-000001.tfrecord",
    ]
    for problem, what in zip(problems, ("cut", "missing", "changed", "extra"), strict=True):
        assert what in problem


def test_a_folder_that_is_no_dataset_is_refused(refused, tmp_path: Path):
    assert "is not a dataset: it has no manifest.json" in refused("verify", tmp_path)
    assert "textgen prepare" in refused("verify", tmp_path / "nowhere")
