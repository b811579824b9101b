"""Corpora that come with their splits, in the shapes that people have them, prepared from end to end."""

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import textgen
from pipelines.estimation import estimate
from pipelines.repair import repair
from textgen.commands.inspect import accounts
from textgen.config import SPLITS
from textgen.dataset import Manifest, read_pairs, verify
from textgen.errors import UserError
from textgen.text import vocabulary

WORDS = ["the", "<unk>", "N", "N-N", "of", "company", "$", "u.s.", "'s", "said", "million"]
FILES = {"train": "ptb.train.txt", "validation": "ptb.valid.txt", "test": "ptb.test.txt"}


def write_treebank(folder: Path) -> dict[str, list[list[str]]]:
    """Writes three files of the Penn Treebank's shape: a sentence per line between spaces; returns their words."""
    folder.mkdir()
    chance = random.Random(7)
    corpus = {}
    for split, count in (("train", 60), ("validation", 9), ("test", 14)):
        corpus[split] = [chance.choices(WORDS, k=chance.randint(1, 12)) for _ in range(count)]
        # A word that training does not have.
        corpus[split][0].append(f"only-{split}")
        lines = "".join(f" {' '.join(words)} \n" for words in corpus[split])
        (folder / FILES[split]).write_text(lines)
    return corpus


def targets(data: Path, split: str) -> list[str]:
    """Returns the target of every pair of a split, in the order of the corpus."""
    texts = vocabulary.load(data).texts
    return [texts[i] for _, y in read_pairs(data, split=split, batch_size=64) for i in y.numpy().tolist()]


def told(words: Sequence[str]) -> list[str]:
    """Returns words as they are in the dataset: what training does not have is unknown."""
    return ["[UNK]" if word == "<unk>" or word in ("only-validation", "only-test") else word for word in words]


def prepared(folder: Path, output: Path, **settings: Any) -> Manifest:
    return textgen.prepare(
        folder / FILES["train"],
        output,
        validation_input=folder / FILES["validation"],
        test_input=[folder / FILES["test"]],
        preset="tokenized",
        window=4,
        layout="spans",
        **settings,
    )


def test_sentences_of_a_treebank_are_the_targets_of_their_split_each_once(tmp_path: Path) -> None:
    corpus = write_treebank(tmp_path / "ptb")
    manifest = prepared(tmp_path / "ptb", tmp_path / "data", format="lines")
    for split, sentences in corpus.items():
        assert targets(tmp_path / "data", split) == [word for line in sentences for word in (*told(line), "[EOS]")]
        counts = manifest.total.splits[split]
        assert (counts.documents, counts.tokens) == (len(sentences), sum(map(len, sentences)))
    assert {f"only-{split}" for split in SPLITS} & set(vocabulary.load(tmp_path / "data").tokens) == {"only-train"}
    listed = [json.loads(line) for line in (tmp_path / "data" / "inputs.jsonl").read_text().splitlines()]
    assert [(Path(file["path"]).name, file["split"]) for file in listed] == [
        (FILES[split], split) for split in SPLITS
    ]
    assert {shard.split for unit in manifest.units for shard in unit.shards} == set(SPLITS)
    assert all(len({shard.split for shard in unit.shards}) == 1 for unit in manifest.units)


def test_each_file_of_a_treebank_is_one_document_with_its_line_ends(tmp_path: Path) -> None:
    corpus = write_treebank(tmp_path / "ptb")
    prepared(tmp_path / "ptb", tmp_path / "data", format="document")
    for split, sentences in corpus.items():
        found = targets(tmp_path / "data", split)
        end = found[len(sentences[0])]
        assert found == [*[word for line in sentences for word in (*told(line), end)], "[EOS]"]


def write_reviews(folder: Path) -> None:
    """Writes folders of IMDB's shape; one review of the test is in training too, and another twice in training."""
    for split in ("train", "test"):
        for label in ("neg", "pos"):
            (folder / split / label).mkdir(parents=True)
            for i in range(8):
                (folder / split / label / f"{i}_7.txt").write_text(f"A {split} film of kind {label} {i}, well made.")
    for copy in ("train/pos/90_1.txt", "train/neg/91_1.txt", "test/pos/90_1.txt"):
        (folder / copy).write_text("The same words twice.")


@pytest.fixture(scope="module")
def reviews(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reviews") / "imdb"
    write_reviews(folder)
    return folder


def test_folders_of_reviews_are_repaired_and_resumed_with_their_splits(reviews: Path, tmp_path: Path) -> None:
    data, given = tmp_path / "data", {"test_input": reviews / "test"}
    manifest = textgen.prepare(reviews / "train", data, **given, validation_percent=0, window=4)
    counts = {split: counts.documents for split, counts in manifest.total.splits.items()}
    assert counts == {"train": 18, "validation": 0, "test": 17}
    assert manifest.total.shared == {"test": 1}
    assert "shared      1 of 17 in test: held-out documents whose text another split has too" in accounts(manifest)
    assert "--held-out-duplicates drop takes them out of training" in accounts(manifest)

    before = {path.name: path.read_bytes() for path in data.iterdir()}
    (data / next(shard.name for shard in manifest.shards("test"))).unlink()
    (data / "vocabulary.jsonl").unlink()
    repair(str(data), yes=True)
    assert verify(data) == []
    assert {path.name: path.read_bytes() for path in data.iterdir()} == before
    assert textgen.prepare(reviews / "train", data, **given, validation_percent=0, window=4) == manifest


def test_training_loses_the_reviews_that_the_test_has_too(reviews: Path, tmp_path: Path) -> None:
    settings = {"validation_percent": 0, "window": 4, "held_out_duplicates": "drop"}
    manifest = textgen.prepare(reviews / "train", tmp_path / "data", test_input=reviews / "test", **settings)
    counts = {split: counts.documents for split, counts in manifest.total.splits.items()}
    assert counts == {"train": 16, "validation": 0, "test": 17}
    assert (manifest.total.dropped, manifest.total.shared) == ({"held-out duplicate": 2}, {})


def test_an_estimate_counts_the_documents_of_all_splits(reviews: Path) -> None:
    config = textgen.PrepareConfig(text=textgen.TextConfig(), test_percent=0)
    assert estimate([f"{reviews}/train"], config, test_input=[f"{reviews}/test"]).documents == 35


def test_posts_have_the_split_of_their_field_and_threads_stay_together(tmp_path: Path) -> None:
    """Rows of 20 Newsgroups' shape: a field of the split, and a thread; some of training is held out by thread."""
    # Every text has all numbers of threads, so that none is unknown.
    numbers = " ".join(map(str, range(12)))
    rows = [
        {"text": f"{numbers} post {i} thread {i % 12}", "subset": "test" if i % 4 == 3 else "train", "thread": i % 12}
        for i in range(96)
    ]
    rows.append({"text": "neither", "subset": "unlabelled", "thread": 1})
    (tmp_path / "posts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    settings = {"split_field": "subset", "group_field": "thread", "validation_percent": 30, "window": 4}
    manifest = textgen.prepare(tmp_path / "posts.jsonl", tmp_path / "data", **settings)
    assert manifest.total.dropped == {"unknown split": 1}
    assert manifest.total.splits["test"].documents == 24
    # Every post of training has the digits of its thread as its last word.
    threads = {}
    for split in ("train", "validation"):
        words = targets(tmp_path / "data", split)
        threads[split] = {word for word, end in zip(words, words[1:], strict=False) if end == "[EOS]"}
        assert manifest.total.splits[split].documents == 8 * len(threads[split])
    assert threads["train"] and threads["validation"]
    assert not threads["train"] & threads["validation"]


def test_a_split_without_documents_is_an_error(tmp_path: Path) -> None:
    for name, text in (("train", "some words"), ("test", " \n")):
        (tmp_path / f"{name}.txt").write_text(text)
    with pytest.raises(
        UserError, match=r"the test split would be empty: no document of --test-input is left\. Check"
    ):
        textgen.prepare(
            tmp_path / "train.txt", tmp_path / "data", test_input=tmp_path / "test.txt", validation_percent=0
        )
    assert not (tmp_path / "data" / "manifest.json").exists()
