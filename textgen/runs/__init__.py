"""The folder of a run: everything except the data that generation and evaluation need.

`run.json` holds the settings, `vocabulary.jsonl` the vocabulary, `best/` and `last/` the checkpoints.
"""

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import tensorflow as tf

from textgen.config import EOS, MAX_WINDOW, ModelConfig, TextConfig, TrainConfig, from_json, to_json
from textgen.config.schema import Anything, Flag, MapOf, Record, SchemaError, Text, Whole, shown
from textgen.config.strict_json import parse_json
from textgen.console import printable, say
from textgen.errors import UserError, require
from textgen.files import local_path, read_head, write_atomically
from textgen.model import networks
from textgen.model.flops import matrix_weights
from textgen.model.language_model import LanguageModel
from textgen.runs.checkpoint_files import CheckpointError, checkpoints_in, read, require_own_folder, shapes

FILE_NAME = "run.json"
BEST, LAST = "best", "last"

_MAX_PER_WEIGHT, _MAX_OTHERS = 8, 1 << 28
"""Bound of the numbers in a checkpoint: those of the optimizer per weight, and the states of stateful rows."""

VERSION = 2
"""Version of `run.json` and of the checkpoints beside it; version 1 was written without a number."""

_MAX_BYTES = 1 << 20
"""Bound of the size of `run.json`, which has about 3 kB."""


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


_SETTINGS = MapOf(Text(), Anything())
"""Settings by name, each of which `from_json` checks."""

_SCHEMA = Record(
    {
        "text": _SETTINGS,
        "model": _SETTINGS,
        "train": _SETTINGS,
        "window": Whole(1, MAX_WINDOW),
        "vocabulary_size": Whole(EOS + 2, 1 << 31),
        "tokens_sha256": Text(max_length=64, pattern="[0-9a-f]*"),
        "boundaries": Flag(),
    }
)
"""Schema of `run.json` without its version."""


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
        values = dict(parse_json(read_head(str(path), _MAX_BYTES + 1), _SETTINGS, max_bytes=_MAX_BYTES))
        version = values.pop("version", 1 if "text" in values else None)
        require(
            version is None or (type(version) is int and version == VERSION),
            f"it has version {shown(version)} of a run's folder; this version of textgen reads version {VERSION}. "
            "Train again in another folder, or use the version of textgen that wrote it.",
        )
        return from_json(RunConfig, _SCHEMA.check(values, ""))
    except UserError as error:
        # The file is intact, but its settings are invalid or from another version.
        raise UserError(f"{path}: {error}") from None
    except (SchemaError, TypeError) as error:
        raise UserError(f"{path} is damaged: {error}. Train again in another folder.") from None


def load_model(directory: Path, config: RunConfig) -> LanguageModel:
    """Returns the network with the weights of the checkpoint in `best`, which has the lowest monitored loss.

    If a process was killed while it replaced one checkpoint in `best` by the next, both are there; the earlier one is
    used only if the later one is damaged.

    Args:
        directory: folder of the run.
        config: settings of the run.

    Raises:
        UserError: the run has no checkpoint, or a damaged one.
        OSError: a checkpoint can't be read.
    """
    require_own_folder(directory / BEST)
    damages = []
    for path in checkpoints_in(directory / BEST):
        try:
            model = _read_model(path, config)
        except CheckpointError as error:
            damages.append(f"{path} is damaged: {error}")
        else:
            for damage in damages:
                say(f"warning: {printable(damage)}. The best weights before it are used.")
            return model
    if damages:
        raise UserError(f"{damages[0]}. Continue training with --resume, or train again.")
    raise UserError(
        f"{directory} has no checkpoint yet. Continue with `textgen train --resume --output {directory}`, "
        "or with resume=True in Python."
    )


def require_checkpoint(directory: Path, config: RunConfig) -> None:
    """Checks that a run has a checkpoint to resume from, before its network takes memory.

    Args:
        directory: folder of the run.
        config: settings of the run.

    Raises:
        UserError: the run has none, or none that fits its settings.
        OSError: a checkpoint can't be read.
    """
    require_own_folder(directory / LAST)
    damages = []
    for path in checkpoints_in(directory / LAST):
        try:
            _require_room(config, shapes(path))
        except CheckpointError as error:
            damages.append(f": {path} is damaged: {error}")
        else:
            return
    raise UserError(
        f"{directory} has no checkpoint to resume from{''.join(damages[:1])}. Train without --resume, or resume=True "
        "in Python, in another folder."
    )


def _read_model(path: Path, config: RunConfig) -> LanguageModel:
    _require_room(config, shapes(path))
    model = config.build()
    read(path, tf.train.Checkpoint(model=model), partially=True)
    for weight in model.weights:
        if weight.dtype.startswith("float") and not tf.reduce_all(tf.math.is_finite(weight.value)):
            raise CheckpointError(f"its weights {weight.path} are not all finite")
    return model


def _require_room(config: RunConfig, found: Mapping[str, Sequence[int]]) -> None:
    """Checks that a checkpoint has the size of the network of a run, before either takes memory.

    Args:
        config: settings of the run.
        found: shape of each variable of the checkpoint, by name.

    Raises:
        CheckpointError: the network has more weights than the checkpoint has numbers, or far fewer.
    """
    needed = matrix_weights(config.model, vocabulary_size=config.vocabulary_size)
    numbers = sum(math.prod(shape) for shape in found.values())
    if needed > numbers:
        raise CheckpointError(
            f"it has {numbers:,} numbers, and the network of {FILE_NAME} has {needed:,} weights; it must have at "
            "least as many"
        )
    if numbers > _MAX_PER_WEIGHT * needed + _MAX_OTHERS:
        raise CheckpointError(
            f"it has {numbers:,} numbers, more than the network of {FILE_NAME} with its optimizer; it must have at "
            f"most {_MAX_PER_WEIGHT * needed + _MAX_OTHERS:,}"
        )
