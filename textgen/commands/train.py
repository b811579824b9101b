"""Train a network on a dataset, with samples of the text that it writes as it learns."""

import argparse
import math
import re
import sys
from pathlib import Path

from textgen.config import CONNECT_MINUTES, STAGES
from textgen.config.options import CommandParser, add_settings, add_sources, given
from textgen.config.settings_file import collect, train_configs
from textgen.console import printable, show
from textgen.errors import require
from textgen.files import expand_home

MEMORY_REMEDY = (
    "Close other programs, raise --micro-batches, or begin a new run with a smaller --batch-size or network."
)
"""What to do when memory is short."""


def add_arguments(parser: CommandParser) -> None:
    """Adds the options."""
    parser.usage = "textgen train --data DIR[:WEIGHT] [--data ...] --output RUN [options]"
    parser.add_argument(
        "--data", required=True, action="append", metavar="DIR[:WEIGHT]",
        help="dataset, a folder or a URL; repeat the option to mix datasets in proportion to their weights "
        "(default weight: 1)",
    )  # fmt: skip
    parser.add_argument(
        "--validation-data", metavar="DIR",
        help="dataset to validate on, with the same vocabulary and cleaning: its validation split, or all of it if "
        "nothing of it is held out (default: the validation split of --data)",
    )  # fmt: skip
    parser.add_argument(
        "--output",
        metavar="RUN",
        help="folder of the run on this machine: a new one, or with --resume an existing run",
    )
    parser.add_argument(
        "--resume", nargs="?", const=True, default=False, type=_resume, metavar="auto",
        help="continue the run from its last checkpoint, with its own settings; --preset is ignored. With `auto`, "
        "begin a new run if there is no checkpoint, as for jobs that a cluster starts again",
    )  # fmt: skip
    parser.add_argument(
        "--max-minutes",
        type=float,
        default=math.inf,
        metavar="M",
        help="minutes after which training ends, over all sessions of the run; the cosine schedule ends then "
        "too, and at least five validations are made (default: no limit)",
    )
    add_sources(parser, "train")
    add_settings(parser, STAGES["train"])
    _add_devices(parser)
    parser.add_argument("--check-cudnn", action="store_true", help=argparse.SUPPRESS)


def _add_devices(parser: CommandParser) -> None:
    devices = parser.add_argument_group("devices and remote data")
    devices.add_argument(
        "--strategy", default="auto", metavar="{auto,one,mirrored,multiworker}",
        help="devices: one, mirrored (all GPUs of this machine), or multiworker (several hosts, from TF_CONFIG or "
        "Slurm); auto: the first of these that uses everything found (default: auto)",
    )  # fmt: skip
    devices.add_argument(
        "--connect-minutes", type=float, default=CONNECT_MINUTES, metavar="M",
        help="minutes after which a process of several ends with an error if the others have not come (default: 5)",
    )  # fmt: skip
    devices.add_argument("--cache", type=Path, metavar="DIR", help="folder that caches blocks of remote shards")
    parser.add_advanced(
        devices.add_argument(
            "--cache-gb", type=float, default=10.0, metavar="GB", help="maximum size of --cache in GB (default: 10)"
        )
    )


def _resume(text: str) -> str:
    if text != "auto":
        raise argparse.ArgumentTypeError(f"{text!r} is not allowed; write --resume, or --resume auto")
    return text


def run(arguments: argparse.Namespace) -> int:
    """Trains, prints where the run is, and returns the exit code.

    Raises:
        UserError: --output is missing, a setting is not allowed, or the dataset cannot be read.
    """
    if arguments.check_cudnn:
        return _check_cudnn(arguments)
    require(arguments.output is not None, "--output is missing; a run needs a folder. Add --output RUN.")

    from textgen.api.train import train
    from textgen.block_cache import BlockCache

    run = train(
        _weights(arguments.data),
        arguments.output,
        preset=arguments.preset,
        resume=arguments.resume,
        max_minutes=arguments.max_minutes,
        validation_data=arguments.validation_data,
        strategy=arguments.strategy,
        connect_minutes=arguments.connect_minutes,
        cache=BlockCache(arguments.cache, int(arguments.cache_gb * 1e9)) if arguments.cache else None,
        **collect("train", given(arguments, STAGES["train"]), file=arguments.config),
    )
    show(f"{printable(str(run.path))}: run.json, history.csv, curves.png, samples.jsonl, tensorboard/, best/, last/")
    return 0


def kept(arguments: argparse.Namespace) -> str:
    """Returns which checkpoint a command that failed has kept, and how to continue."""
    from textgen.api.train import last_step

    step = last_step(expand_home(arguments.output)) if arguments.output else None
    if step is None:
        without = "without --resume" if arguments.resume is True else "again"
        return f"There is no checkpoint yet; run the same command {without} to begin anew."
    again = "" if arguments.resume else " with --resume"
    return f"The checkpoint of step {step:,} is kept; run the same command again{again} to continue."


def _check_cudnn(arguments: argparse.Namespace) -> int:
    """Prints the result of `inspect --check-cudnn`, which was an option of `train` in the version before."""
    from textgen.commands.inspect import print_cudnn
    from textgen.training import cudnn_check

    print(
        "train --check-cudnn is now called inspect --check-cudnn; the old name will be removed in the next version.",
        file=sys.stderr,
    )
    file = f"{arguments.output}/run.json" if arguments.resume is True else arguments.config
    values = collect("train", given(arguments, STAGES["train"]), file=file, preset=arguments.preset)
    return print_cudnn(cudnn_check.obstacles(_weights(arguments.data), **train_configs(values)))


def _weights(given: list[str]) -> dict[str, float]:
    """Returns the weight of each dataset that --data names."""
    weights: dict[str, float] = {}
    for word in given:
        weighted = None if Path(expand_home(word)).exists() else re.fullmatch(r"(.+):(\d+(?:\.\d+)?)", word)
        directory, weight = (weighted[1], float(weighted[2])) if weighted else (word, 1.0)
        require(directory not in weights, f"--data is {directory} twice; a dataset has one weight. Give it once.")
        weights[directory] = weight
    return weights
