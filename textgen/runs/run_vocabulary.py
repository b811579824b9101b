"""Loads the vocabulary of a run, and checks that it is the one with which the run was trained."""

from pathlib import Path

from textgen.config import VOCABULARY_FILE
from textgen.errors import require
from textgen.runs import FILE_NAME, RunConfig
from textgen.text import preprocessor, vocabulary
from textgen.text.preprocessor import Preprocessor
from textgen.text.vocabulary import Vocabulary


def load_vocabulary(directory: Path, config: RunConfig) -> Vocabulary:
    """Returns the vocabulary of a run.

    Args:
        directory: folder of the run.
        config: settings of the run.

    Raises:
        UserError: the folder has no vocabulary, a damaged one, or another than that of the training.
        OSError: the file can't be read.
    """
    found = vocabulary.load(directory)
    _require_trained_with(found, directory, config)
    return found


def load_preprocessor(directory: Path, config: RunConfig) -> Preprocessor:
    """Returns the preprocessor of a run.

    Args:
        directory: folder of the run.
        config: settings of the run.

    Raises:
        UserError: as by `load_vocabulary`, or the tokenizer's model is missing or another one.
        OSError: a file can't be read.
    """
    loaded = preprocessor.load(directory, config.text)
    _require_trained_with(loaded.vocabulary, directory, config)
    return loaded


def _require_trained_with(found: Vocabulary, directory: Path, config: RunConfig) -> None:
    path, remedy = directory / VOCABULARY_FILE, f"Copy the {VOCABULARY_FILE} of the dataset there."
    require(
        found.size == config.vocabulary_size,
        f"{path} has {found.size - len(found.tokens)} reserved and {len(found.tokens):,} other tokens, and "
        f"{FILE_NAME} has a vocabulary size of {config.vocabulary_size:,}; the model would read and write wrong "
        f"tokens. {remedy}",
    )
    theirs, ours = found.tokens_fingerprint(), config.tokens_sha256
    require(
        theirs == ours,
        f"{path} is not the vocabulary that the model was trained with: its tokens have the SHA-256 {theirs[:16]}…, "
        f"and {FILE_NAME} has {ours[:16]}…; the model would read and write wrong tokens. {remedy}",
    )
