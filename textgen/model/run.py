"""The folder of a trained model: all that writing text or measuring needs, without the dataset.

`run.json` holds the settings, `vocabulary.jsonl` the words, `best/` and `last/` the checkpoints.
"""

import dataclasses
import json
from pathlib import Path

import keras
import tensorflow as tf

from textgen.config import ModelConfig, TextConfig, TrainConfig, from_json, to_json
from textgen.errors import UserError
from textgen.model import networks

FILE_NAME = "run.json"
BEST, LAST = "best", "last"


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunConfig:
    """What a run is.

    Attributes:
        text: how prompts become tokens.
        model: the network.
        train: how it is trained.
        window: W.
        vocabulary_size: ids, the four reserved ones included.
        tokens_sha256: the vocabulary that the ids are of.
        boundaries: whether documents begin with [BOS].
    """

    text: TextConfig
    model: ModelConfig
    train: TrainConfig
    window: int
    vocabulary_size: int
    tokens_sha256: str
    boundaries: bool

    def build(self) -> keras.Model:
        """The network, untrained."""
        return networks.build(self.model, vocabulary_size=self.vocabulary_size, window=self.window)


def save(config: RunConfig, directory: Path) -> None:
    """Writes the settings of a run."""
    temporary = directory / f"{FILE_NAME}.tmp"
    temporary.write_text(json.dumps(to_json(config), indent=1) + "\n", encoding="utf-8")
    temporary.replace(directory / FILE_NAME)


def load(directory: Path) -> RunConfig:
    """The settings of a run.

    Raises:
        UserError: the folder is no run.
    """
    path = directory / FILE_NAME
    if not path.is_file():
        what = f"is not a run: it has no {FILE_NAME}" if directory.exists() else "is not there"
        raise UserError(f"{directory} {what}. Make one with `textgen train --output {directory}`.")
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        for name, kind in (("text", TextConfig), ("model", ModelConfig), ("train", TrainConfig)):
            values[name] = from_json(kind, values[name])
        return from_json(RunConfig, values)
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is damaged: {error}. Train again, into another folder.") from None


def load_model(directory: Path, config: RunConfig) -> keras.Model:
    """The network with the weights of the lowest validation loss.

    Raises:
        UserError: the run has no checkpoint yet.
    """
    checkpoint = tf.train.latest_checkpoint(directory / BEST)
    if checkpoint is None:
        raise UserError(
            f"{directory} has no checkpoint yet. Go on with `textgen train --resume --output {directory}`."
        )
    model = config.build()
    tf.train.Checkpoint(model=model).restore(checkpoint).expect_partial()
    return model
