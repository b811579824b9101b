"""Trains a model on prepared datasets, and writes a run's folder."""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from textgen.block_cache import BlockCache
from textgen.dataset import Data, Manifest
from textgen.model.cpu_parallelism import plan_cpu
from textgen.runs import RunConfig
from textgen.training.callbacks import History, MakeSampler
from textgen.training.callbacks.defaults import make_callbacks
from textgen.training.data import TrainingData, ValidationSource
from textgen.training.loop import TrainingLoop
from textgen.training.setup import held_folder, read_manifests, validation_source
from textgen.training.strategy import Replicas, make_replicas


class _Datasets(NamedTuple):
    """Datasets that a run reads.

    Attributes:
        manifests: manifest of each dataset to train on, by its folder or URL.
        training: batches to train and to validate on.
        validation: the datasets to validate on.
    """

    manifests: dict[str, Manifest]
    training: TrainingData
    validation: ValidationSource


def train(
    data: Data,
    output: Path,
    config: RunConfig,
    *,
    make_sampler: MakeSampler,
    resume: bool = False,
    max_minutes: float = math.inf,
    validation_data: str | Path | None = None,
    strategy: str = "auto",
    connect_minutes: float,
    cache: BlockCache | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> History:
    """Trains until all epochs are done, the monitored loss has stopped falling, or the time is up.

    Every check writes a row of history, the curves, a sample and a checkpoint. The monitored loss is that of the
    validation data, or the training loss if there is none. In distributed training every process calls this with the
    same arguments and a folder on shared storage; only the chief writes.

    Args:
        data: a dataset's folder or URL, or several with their weights.
        output: the run's folder.
        config: settings of the model and of training.
        make_sampler: makes the function that generates samples.
        resume: continue from the last checkpoint of `output`.
        max_minutes: time limit of the run over all its sessions; a last check follows it.
        validation_data: folder or URL of a dataset to validate on; None for the validation split of `data`.
        strategy: devices to train on, see `make_replicas`.
        connect_minutes: time limit for the processes of a cluster to connect.
        cache: cache for blocks of remote shards.
        clock: returns the time in seconds.

    Returns:
        Metrics of all checks.

    Raises:
        UserError: a dataset does not fit the run, or `output` is not empty and `resume` is False.
        Interrupted: a signal asked to stop; a checkpoint is written.
        ConnectionError: another process did not come, or was lost.
        OSError: a file can't be read or written.
    """
    # Both come first: TensorFlow creates its thread pools once, and its collectives before any operation.
    cpu_plan = plan_cpu()
    replicas = make_replicas(strategy, cpu_plan=cpu_plan, connect_minutes=connect_minutes)
    run = output if resume else None
    datasets = _open_datasets(data, config, replicas, run=run, validation_data=validation_data, cache=cache)
    is_chief, first = replicas.is_chief, next(iter(datasets.manifests))
    folder = held_folder(output, config, data=first, resume=resume, is_chief=is_chief, barrier=replicas.barrier)
    with replicas.lost_worker_errors(), folder as lock:
        loop = TrainingLoop(
            output,
            config,
            datasets.training,
            datasets.validation,
            replicas,
            pairs=sum(manifest.total.splits["train"].pairs for manifest in datasets.manifests.values()),
            resume=resume,
            max_minutes=max_minutes,
            clock=clock,
            require_lock=lock.require_held if lock else None,
        )
        make_sample = make_sampler(loop.state.model, config) if is_chief else _no_sample
        validated = datasets.manifests if validation_data is None else {}
        callbacks = make_callbacks(output, config.train, step=loop.state.step, is_chief=is_chief, validated=validated)
        if is_chief and not loop.is_done:
            cpu_plan.say_notice()
        with replicas.time_to_agree():
            loop.run(callbacks, make_sample)
    return loop.history


def _open_datasets(
    data: Data,
    config: RunConfig,
    replicas: Replicas,
    *,
    run: Path | None,
    validation_data: str | Path | None,
    cache: BlockCache | None,
) -> _Datasets:
    """Returns the datasets of a run after checks that they fit it; `run` is its folder if it is resumed."""
    manifests = read_manifests(data, config, run=run)
    validation = validation_source(data, manifests, validation_data, config)
    training = TrainingData(data, config, replicas, cache=cache)
    if validation_data is not None:
        # A layout that does not have the run's windows is an error now, not at the first check.
        next(iter(training.validation(validation)))
    return _Datasets(manifests, training, validation)


def _no_sample() -> str:
    return ""
