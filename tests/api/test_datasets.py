from pathlib import Path

import pytest

import textgen
from textgen.errors import UserError
from textgen.locks import hold

ROWS = ["the cat sat on the mat", "a dog ate the cat", "the mat was red", "on the mat the dog slept"] * 5


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("api") / "rows.csv"
    path.write_text("id,text\n" + "".join(f"{i},{row} {i}\n" for i, row in enumerate(ROWS)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def data(table: Path) -> Path:
    output = table.parent / "data"
    textgen.prepare(table, output, text_field="text", window=4, validation_percent=20, test_percent=20)
    return output


def test_prepare_returns_the_manifest(table: Path, data: Path) -> None:
    again = textgen.prepare(
        [str(table)], str(data), text_field="text", window=4, validation_percent=20, test_percent=20
    )
    assert again == textgen.read_manifest(data)
    assert again.total.kept == len(ROWS)
    assert (again.config.window, again.config.text_field) == (4, "text")


def test_prepared_pairs_are_read(data: Path) -> None:
    x, y = next(iter(textgen.read_pairs(data, batch_size=8)))
    assert (x.shape, y.shape) == ((8, 4), (8,))


def test_prepare_takes_a_vocabulary(table: Path, data: Path) -> None:
    output = data.with_name("same-ids")
    other = textgen.prepare(table, output, text_field="text", test_percent=0, vocabulary=data / "vocabulary.jsonl")
    assert other.tokens_sha256 == textgen.read_manifest(data).tokens_sha256


def test_prepare_and_repair_refuse_a_folder_that_is_being_written(table: Path, data: Path) -> None:
    with hold(data, command="repair"):
        for work in (lambda: textgen.prepare(table, data, text_field="text"), lambda: textgen.repair(data)):
            with pytest.raises(UserError, match="is being written by another call in this process"):
                work()
        assert textgen.verify(data) == []
        assert next(iter(textgen.read_pairs(data, batch_size=8)))
    assert not (data / "_lock").exists()


def test_repair_makes_no_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="none is not there"):
        textgen.repair(tmp_path / "none")
    assert list(tmp_path.iterdir()) == []


def test_prepare_leaves_no_folder_if_it_could_not_begin(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nothing.txt"):
        textgen.prepare(tmp_path / "nothing.txt", tmp_path / "a" / "data")
    assert list(tmp_path.iterdir()) == []


def test_prepare_refuses_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nothing.txt"):
        textgen.prepare(tmp_path / "nothing.txt", tmp_path / "data")


def test_estimate_counts_as_prepare_does(table: Path, data: Path) -> None:
    found = textgen.estimate(table, text_field="text")
    pairs = sum(split.pairs for split in textgen.read_manifest(data).total.splits.values())
    assert found.documents == len(ROWS)
    assert found.pairs == pytest.approx(pairs, rel=0.05)


def test_repair_makes_a_lost_shard_again(data: Path) -> None:
    shard = next(data.glob("test-*.tfrecord"))
    content = shard.read_bytes()
    shard.unlink()
    assert [problem.file for problem in textgen.verify(data)] == [shard.name]
    assert [problem.file for problem in textgen.repair(data, yes=True).made] == [shard.name]
    assert shard.read_bytes() == content
    assert textgen.verify(data) == []
