"""The job as a whole, on real files and a real engine."""

import dataclasses
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipelines import count_tokens, runners, write_shards
from pipelines.prepare import prepare
from textgen.config import SPLITS, PrepareConfig, TextConfig
from textgen.dataset import read_manifest, read_pairs, verify
from textgen.errors import UserError

WORDS = ["sea", "ship", "whale", "mast", "crew", "deck", "storm", "line", "sail", "wind"]


def write_corpus(folder: Path, documents: int = 60) -> str:
    """Documents of random words, of which each has one word of its own, `doc17`, three times."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    for i in range(documents):
        words = random.choice(WORDS, 30).tolist()
        words[5] = words[15] = words[25] = f"doc{i}"
        (folder / f"{i:03d}.txt").write_text(" ".join(words))
    return f"{folder}/*.txt"


def config(**settings: object) -> PrepareConfig:
    defaults: dict = {"window": 4, "validation_percent": 20, "test_percent": 20}
    return PrepareConfig(text=TextConfig(), **{**defaults, **settings})


def hashes(directory: Path) -> dict[str, str]:
    return {shard.name: shard.sha256 for shard in read_manifest(directory).total.shards}


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def rows(directory: Path, split: str) -> list[bytes]:
    batches = read_pairs(directory, split=split, batch_size=64)
    return sorted(np.concatenate([x, y[:, None]], axis=1)[i].tobytes() for x, y in batches for i in range(len(y)))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_corpus(tmp_path_factory.mktemp("corpus") / "texts")


@pytest.fixture(scope="module")
def dataset(corpus: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("dataset") / "pairs"
    prepare([corpus], str(directory), config())
    return directory


def test_an_output_in_its_input_folder_is_never_read(tmp_path: Path) -> None:
    write_corpus(tmp_path / "in", documents=8)
    (tmp_path / "in" / ".hidden").write_text("x")
    out, settings = tmp_path / "in" / "out", config(validation_percent=0, test_percent=0, layout="spans")
    made = prepare([str(tmp_path / "in")], str(out), settings)
    assert (made.files, made.passed_over) == (8, {"hidden or system": 1})
    before = contents(out)
    assert set(before) == {
        "inputs.jsonl", "manifest.json", "passed_over.jsonl", "train-000000.tfrecord", "vocabulary.jsonl",
    }  # fmt: skip
    prepare([str(tmp_path / "in")], str(out), settings)
    # The work of a process that was killed, and a hidden file that has come since.
    (out / "manifest.json").unlink()
    (out / "_work").mkdir()
    (out / "_work" / "plan.json").write_text(json.dumps({"fingerprint": made.fingerprint, "config": {}}))
    (tmp_path / "in" / ".other").write_text("x")
    prepare([str(tmp_path / "in")], str(out), settings)
    assert contents(out) == before
    assert verify(out) == []
    other = prepare([str(tmp_path / "in")], str(tmp_path / "in" / "out2"), settings)
    assert (other.files, other.passed_over) == (8, {"hidden or system": 2, "of a dataset or run": 5})


def test_an_output_that_can_only_be_read_is_refused(corpus: str) -> None:
    with pytest.raises(UserError, match="of a web server, which can only be read"):
        prepare([corpus], "https://example.org/out", config())


def test_the_accounts_close(dataset: Path) -> None:
    total = read_manifest(dataset).total
    assert total.documents == total.kept + sum(total.dropped.values()) == 60
    assert sum(counts.documents for counts in total.splits.values()) == 60
    for split, counts in total.splits.items():
        assert counts.tokens == 30 * counts.documents
        assert counts.pairs == counts.tokens + counts.documents
        assert counts.pairs == sum(shard.pairs for shard in total.shards if shard.split == split)
        assert counts.pairs == len(rows(dataset, split))
    assert verify(dataset) == []


def test_only_the_dataset_is_left(dataset: Path) -> None:
    names = {shard.name for shard in read_manifest(dataset).total.shards}
    assert set(contents(dataset)) == names | {"manifest.json", "vocabulary.jsonl", "inputs.jsonl"}


def test_both_layouts_hold_the_same_pairs(corpus: str, dataset: Path, tmp_path: Path) -> None:
    prepare([corpus], str(tmp_path / "spans"), config(layout="spans"))
    for split in SPLITS:
        assert rows(tmp_path / "spans", split) == rows(dataset, split)


def test_no_document_is_in_two_splits(corpus: str, tmp_path: Path) -> None:
    # A vocabulary of all words would leave out the held-out documents' own, so characters tell them apart.
    text = TextConfig(tokenizer="char", punctuation="keep")
    settings = PrepareConfig(text=text, window=8, validation_percent=20, test_percent=20)
    manifest = prepare([corpus], str(tmp_path / "chars"), settings)
    assert all(counts.documents for counts in manifest.total.splits.values())
    letters = dict(enumerate((json.loads(line)[0] for line in vocabulary_lines(tmp_path / "chars")), start=4))
    found = {}
    for split in SPLITS:
        text_of_split = "".join(
            letters.get(int(i), "|")
            for _, y in read_pairs(tmp_path / "chars", split=split, batch_size=999)
            for i in y
        )
        found[split] = {word for word in text_of_split.replace("|", " ").split() if word.startswith("doc")}
    assert len(set.union(*found.values())) == 60
    assert sum(len(words) for words in found.values()) == 60


def vocabulary_lines(directory: Path) -> list[str]:
    return (directory / "vocabulary.jsonl").read_text(encoding="utf-8").rstrip("\n").split("\n")


def test_the_vocabulary_is_learned_from_the_training_split_only(dataset: Path) -> None:
    words = {json.loads(line)[0] for line in vocabulary_lines(dataset)}
    assert (
        len([word for word in words if word.startswith("doc")])
        == read_manifest(dataset).total.splits["train"].documents
    )


@pytest.mark.parametrize("mode", ["in_memory", "multi_threading"])
def test_the_bytes_do_not_depend_on_the_threads(corpus: str, dataset: Path, tmp_path: Path, mode: str) -> None:
    workers = 1 if mode == "in_memory" else 2
    flags = [f"--direct_running_mode={mode}", f"--direct_num_workers={workers}"]
    prepare([corpus], str(tmp_path / "again"), config(), flags)
    assert contents(tmp_path / "again") == contents(dataset)


def test_a_second_run_does_nothing(
    corpus: str, dataset: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(dataset)
    monkeypatch.setattr(runners, "start", None)
    prepare([corpus], str(dataset), config())
    assert contents(dataset) == before
    assert "nothing to do" in capsys.readouterr().err


@pytest.fixture(scope="module")
def of_several_units(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A corpus and its dataset."""
    folder = tmp_path_factory.mktemp("big")
    corpus = write_corpus(folder / "texts", 1200)
    prepare([corpus], str(folder / "data"), config())
    assert len(read_manifest(folder / "data").units) > 2
    return corpus, folder / "data"


def test_an_interrupted_preparation_continues_with_the_missing_work(
    of_several_units: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus, whole = of_several_units
    broken = tmp_path / "broken"

    done: list[int] = []
    process = write_shards.WriteUnit.process

    def break_off(self, unit):  # noqa: ANN001, ANN202
        if len(done) == 1:
            raise OSError("the machine went away")
        done.append(unit.index)
        return process(self, unit)

    monkeypatch.setattr(write_shards.WriteUnit, "process", break_off)
    with pytest.raises(OSError, match="went away"):
        prepare([corpus], str(broken), config())
    assert not (broken / "manifest.json").exists()

    monkeypatch.setattr(write_shards.WriteUnit, "process", process)
    monkeypatch.setattr(count_tokens.CountUnit, "process", None)
    prepare([corpus], str(broken), config())
    assert contents(broken) == contents(whole)


def test_only_lost_shards_are_made_again(
    of_several_units: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus, whole = of_several_units
    out = shutil.copytree(whole, tmp_path / "out")
    before = contents(out)
    (out / "train-000001.tfrecord").unlink()
    (out / "test-000001.tfrecord").write_bytes(before["test-000001.tfrecord"][:-1])

    monkeypatch.setattr(count_tokens.CountUnit, "process", None)
    process, done = write_shards.WriteUnit.process, []
    monkeypatch.setattr(
        write_shards.WriteUnit,
        "process",
        lambda self, unit: done.append(unit.index) or process(self, unit),
    )
    prepare([corpus], str(out), config())
    assert done == [1]
    assert contents(out) == before


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b'["sea", 1]\n')])
def test_a_lost_or_changed_vocabulary_is_learned_again(
    corpus: str, dataset: Path, tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(dataset, copy)
    damage(copy / "vocabulary.jsonl")
    prepare([corpus], str(copy), config())
    assert contents(copy) == contents(dataset)


def test_another_dataset_in_the_folder_is_refused_and_kept(corpus: str, dataset: Path) -> None:
    before = contents(dataset)
    with pytest.raises(UserError, match="window is 4 there and 5 here.*--output"):
        prepare([corpus], str(dataset), config(window=5))
    assert contents(dataset) == before


def test_one_document_can_not_be_split_by_documents(tmp_path: Path) -> None:
    (tmp_path / "novel.txt").write_text("call me " * 75)
    with pytest.raises(UserError, match="split would be empty: the input has 1 documents.*--split-by tail"):
        prepare([f"{tmp_path}/novel.txt"], str(tmp_path / "out"), config())
    assert not list((tmp_path / "out").glob("*.tfrecord"))
    # The remedy works in the same folder.
    manifest = prepare([f"{tmp_path}/novel.txt"], str(tmp_path / "out"), config(split_by="tail"))
    assert [counts.tokens for counts in manifest.total.splits.values()] == [90, 30, 30]


@pytest.mark.parametrize(
    ("name", "content", "settings", "message"),
    [
        ("a.csv", "x,y\n1,2\n", {}, "columns x, y.*--text-field"),
        ("a.csv", "x,y\n1,2\n", {"text_field": "z"}, "columns x, y.*none is named 'z'"),
        ("a.txt", "a b", {"text_field": "z"}, "no input .*--format"),
        ("a.txt", "", {}, "1 found: 0 read, passed over: 1 empty"),
        ("a.txt", " \n ", {}, "no document with text is left"),
    ],
)
def test_input_that_can_not_be_read_as_asked_is_refused(
    tmp_path: Path, name: str, content: str, settings: dict, message: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(UserError, match=message):
        prepare([f"{tmp_path}/{name}"], str(tmp_path / "out"), config(**settings))


def test_a_vocabulary_size_above_the_number_of_tokens_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.txt").write_text("one two three two")
    manifest = prepare([f"{tmp_path}/a.txt"], str(tmp_path / "out"), config(validation_percent=0, test_percent=0))
    assert manifest.vocabulary_size == 4 + 3
    assert "has 3 distinct tokens, fewer than the vocabulary size of 8,000" in capsys.readouterr().err


def test_the_module_is_the_same_job(corpus: str, dataset: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pipelines.prepare", "--input", corpus, "--output", str(tmp_path / "out")]
    settings = ["--window", "4", "--validation-percent", "20", "--test-percent", "20"]
    subprocess.run([*command, *settings, "--runner", "DirectRunner"], check=True, timeout=300)
    assert contents(tmp_path / "out") == contents(dataset)
    refused = subprocess.run([*command, "--window", "0"], capture_output=True, text=True, timeout=300)
    assert refused.returncode == 2
    assert refused.stderr.strip().split("\n")[-1].startswith("error: window is 0")


def test_a_file_with_many_invalid_characters_is_an_error_before_anything_is_published(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    # The start, by which encodings are told, is ASCII.
    path.write_bytes(b"call me ishmael\n" * 5000 + "все счастливые семьи\n".encode("koi8-r") * 2000)
    config = PrepareConfig(text=TextConfig(), format="lines", validation_percent=0, test_percent=0)
    with pytest.raises(UserError, match=r"a\.txt is not valid utf-8: 31\.3% of .* use --encoding koi8-r"):
        prepare([str(path)], str(tmp_path / "out"), config)
    assert {file.name for file in (tmp_path / "out").iterdir()} == {"_work", "inputs.jsonl"}
    allowed = dataclasses.replace(config, on_invalid="replace")
    assert prepare([str(path)], str(tmp_path / "out"), allowed).total.replaced_characters == 36_000
