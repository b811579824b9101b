"""The folder of a run: everything except the data that generation and evaluation need.

`run.json` holds the settings, `vocabulary.jsonl` the vocabulary, `best/` and `last/` the checkpoints.
"""

import dataclasses
import json
import re
from pathlib import Path

import tensorflow as tf

from textgen.config import ModelConfig, TextConfig, TrainConfig, from_json, to_json
from textgen.errors import UserError, require
from textgen.files import local_path, write_atomically
from textgen.model import networks
from textgen.model.language_model import LanguageModel

FILE_NAME = "run.json"
BEST, LAST = "best", "last"

VERSION = 2
"""Version of `run.json` and of the checkpoints beside it; version 1 was written without a number."""

DAMAGES = (tf.errors.OpError, ValueError, IndexError, AssertionError)
"""Errors that TensorFlow raises for a damaged checkpoint."""

_CHECKPOINT = re.compile(r"ckpt-(\d+)\.index")


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Settings of a run.

    Attributes:
        text: settings of cleaning and tokenization.
        model: settings of the network.
        train: settings of training.
        window: W, number of tokens of context.
        vocabulary_size: number of ids, including the four reserved ones.
        tokens_sha256: fingerprint of the vocabulary.
        boundaries: whether documents begin with [BOS] and end with [EOS].

    Raises:
        UserError: stateful training is set with a network or with training settings that do not support it.
    """

    text: TextConfig
    model: ModelConfig
    train: TrainConfig
    window: int
    vocabulary_size: int
    tokens_sha256: str
    boundaries: bool

    def __post_init__(self) -> None:
        if self.train.stateful:
            require(
                self.model.causal,
                f"the network is {self.model.network}, which is not causal; --stateful needs a causal network. "
                "Leave --stateful out, or use --network lstm.",
            )
            require(
                self.train.micro_batches == 1 and self.train.softmax != "sampled",
                f"--micro-batches is {self.train.micro_batches} and --softmax is {self.train.softmax}; --stateful "
                "needs one micro-batch and the full softmax. Leave --stateful out, or --micro-batches and --softmax.",
            )

    def build(self) -> LanguageModel:
        """Returns the untrained network."""
        return networks.build(
            self.model, vocabulary_size=self.vocabulary_size, window=self.window, precision=self.train.precision
        )


def run_folder(directory: str | Path) -> Path:
    """Returns the local folder of a run; TensorFlow's checkpoints and event files can't be written to URLs.

    Raises:
        UserError: the directory is a URL.
    """
    return local_path(directory, what="a run")


def save(config: RunConfig, directory: Path) -> None:
    """Writes the settings of a run and the version of its folder to `run.json`.

    Raises:
        OSError: the file can't be written.
    """
    values = {"version": VERSION, **to_json(config)}
    write_atomically(directory / FILE_NAME, f"{json.dumps(values, indent=1)}\n".encode())


def load(directory: Path) -> RunConfig:
    """Returns the settings of a run.

    Raises:
        UserError: the folder is not a run, is damaged, or was written by another version.
        OSError: the settings can't be read.
    """
    path = directory / FILE_NAME
    if not path.is_file():
        what = f"is not a run: it has no {FILE_NAME}" if directory.exists() else "is not there"
        raise UserError(f"{directory} {what}. Make one with `textgen train --output {directory}`.")
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        version = values.pop("version", 1 if "text" in values else None) if isinstance(values, dict) else None
        require(
            version in (VERSION, None),
            f"it has version {version} of a run's folder; this version of textgen reads version {VERSION}. "
            "Train again in another folder, or use the version of textgen that wrote it.",
        )
        return from_json(RunConfig, values)
    except UserError as error:
        # The file is intact, but its settings are invalid or from another version.
        raise UserError(f"{path}: {error}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is damaged: {error}. Train again in another folder.") from None


def load_model(directory: Path, config: RunConfig) -> LanguageModel:
    """Returns the network with the weights of the checkpoint in `best`, which has the lowest monitored loss.

    Args:
        directory: folder of the run.
        config: settings of the run.

    Raises:
        UserError: the run has no checkpoint, or a damaged one.
    """
    checkpoints = checkpoints_in(directory / BEST)
    if not checkpoints:
        raise UserError(
            f"{directory} has no checkpoint yet. Continue with `textgen train --resume --output {directory}`, "
            "or with resume=True in Python."
        )
    model = config.build()
    try:
        tf.train.Checkpoint(model=model).read(str(checkpoints[0])).expect_partial().assert_existing_objects_matched()
    except DAMAGES as error:
        reason = str(error).strip().split("\n")[0]
        raise UserError(
            f"{checkpoints[0]} is damaged: {reason}. Continue training with --resume, or train again."
        ) from None
    return model


def checkpoints_in(folder: Path) -> list[Path]:
    """Returns the paths of a folder's checkpoints, without suffix, by descending step.

    They are found by their index files, since TensorFlow's own list of checkpoints may be damaged.
    """
    found = [(int(name[1]), path) for path in folder.glob("*.index") if (name := _CHECKPOINT.fullmatch(path.name))]
    return [path.with_suffix("") for _, path in sorted(found, reverse=True)]
