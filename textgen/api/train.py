"""Training from Python: `train`."""

import math
import os
from typing import TYPE_CHECKING, Literal

from textgen import runs
from textgen.api.keywords import TrainSettings, resumed_config, train_configs, with_settings
from textgen.api.run import Run
from textgen.api.sampler import sampler_maker
from textgen.block_cache import BlockCache
from textgen.config import CONNECT_MINUTES, ModelConfig, TrainConfig
from textgen.dataset import Data, read_manifest, weights_of
from textgen.errors import require
from textgen.training import trainer
from textgen.training.setup import config_for

if TYPE_CHECKING:
    from typing_extensions import Unpack


def last_step(output: str | os.PathLike[str]) -> int | None:
    """Returns the step of the newest checkpoint from which a run can be resumed; None if there is none.

    Args:
        output: folder of the run, which need not exist.
    """
    checkpoints = runs.checkpoints_in(runs.run_folder(os.fspath(output)) / runs.LAST)
    return int(checkpoints[0].name.rpartition("-")[2]) if checkpoints else None


@with_settings("train")
def train(
    data: Data,
    output: str | os.PathLike[str],
    *,
    preset: str | None = None,
    model: ModelConfig | None = None,
    train: TrainConfig | None = None,
    resume: bool | Literal["auto"] = False,
    max_minutes: float = math.inf,
    validation_data: str | os.PathLike[str] | None = None,
    strategy: str = "auto",
    connect_minutes: float = CONNECT_MINUTES,
    cache: BlockCache | None = None,
    **settings: "Unpack[TrainSettings]",
) -> Run:
    """Trains a language model on a dataset, and saves all of it in the folder of a run.

    Training ends after `epochs`, after `patience` validations without a lower loss, or after `max_minutes`. At each
    validation it writes a row of the history, a plot, a sample of text and a checkpoint. In a notebook, interrupting
    the kernel saves a checkpoint too; `resume=True` continues from it.

    Args:
        data: folder or URL of a dataset, or several with their weights: `{"speeches": 1, "novels": 3}`.
        output: folder of the run, new or empty; with `resume` the folder of an earlier run.
        preset: named settings: `notebook` or `char`.
        model: settings of the network.
        train: settings of the training.
        resume: continue from the last checkpoint of `output`, with the settings of that run; `"auto"` begins a new
            run if there is no checkpoint.
        max_minutes: time limit of the training over all sessions of the run, in minutes. The cosine schedule ends
            with it, and at least five validations are made. Compiling the training step is not counted.
        validation_data: folder or URL of a dataset with the vocabulary and cleaning of `data`, to validate on: its
            validation split, or all of it if nothing of it is held out. By default it is the validation split of
            `data`. A resumed run is given it again.
        strategy: devices to train on: `one`, `mirrored` (all GPUs of this machine), `multiworker` (several
            machines), or `auto`.
        connect_minutes: minutes after which a process of several ends with an error if the others have not come.
        cache: where blocks of remote shards are kept.
        **settings: fields of `ModelConfig` and `TrainConfig` by name, such as `units=256`, `batch_size=512` or
            `learning_rate=0.003`, and `window`, the number of tokens of context, free for `spans` data.
            They override `model`, `train` and the preset. With `resume` only some may change, such as `epochs`.
            Their list is at the end of `help(textgen.train)`.

    Returns:
        The run, with the weights of the lowest validation loss.

    Raises:
        UserError: a setting is unknown or not allowed, the data is not a dataset or not that of the resumed run, or
            the output folder is not empty or is being written by another process.
        Interrupted: training was interrupted; a checkpoint is saved.
        OSError: a file cannot be read or written.

    Example:
        >>> run = textgen.train("data", "run", embedding=64, units=128, max_minutes=10)  # doctest: +SKIP
        >>> run.generate("Once upon a time")  # doctest: +SKIP
    """
    require(max_minutes > 0, f"max minutes is {max_minutes:g}; it must be above 0.")
    require(connect_minutes > 0, f"connect minutes is {connect_minutes:g}; it must be above 0.")
    folder = runs.run_folder(os.fspath(output))
    if resume == "auto":
        resume = last_step(folder) is not None
    if resume:
        config = resumed_config(runs.load(folder), settings)
    else:
        configs = train_configs(model, train, preset, settings)
        config = config_for(read_manifest(next(iter(weights_of(data)))), **configs)
    trainer.train(
        data,
        folder,
        config,
        make_sampler=sampler_maker(folder),
        resume=resume,
        max_minutes=max_minutes,
        validation_data=None if validation_data is None else os.fspath(validation_data),
        strategy=strategy,
        connect_minutes=connect_minutes,
        cache=cache,
    )
    return Run(folder, config)
