"""Train a network on a dataset, with samples of the text that it writes as it learns."""

import argparse
import math
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from textgen.config import STAGES
from textgen.config.options import CommandParser, add_settings, add_sources, given
from textgen.config.settings_file import collect, train_configs
from textgen.errors import require

if TYPE_CHECKING:
    from textgen.runs import RunConfig


def add_arguments(parser: CommandParser) -> None:
    """Adds the options."""
    parser.usage = "textgen train --data DIR[:WEIGHT] [--data ...] --output RUN [options]"
    parser.add_argument(
        "--data", required=True, action="append", metavar="DIR[:WEIGHT]",
        help="dataset, a folder or a URL; repeat the option to mix datasets in proportion to their weights "
        "(default weight: 1)",
    )  # fmt: skip
    parser.add_argument(
        "--output",
        metavar="RUN",
        help="folder of the run on this machine: a new one, or with --resume an existing run",
    )
    parser.add_argument(
        "--resume", action="store_true",
        help="continue the run from its last checkpoint, with its own settings; --preset is ignored",
    )  # fmt: skip
    parser.add_argument(
        "--max-minutes", type=float, default=math.inf, metavar="M", help="stop after M minutes (default: no limit)"
    )
    add_sources(parser, "train")
    add_settings(parser, STAGES["train"])
    devices = parser.add_argument_group("devices and remote data")
    devices.add_argument(
        "--strategy", default="auto", metavar="{auto,one,mirrored,multiworker}",
        help="devices: one, mirrored (all GPUs of this machine), or multiworker (several hosts, from TF_CONFIG or "
        "Slurm); auto: the first of these that uses everything found (default: auto)",
    )  # fmt: skip
    devices.add_argument("--cache", type=Path, metavar="DIR", help="folder that caches blocks of remote shards")
    parser.add_advanced(
        devices.add_argument(
            "--cache-gb", type=float, default=10.0, metavar="GB", help="maximum size of --cache in GB (default: 10)"
        )
    )
    parser.add_argument("--check-cudnn", action="store_true", help=argparse.SUPPRESS)


def run(arguments: argparse.Namespace) -> int:
    """Trains, and prints where the run is."""
    from textgen.api.sampler import sampler_maker
    from textgen.block_cache import BlockCache
    from textgen.runs import run_folder
    from textgen.training.trainer import train

    require(arguments.max_minutes > 0, f"max minutes is {arguments.max_minutes:g}; it must be above 0.")
    require(
        arguments.output is not None or (arguments.check_cudnn and not arguments.resume),
        "--output is missing; a run needs a folder. Add --output RUN.",
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
        make_sampler=sampler_maker(arguments.output),
        resume=arguments.resume,
        max_minutes=arguments.max_minutes,
        strategy=arguments.strategy,
        cache=BlockCache(arguments.cache, int(arguments.cache_gb * 1e9)) if arguments.cache else None,
    )
    print(f"{arguments.output}: run.json, history.csv, curves.png, samples.jsonl, tensorboard/, best/, last/")
    return 0


def _check_cudnn(config: "RunConfig", data: dict[str, float]) -> int:
    from textgen.commands.inspect import print_cudnn
    from textgen.training import cudnn_check

    print(
        "train --check-cudnn is now called inspect --check-cudnn; the old name will be removed in the next version.",
        file=sys.stderr,
    )
    return print_cudnn(cudnn_check.obstacles(data, model=config.model, train=config.train, window=config.window))


def _weights(given: list[str]) -> dict[str, float]:
    """Returns the weight of each dataset that --data names."""
    weights: dict[str, float] = {}
    for word in given:
        weighted = None if Path(word).exists() else re.fullmatch(r"(.+):(\d+(?:\.\d+)?)", word)
        directory, weight = (weighted[1], float(weighted[2])) if weighted else (word, 1.0)
        require(directory not in weights, f"--data names {directory} twice; a dataset has one weight. Name it once.")
        weights[directory] = weight
    return weights


def _new_config(arguments: argparse.Namespace) -> "RunConfig":
    """Returns the settings of a new run: options go before the file, the file before the preset."""
    from textgen.dataset import read_manifest
    from textgen.training.setup import config_for

    values = collect(
        "train",
        given(arguments, STAGES["train"]),
        file=arguments.config,
        preset=arguments.preset,
    )
    configs = train_configs(values)
    return config_for(read_manifest(next(iter(_weights(arguments.data)))), **configs)


def _resumed_config(arguments: argparse.Namespace) -> "RunConfig":
    """Returns the run's own settings; only those that are declared as changeable may be given anew."""
    from textgen.api.keywords import resumed_config
    from textgen.runs import load

    values = collect("train", given(arguments, STAGES["train"]), file=arguments.config)
    return resumed_config(load(arguments.output), values)
