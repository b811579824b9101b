"""Reads the tokens that the user gives to a preparation: a vocabulary, or a tokenizer's model."""

import dataclasses
import hashlib
from pathlib import Path
from typing import NamedTuple

from textgen import files
from textgen.config import PrepareConfig, TextConfig
from textgen.errors import UserError, require
from textgen.text.tokenizers import Tokenizer, make_tokenizer
from textgen.text.tokenizers.tokenizer_json import read_json
from textgen.text.vocabulary import Vocabulary, parse_user_vocabulary


class GivenTokens(NamedTuple):
    """The tokens that the user gives: a vocabulary, a model, or neither.

    Attributes:
        vocabulary: the vocabulary to use; None if it is learned.
        model: content of the tokenizer's model file; empty for a tokenizer without one.
    """

    vocabulary: Vocabulary | None = None
    model: bytes = b""

    def recorded_in(self, config: PrepareConfig) -> PrepareConfig:
        """Returns settings with the SHA-256 of what was given."""
        if self.model:
            text = dataclasses.replace(config.text, tokenizer_model=hashlib.sha256(self.model).hexdigest())
            config = dataclasses.replace(config, text=text)
        if self.vocabulary:
            config = dataclasses.replace(config, given_vocabulary=self.vocabulary.fingerprint())
        return config


def read_given_tokens(config: TextConfig, *, vocabulary: str | None, tokenizer_model: str | None) -> GivenTokens:
    """Reads the files that the user names.

    Args:
        config: settings of the text.
        vocabulary: path or URL of a file of tokens to use; None to learn the vocabulary.
        tokenizer_model: path or URL of the tokenizer's model file; None for a tokenizer without one. For bpe it has
            the vocabulary.

    Raises:
        UserError: a file is missing or damaged, the vocabulary has a token that the tokenizer does not produce, or a
            model is given for a tokenizer without one or missing for one with one.
    """
    if config.tokenizer == "bpe" and tokenizer_model:
        require(
            vocabulary is None,
            "--vocabulary and --tokenizer-model both give the tokens of the bpe tokenizer. Leave one of them out.",
        )
        tokens = read_json(_content(tokenizer_model, "--tokenizer-model"))
        return GivenTokens(Vocabulary(tokens, (0,) * len(tokens)))
    model = b""
    if tokenizer_model or config.tokenizer == "sentencepiece":
        model = _tokenizer_model(tokenizer_model, config)
    tokenizer = make_tokenizer(config, model)
    return GivenTokens(_vocabulary(vocabulary, tokenizer, config) if vocabulary else None, model)


def _vocabulary(path: str, tokenizer: Tokenizer, config: TextConfig) -> Vocabulary:
    """Reads a vocabulary.

    Raises:
        UserError: it is missing or damaged, has a token that the tokenizer does not produce, or lacks one that the
            tokenizer needs.
    """
    given = parse_user_vocabulary(_content(path, "--vocabulary"), path).without(tokenizer.unknown_word)
    strange = [token for token in given.tokens if not tokenizer.is_token(token)]
    require(
        not strange,
        f"{path} holds {strange[:1]}, which is no token of the {config.tokenizer} tokenizer. "
        "Take it out, or choose another --tokenizer.",
    )
    if config.tokenizer == "bpe":
        # Fails before any work where bytes or merges are missing.
        tokenizer.encoder(given)
    return given


def _tokenizer_model(path: str | None, config: TextConfig) -> bytes:
    """Reads the tokenizer's model file.

    Raises:
        UserError: the tokenizer has no model, or the file is not given, missing or a folder.
    """
    require(
        config.tokenizer == "sentencepiece",
        f"--tokenizer-model is of sentencepiece and bpe, and the tokenizer is {config.tokenizer}. "
        "Say --tokenizer sentencepiece or bpe, or leave it out.",
    )
    if path is None:
        raise UserError("the sentencepiece tokenizer comes with a model. Name its file with --tokenizer-model.")
    return _content(path, "--tokenizer-model")


def _content(path: str, option: str) -> bytes:
    """Reads the file that an option names.

    Raises:
        UserError: the path is a folder or does not exist.
    """
    if not files.is_remote(path) and Path(path).is_dir():
        raise UserError(f"{path} is a folder. Name a file after {option}.")
    content = files.read_if_present(path)
    if content is None:
        raise UserError(f"there is no file {path}. Check the path after {option}.")
    return content
