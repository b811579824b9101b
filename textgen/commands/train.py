"""A dataset → a trained model, with samples of its text as it learns."""

import argparse
import dataclasses
import itertools
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textgen.config import ModelConfig, TrainConfig
from textgen.errors import UserError, require
from textgen.presets import PRESETS

if TYPE_CHECKING:
    import keras

    from textgen.runs import RunConfig
    from textgen.training.report import MakeSampler, Sampler

_MODEL = {
    "network": "bilstm (window → next token) or lstm (forwards alone, a target at every place)",
    "embedding": "width of a token's embedding",
    "layers": "LSTM layers",
    "units": "units a direction and layer, or one number a layer with commas between",
    "merge": "concat, sum, ave or mul: of a layer's two directions",
    "pooling": "last states of the window, or attention over it",
    "dropout": "after each layer",
    "tied": "scores from the embedding's table",
}
_TRAIN = {
    "batch_size": "pairs a step, over all replicas; rows of pairs for an lstm",
    "epochs": "times that all pairs are seen, at the most",
    "optimizer": "adam, adamw, rmsprop or sgd",
    "learning_rate": "step size, the highest",
    "schedule": "constant, cosine or plateau",
    "warmup_steps": "steps in which the learning rate rises",
    "decay_steps": "the last step of cosine; 0: the run's last",
    "plateau_patience": "checks without a better loss before plateau halves the rate",
    "weight_decay": "of all weights but biases",
    "momentum": "of sgd",
    "clip_norm": "bound on the gradient's global norm; 0: none",
    "label_smoothing": "share of each target that is spread over all tokens",
    "micro_batches": "parts that a batch is trained in at the least, one after another, to save memory",
    "precision": "float32, or bfloat16 with weights and loss in float32",
    "softmax": "full, sampled, or auto: sampled for more than 50,000 tokens",
    "sampled_tokens": "tokens that a sampled softmax draws",
    "stateful": "an lstm goes on from the state of the batch before",
    "patience": "checks without a better loss before it stops",
    "validate_every": "steps between checks; 0: an epoch",
    "checkpoint_minutes": "the most minutes of work that a kill can cost",
    "keep_checkpoints": "last checkpoints kept",
    "seed": "of the weights, the order and the samples",
    "sample_prompt": "what the samples go on from",
    "sample_temperature": "0: the likeliest token",
    "sample_tokens": "tokens a sample",
}
_WINDOW = {"window": "tokens of context, chosen when reading spans (default: the data's)"}
_CHANGEABLE = {
    "epochs", "patience", "validate_every", "learning_rate", "schedule", "warmup_steps", "decay_steps",
    "plateau_patience", "clip_norm", "micro_batches", "checkpoint_minutes", "keep_checkpoints",
}  # fmt: skip
"""What a resumed run may change: how long it goes on, and how fast."""

_BATCHES_LOOKED_AT = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options; each setting's default stands in its config."""
    parser.add_argument(
        "--data", required=True, action="append", metavar="DIR[:WEIGHT]",
        help="a dataset: a folder or a URL; given again, batches mix datasets by their weights (default: 1)",
    )  # fmt: skip
    parser.add_argument("--output", metavar="RUN", help="a new local folder, or with --resume a run")
    parser.add_argument(
        "--preset", choices=[name for name in PRESETS if "train" in PRESETS[name]], help="the settings of a notebook"
    )
    parser.add_argument("--resume", action="store_true", help="go on from the run's last checkpoint")
    parser.add_argument("--max-minutes", type=float, default=math.inf, metavar="M", help="stop after this time")
    parser.add_argument("--window", type=int, metavar="W", help=_WINDOW["window"])
    parser.add_argument(
        "--strategy", default="auto",
        help="one, mirrored (this machine's GPUs) or multiworker (TF_CONFIG or Slurm); default: as it finds them",
    )  # fmt: skip
    parser.add_argument("--cache", type=Path, metavar="DIR", help="keep blocks of remote shards here")
    parser.add_argument("--cache-gb", type=float, default=10.0, metavar="GB", help="as much of them (default: 10)")
    parser.add_argument(
        "--check-cudnn", action="store_true", help="train nothing; say whether all LSTMs run in cuDNN on a GPU"
    )
    for kind, helps in ((ModelConfig, _MODEL), (TrainConfig, _TRAIN)):
        for field in dataclasses.fields(kind):
            _add_setting(parser, field, helps[field.name])


def _add_setting(parser: argparse.ArgumentParser, field: "dataclasses.Field[Any]", told: str) -> None:
    option, default = f"--{field.name.replace('_', '-')}", field.default
    if isinstance(default, bool):
        parser.add_argument(option, action=argparse.BooleanOptionalAction, default=None, help=told)
    elif isinstance(default, tuple):
        shown = f"{told} (default: {_shown(default)})"
        parser.add_argument(option, type=_numbers, metavar="N[,N...]", help=shown)
    else:
        parser.add_argument(option, type=type(default), help=f"{told} (default: {default!r})")


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(word) for word in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} must be whole numbers with commas between, as 256,128") from None


def _shown(value: Any) -> str:
    """A setting as it is written on the command line."""
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def run(arguments: argparse.Namespace) -> int:
    """Trains, or with --check-cudnn looks at what would be trained."""
    from textgen.block_cache import BlockCache
    from textgen.runs import run_folder
    from textgen.training.trainer import train

    require(arguments.max_minutes > 0, f"max minutes is {arguments.max_minutes:g}; it must be above 0.")
    require(
        arguments.output is not None or (arguments.check_cudnn and not arguments.resume),
        "no folder is named for the run. Add --output RUN.",
    )
    arguments.output = arguments.output and run_folder(arguments.output)
    config = _resumed_config(arguments) if arguments.resume else _new_config(arguments)
    data = _weights(arguments.data)
    if arguments.check_cudnn:
        return _check_cudnn(config, data)
    train(
        data,
        arguments.output,
        config,
        make_sampler=make_sampler(arguments.output),
        resume=arguments.resume,
        max_minutes=arguments.max_minutes,
        strategy=arguments.strategy,
        cache=BlockCache(arguments.cache, int(arguments.cache_gb * 1e9)) if arguments.cache else None,
    )
    print(f"{arguments.output}: run.json, history.csv, curves.png, samples.jsonl, tensorboard/, best/, last/")
    return 0


def _check_cudnn(config: "RunConfig", data: dict[str, float]) -> int:
    """Whether a network and the first batches that it would read are ones that cuDNN takes."""
    from textgen.model import cudnn
    from textgen.training.data import TrainingData
    from textgen.training.strategy import make_replicas

    windows = itertools.islice(TrainingData(data, config, make_replicas("one")).training(0), _BATCHES_LOOKED_AT)
    found = cudnn.obstacles(config.build()) + [fault for x, *_ in windows for fault in cudnn.faults(x.numpy())]
    for obstacle in dict.fromkeys(found):
        print(obstacle)
    if not found:
        print(f"every LSTM runs in cuDNN on a GPU; the masks of {_BATCHES_LOOKED_AT} batches are padded on the right")
    return 1 if found else 0


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
    from textgen.training.setup import config_for

    preset = PRESETS[arguments.preset]["train"] if arguments.preset else {}

    def settings(names: dict[str, str]) -> dict[str, Any]:
        return {
            **{name: value for name, value in preset.items() if name in names},
            **_given(arguments, names),
        }

    model, train = ModelConfig(**settings(_MODEL)), TrainConfig(**settings(_TRAIN))
    manifest = read_manifest(next(iter(_weights(arguments.data))))
    return config_for(manifest, window=arguments.window, model=model, train=train)


def _resumed_config(arguments: argparse.Namespace) -> "RunConfig":
    """The run's own settings; how long it goes on may change, what it is may not."""
    from textgen.runs import load

    config = load(arguments.output)
    given = {**_given(arguments, _MODEL), **_given(arguments, _TRAIN), **_given(arguments, _WINDOW)}
    owners = {**dict.fromkeys(_MODEL, config.model), **dict.fromkeys(_TRAIN, config.train), "window": config}
    for name, value in given.items():
        was = getattr(owners[name], name)
        if value != was and name not in _CHANGEABLE:
            raise UserError(
                f"--{name.replace('_', '-')} is {_shown(value)} and the run's is {_shown(was)}; a resumed run keeps "
                "its own. Leave the option out, or start another run."
            )
    train = dataclasses.replace(config.train, **{name: given[name] for name in _CHANGEABLE & set(given)})
    return dataclasses.replace(config, train=train)
