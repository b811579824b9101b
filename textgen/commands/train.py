"""A dataset → a trained model, with samples of its text as it learns."""

import argparse
import dataclasses
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textgen.config import ModelConfig, TrainConfig
from textgen.errors import UserError, require
from textgen.presets import PRESETS

if TYPE_CHECKING:
    import keras

    from textgen.model.run import RunConfig
    from textgen.training.loop import MakeSampler, Sampler

_MODEL = {
    "embedding": "width of a token's embedding",
    "layers": "bidirectional LSTM layers",
    "units": "units a direction and layer",
    "dropout": "after each layer",
}
_TRAIN = {
    "batch_size": "pairs a step, over all replicas",
    "epochs": "times that all pairs are seen, at the most",
    "optimizer": "adam, rmsprop or sgd",
    "learning_rate": "step size",
    "clip_norm": "bound on the gradient's global norm; 0: none",
    "patience": "checks without a better loss before it stops",
    "validate_every": "steps between checks; 0: an epoch",
    "keep_checkpoints": "last checkpoints kept",
    "seed": "of the weights, the order and the samples",
    "sample_prompt": "what the samples go on from",
    "sample_temperature": "0: the likeliest token",
    "sample_tokens": "tokens a sample",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options; each setting's default stands in its config."""
    parser.add_argument(
        "--data", required=True, action="append", metavar="DIR[:WEIGHT]",
        help="a dataset: a folder or a URL; given again, batches mix datasets by their weights (default: 1)",
    )  # fmt: skip
    parser.add_argument(
        "--output", type=Path, required=True, metavar="RUN", help="a new folder, or with --resume a run"
    )
    parser.add_argument(
        "--preset", choices=[name for name in PRESETS if "train" in PRESETS[name]], help="the settings of a notebook"
    )
    parser.add_argument("--resume", action="store_true", help="go on from the run's last checkpoint")
    parser.add_argument("--max-minutes", type=float, default=math.inf, metavar="M", help="stop after this time")
    for kind, helps in ((ModelConfig, _MODEL), (TrainConfig, _TRAIN)):
        for field in dataclasses.fields(kind):
            parser.add_argument(
                f"--{field.name.replace('_', '-')}",
                type=type(field.default),
                help=f"{helps[field.name]} (default: {field.default!r})",
            )


def run(arguments: argparse.Namespace) -> None:
    """Trains."""
    from textgen.training.loop import train

    require(arguments.max_minutes > 0, f"max minutes is {arguments.max_minutes:g}; it must be above 0.")
    config = _resumed_config(arguments) if arguments.resume else _new_config(arguments)
    train(
        _weights(arguments.data),
        arguments.output,
        config,
        make_sampler=make_sampler(arguments.output),
        resume=arguments.resume,
        max_minutes=arguments.max_minutes,
    )
    print(f"{arguments.output}: run.json, history.csv, curves.png, samples.jsonl, best/, last/")


def make_sampler(output: Path) -> "MakeSampler":
    """What writes a sample with a model in training; the vocabulary is the run's."""

    def make(model: "keras.Model", config: "RunConfig") -> "Sampler":
        import tensorflow as tf

        from textgen.generation.generator import Generator
        from textgen.text import preprocessor

        generator = Generator(model, preprocessor.load(output, config.text), boundaries=config.boundaries)
        settings = config.train

        def sample() -> str:
            texts = generator.generate(
                tf.constant([settings.sample_prompt]),
                settings.sample_tokens,
                settings.sample_temperature,
                settings.seed,
                False,
            )
            return texts.numpy()[0].decode(errors="replace")

        return sample

    return make


def _weights(given: list[str]) -> dict[str, float]:
    """The datasets that --data names, and their weights."""
    weights: dict[str, float] = {}
    for word in given:
        weighted = None if Path(word).exists() else re.fullmatch(r"(.+):(\d+(?:\.\d+)?)", word)
        directory, weight = (weighted[1], float(weighted[2])) if weighted else (word, 1.0)
        require(directory not in weights, f"--data names {directory} twice. Give it one weight.")
        weights[directory] = weight
    return weights


def _given(arguments: argparse.Namespace, names: dict[str, str]) -> dict[str, Any]:
    return {name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None}


def _new_config(arguments: argparse.Namespace) -> "RunConfig":
    from textgen.dataset import read_manifest
    from textgen.training.loop import config_for

    preset = PRESETS[arguments.preset]["train"] if arguments.preset else {}

    def settings(names: dict[str, str]) -> dict[str, Any]:
        return {
            **{name: value for name, value in preset.items() if name in names},
            **_given(arguments, names),
        }

    model, train = ModelConfig(**settings(_MODEL)), TrainConfig(**settings(_TRAIN))
    return config_for(read_manifest(next(iter(_weights(arguments.data)))), model=model, train=train)


def _resumed_config(arguments: argparse.Namespace) -> "RunConfig":
    """The run's own settings; how long it goes on may change, what it is may not."""
    from textgen.model.run import load

    config = load(arguments.output)
    given = {**_given(arguments, _MODEL), **_given(arguments, _TRAIN)}
    changeable = {"epochs", "patience", "validate_every", "learning_rate", "clip_norm", "keep_checkpoints"}
    for name, value in given.items():
        was = getattr(config.model if name in _MODEL else config.train, name)
        if value != was and name not in changeable:
            raise UserError(
                f"--{name.replace('_', '-')} is {value} and the run's is {was}; a resumed run keeps its own. "
                "Leave the option out, or start another run."
            )
    train = dataclasses.replace(config.train, **{name: given[name] for name in changeable & set(given)})
    return dataclasses.replace(config, train=train)
