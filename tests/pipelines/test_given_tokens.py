import hashlib
import json
from pathlib import Path

import pytest

from pipelines.given_tokens import GivenTokens, read_given_tokens
from textgen.config import TEXT_DEFAULTS, PrepareConfig, TextConfig
from textgen.errors import UserError
from textgen.text.tokenizers.byte_alphabet import ALPHABET
from textgen.text.tokenizers.tokenizer_json import write_json
from textgen.text.vocabulary import Vocabulary

TOKENS = (*ALPHABET, "he", "the", "Ġthe")
BPE = TextConfig(tokenizer="bpe", **TEXT_DEFAULTS["bpe"])


def read(folder: Path, content: bytes, name: str, config: TextConfig = BPE) -> GivenTokens:
    """What is read of one file, a vocabulary or a model by its ending."""
    path = str(folder / name)
    Path(path).write_bytes(content)
    is_model = name == "tokenizer.json"
    return read_given_tokens(
        config, vocabulary=None if is_model else path, tokenizer_model=path if is_model else None
    )


def test_nothing_given_is_nothing_recorded() -> None:
    given = read_given_tokens(BPE, vocabulary=None, tokenizer_model=None)
    assert given == GivenTokens(None, b"")
    assert given.recorded_in(PrepareConfig(text=BPE)) == PrepareConfig(text=BPE)


def test_a_vocabulary_and_a_model_are_recorded_by_their_sha256() -> None:
    vocabulary = Vocabulary(("a",), (0,))
    recorded = GivenTokens(vocabulary, b"model").recorded_in(PrepareConfig(text=BPE))
    assert recorded.given_vocabulary == vocabulary.fingerprint()
    assert recorded.text.tokenizer_model == hashlib.sha256(b"model").hexdigest()


def test_the_tokenizer_json_of_bpe_gives_the_vocabulary(tmp_path: Path) -> None:
    given = read(tmp_path, write_json(TOKENS), "tokenizer.json")
    assert given == GivenTokens(Vocabulary(TOKENS, (0,) * len(TOKENS)), b"")


def test_the_vocabulary_of_a_dataset_of_bpe_gives_the_same(tmp_path: Path) -> None:
    content = Vocabulary(TOKENS, (1,) * len(TOKENS)).to_bytes()
    assert read(tmp_path, content, "vocabulary.jsonl").vocabulary == Vocabulary(TOKENS, (1,) * len(TOKENS))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("tokenizer.json", b"{}", r"the tokenizer model is not a tokenizer\.json of a BPE model"),
        ("vocabulary.txt", "\n".join(ALPHABET[1:]).encode(), r"lacks 1 of the 256 bytes, such as '!'"),
        ("vocabulary.txt", "\n".join((*ALPHABET, "the")).encode(), r"has the token 'the', of which .*must be two"),
        ("vocabulary.jsonl", json.dumps(["the sea", 3]).encode(), r"'the sea'\], which is no token of the bpe"),
    ],
)
def test_tokens_that_can_not_be_merged_are_refused(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read(tmp_path, content, name)


def test_a_vocabulary_and_a_tokenizer_json_do_not_go_together(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_bytes(write_json(TOKENS))
    path = str(tmp_path / "tokenizer.json")
    with pytest.raises(UserError, match=r"both give the tokens of the bpe tokenizer\. Leave one of them out\."):
        read_given_tokens(BPE, vocabulary=path, tokenizer_model=path)
