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
    count = len(out.splitlines())
    assert err == (
        f"{count} problem{'s' * (count > 1)}. `textgen repair {folder}` repairs the files, or says what else to do.\n"
    )
    return out.splitlines()


def test_a_whole_dataset_has_no_problems(data: Path, capfd, snapshot):
    before = snapshot(data)
    assert main(["verify", str(data)]) == 0
    out, err = capfd.readouterr()
    size = sum(path.stat().st_size for path in data.glob("*.tfrecord"))
    assert (out, err) == (f"no problems: 3 shards, {size:,} bytes\n", "")
    assert snapshot(data) == before


def test_a_shard_with_one_changed_bit_is_named(copy: Path, capfd):
    shard = copy / "validation-000000.tfrecord"
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)
    (problem,) = _problems(copy, capfd)
    assert problem.startswith("validation-000000.tfrecord (unit 0): changed")


def test_each_problem_has_a_line(copy: Path, capfd):
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


def test_contamination_is_printed_in_two_lines(data: Path, capfd, snapshot):
    before = snapshot(data)
    assert main(["verify", str(data), "--contamination"]) == 0
    out, err = capfd.readouterr()
    assert (out.splitlines()[1:], err) == (
        [
            "held-out 13-grams that are in the training split too: validation 0 of 0 (0.00%), test 0 of 0 (0.00%)",
            "held-out documents that are in another split too: validation 0 of 0 (0.00%), test 0 of 0 (0.00%)",
        ],
        "",
    )
    assert snapshot(data) == before


def test_a_document_in_two_splits_is_a_failure(make_dataset, tmp_path: Path, capfd):
    long, novel = list(range(4, 20)), list(range(5, 20))[::-1]
    folder = make_dataset(tmp_path / "data", train=[long, novel], test=[novel, long[:15], long])
    assert main(["verify", str(folder), "--contamination"]) == 1
    out, err = capfd.readouterr()
    assert out.splitlines()[1:] == [
        "held-out 13-grams that are in the training split too: validation 0 of 0 (0.00%), test 10 of 10 (100.00%)",
        "held-out documents that are in another split too: validation 0 of 0 (0.00%), test 2 of 3 (66.67%)",
    ]
    assert "Prepare again with --near-duplicates" in err


def test_the_reason_is_printed_where_contamination_is_not_measurable(strided_data: Path, capfd):
    assert main(["verify", str(strided_data), "--contamination"]) == 0
    out, _ = capfd.readouterr()
    assert out.splitlines()[2] == (
        "held-out documents that are in another split too: not measurable, "
        "since with a stride above 1 the last tokens of a document may be in no pair"
    )


def test_contamination_of_a_damaged_dataset_is_not_measured(copy: Path, capfd):
    (copy / "test-000000.tfrecord").unlink()
    assert main(["verify", str(copy), "--contamination"]) == 1
    assert capfd.readouterr().out == "test-000000.tfrecord (unit 0): missing\n"


def test_the_former_option_works_and_says_the_new_name(data: Path, capfd):
    assert main(["verify", str(data), "--leaks"]) == 0
    out, err = capfd.readouterr()
    assert len(out.splitlines()) == 3
    assert err == "--leaks is now called --contamination; the old name will be removed in the next version.\n"


def test_a_dataset_at_a_url_is_verified(url: str, data: Path, capfd):
    printed = []
    for folder in (url, str(data)):
        assert main(["verify", folder, "--contamination"]) == 0
        printed.append(capfd.readouterr().out)
    assert printed[0] == printed[1] and printed[0].startswith("no problems: 3 shards")


def test_a_folder_that_is_no_dataset_is_refused(refused, tmp_path: Path):
    assert "is not a dataset: it has no manifest.json" in refused("verify", tmp_path)
    assert "textgen prepare" in refused("verify", tmp_path / "nowhere")
