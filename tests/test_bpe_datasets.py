"""Datasets of the tokenizer bpe as a user has them: learned or given, checked, repaired, and loaded elsewhere."""

import json
from pathlib import Path

import pytest
import tensorflow as tf
from tokenizers import Tokenizer

import textgen
from textgen.config import EOS
from textgen.dataset import read_pairs
from textgen.errors import UserError
from textgen.text import preprocessor, vocabulary

TEXTS = [
    "It's the whale, the white whale!\n\n  The sea\tand the whale\u2019s   sea.\n",
    "  e\u0301té \u00a0[BOS] \x00\x1b[1m 日本語の文 👩\u200d🚀 soft\u00adhyphen\r\nthe whale",
    "the sea the sea",
]
SPLITS = {"validation_percent": 0, "test_percent": 0}


def write_corpus(folder: Path) -> str:
    """Writes a file per text; returns the folder."""
    folder.mkdir()
    for i, text in enumerate(TEXTS):
        (folder / f"{i}.txt").write_bytes(text.encode())
    return str(folder)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset whose text is not changed at all."""
    folder = tmp_path_factory.mktemp("bpe")
    textgen.prepare(
        write_corpus(folder / "corpus"),
        folder / "data",
        tokenizer="bpe",
        normalization="none",
        vocabulary_size=300,
        window=8,
        layout="spans",
        **SPLITS,
    )
    return folder / "data"


def documents(folder: Path) -> list[list[int]]:
    """The ids of each document."""
    found: list[list[int]] = [[]]
    for _, y in read_pairs(folder, batch_size=64):
        for number in y.numpy().tolist():
            if number == EOS:
                found.append([])
            else:
                found[-1].append(number)
    return found[:-1]


def test_the_ids_decode_to_every_byte_of_the_corpus(data: Path) -> None:
    loaded = preprocessor.load(data, textgen.read_manifest(data).text)
    decoded = loaded.decode(tf.ragged.constant(documents(data), tf.int32, ragged_rank=1))
    assert decoded.numpy().tolist() == [text.encode() for text in TEXTS]


def test_no_token_is_unknown_and_the_counts_are_those_of_the_ids(data: Path) -> None:
    learned = vocabulary.load(data)
    ids = [number for row in documents(data) for number in row]
    assert list(learned.counts) == [ids.count(number) for number in range(4, learned.size)]
    assert textgen.read_manifest(data).total.splits["train"].unknown == 0


def test_hugging_face_loads_the_tokenizer_of_the_dataset_with_the_same_ids(data: Path) -> None:
    loaded = Tokenizer.from_file(str(data / "tokenizer.json"))
    loaded.encode_special_tokens = True
    assert [loaded.encode(text).ids for text in TEXTS] == documents(data)
    assert [loaded.decode(ids) for ids in documents(data)] == TEXTS


def test_a_damaged_or_lost_tokenizer_is_found_and_made_again(data: Path) -> None:
    content = (data / "tokenizer.json").read_bytes()
    assert textgen.verify(data) == []
    for damage in (b"{}", None):
        (data / "tokenizer.json").unlink()
        if damage is not None:
            (data / "tokenizer.json").write_bytes(damage)
        assert [problem.file for problem in textgen.verify(data)] == ["tokenizer.json"]
        assert [problem.file for problem in textgen.repair(data, yes=True).made] == ["tokenizer.json"]
        assert (data / "tokenizer.json").read_bytes() == content
    assert textgen.verify(data) == []


@pytest.mark.parametrize("option", ["tokenizer_model", "vocabulary"])
def test_the_tokens_of_a_dataset_give_the_same_ids_in_another(data: Path, tmp_path: Path, option: str) -> None:
    given = {"tokenizer_model": data / "tokenizer.json", "vocabulary": data / "vocabulary.jsonl"}[option]
    manifest = textgen.prepare(
        write_corpus(tmp_path / "corpus"),
        tmp_path / "data",
        tokenizer="bpe",
        normalization="none",
        window=8,
        **{option: given},
        **SPLITS,
    )
    assert documents(tmp_path / "data") == documents(data)
    assert manifest.tokens_sha256 == textgen.read_manifest(data).tokens_sha256
    assert manifest.warnings == []
    for name in ("tokenizer.json", "vocabulary.jsonl"):
        assert (tmp_path / "data" / name).read_bytes() == (data / name).read_bytes()


def test_a_text_that_gives_fewer_tokens_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    textgen.prepare(write_corpus(tmp_path / "corpus"), tmp_path / "data", tokenizer="bpe", **SPLITS)
    found = len(vocabulary.load(tmp_path / "data").tokens)
    told = capsys.readouterr().err
    assert f"gives {found:,} tokens, fewer than the vocabulary size of 8,000; no other pair of tokens" in told


def test_a_prompt_that_was_never_seen_is_continued(data: Path, tmp_path: Path) -> None:
    run = textgen.train(data, tmp_path / "run", network="lstm", units=4, embedding=4, epochs=1, batch_size=16)
    prompt = "Ünseen\x00 prompts\u2028 too"
    assert run.generate(prompt, tokens=5).startswith(prompt)
    assert run.next_token(prompt, top=1)[0].token in run.preprocessor.vocabulary.texts
    assert (tmp_path / "run" / "tokenizer.json").read_bytes() == (data / "tokenizer.json").read_bytes()
    evaluated = run.evaluate(data, "all")
    assert evaluated.bits_per_character > 0


def test_another_tokenizer_json_is_refused_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text(json.dumps({"model": {"type": "WordPiece"}}))
    with pytest.raises(UserError, match=r"is not a tokenizer\.json|must be"):
        textgen.prepare(
            write_corpus(tmp_path / "corpus"),
            tmp_path / "data",
            tokenizer="bpe",
            tokenizer_model=tmp_path / "tokenizer.json",
        )
    assert not (tmp_path / "data").exists()
