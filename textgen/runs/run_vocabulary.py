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
    remedy = f"Copy the {VOCABULARY_FILE} of the dataset there."
    found = vocabulary.load(directory, size=config.vocabulary_size, remedy=remedy)
    theirs, ours = found.tokens_fingerprint(), config.tokens_sha256
    require(
        theirs == ours,
        f"{directory / VOCABULARY_FILE} is not the vocabulary that the model was trained with: its tokens have the "
        f"SHA-256 {theirs[:16]}…, and {FILE_NAME} has {ours[:16]}…; the model would read and write wrong tokens. "
        f"{remedy}",
    )
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
    return preprocessor.load(directory, config.text, load_vocabulary(directory, config))
