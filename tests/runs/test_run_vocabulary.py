import dataclasses
from pathlib import Path

import pytest

from textgen.config import ModelConfig, TextConfig, TrainConfig
from textgen.errors import UserError
from textgen.runs import RunConfig
from textgen.runs.run_vocabulary import load_preprocessor, load_vocabulary
from textgen.text.vocabulary import Vocabulary

WORDS = Vocabulary(("the", "sea", "a"), (3, 2, 1))
CONFIG = RunConfig(
    text=TextConfig(),
    model=ModelConfig(),
    train=TrainConfig(),
    window=5,
    vocabulary_size=WORDS.size,
    tokens_sha256=WORDS.tokens_fingerprint(),
    boundaries=True,
)


def _written(folder: Path, tokens: tuple[str, ...]) -> Path:
    vocabulary = Vocabulary(tokens, tuple(range(len(tokens), 0, -1)))
    (folder / "vocabulary.jsonl").write_bytes(vocabulary.to_bytes())
    return folder


def test_the_vocabulary_of_the_training_is_loaded(tmp_path: Path):
    folder = _written(tmp_path, WORDS.tokens)
    assert load_vocabulary(folder, CONFIG) == WORDS
    assert load_preprocessor(folder, CONFIG).vocabulary == WORDS


def test_other_counts_are_no_other_vocabulary(tmp_path: Path):
    (tmp_path / "vocabulary.jsonl").write_bytes(WORDS._replace(counts=(9, 9, 9)).to_bytes())
    assert load_vocabulary(tmp_path, CONFIG).tokens == WORDS.tokens


@pytest.mark.parametrize("load", [load_vocabulary, load_preprocessor])
@pytest.mark.parametrize("tokens", [("sea", "the", "a"), ("the", "sea", "A"), ("the\x1b", "sea", "a")])
def test_exchanged_tokens_are_an_error(tmp_path: Path, tokens: tuple[str, ...], load):
    message = r"vocabulary\.jsonl is not the vocabulary that the model was trained with: .*Copy the vocab"
    with pytest.raises(UserError, match=message):
        load(_written(tmp_path, tokens), CONFIG)


@pytest.mark.parametrize("tokens", [("the", "sea"), ("the", "sea", "a", "ship")])
def test_another_number_of_tokens_is_an_error(tmp_path: Path, tokens: tuple[str, ...]):
    with pytest.raises(UserError, match=r"its number of lines is \d; it must be 3\. .*Copy the vocabulary\.jsonl"):
        load_vocabulary(_written(tmp_path, tokens), CONFIG)


def test_settings_of_another_vocabulary_are_an_error(tmp_path: Path):
    other = dataclasses.replace(CONFIG, tokens_sha256="0" * 64)
    with pytest.raises(UserError, match=r"run\.json has 0000000000000000…"):
        load_vocabulary(_written(tmp_path, WORDS.tokens), other)
