"""Who trains: the devices of this process, and the processes that it trains with.

Several processes are told of each other by `TF_CONFIG` (https://www.tensorflow.org/guide/distributed_training), or by
the variables of a Slurm job step. The first of them is the chief, and alone writes.
"""

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import tensorflow as tf

from textgen.config.checks import require_choice
from textgen.errors import UserError, require

STRATEGIES = ("auto", "one", "mirrored", "multiworker")

_WORKERS = ("chief", "worker")

MakeBatches = Callable[[int, int], tf.data.Dataset]
"""Makes the slice of every batch of one of so many workers."""


class Replicas:
    """The devices of all processes, each of which trains on a slice of every batch.

    Attributes:
        strategy: how they work together.
        worker: which of the processes this is; the first is 0.
        workers: how many processes there are.
        count: the devices of all of them.
    """

    def __init__(self, strategy: tf.distribute.Strategy, *, worker: int = 0, workers: int = 1):
        self.strategy, self.worker, self.workers = strategy, worker, workers
        self.count = strategy.num_replicas_in_sync

    @property
    def is_chief(self) -> bool:
        """Whether this process writes."""
        return self.worker == 0

    def batches(self, make: MakeBatches) -> Iterable[Any]:
        """The batches of a dataset, shared out: what every worker makes is shared out to its devices in turn."""
        if self.count == 1:
            return make(0, 1)
        here = self.count // self.workers

        def of_worker(context: tf.distribute.InputContext) -> tf.data.Dataset:
            batches = make(context.input_pipeline_id, context.num_input_pipelines)
            # Whoever takes batches knows how many there are. Were the end looked for, workers would have to agree on
            # it in every step.
            return _parts(batches, here).apply(tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY))

        return self.strategy.distribute_datasets_from_function(of_worker)

    def barrier(self) -> None:
        """Waits until all processes are here."""
        self.sum_over_workers([0.0])

    @contextlib.contextmanager
    def lost_worker_errors(self) -> Iterator[None]:
        """What all processes do.

        Raises:
            ConnectionError: another of them has ended, or can't be reached.
        """
        try:
            yield
        except tf.errors.UnavailableError:
            if self.workers == 1:
                raise
            raise ConnectionError(
                f"another of the {self.workers} processes has ended or can't be reached; its own output says why. "
                "What was saved is kept: start all of them again with --resume."
            ) from None

    def sum_over_workers(self, values: Sequence[float]) -> list[float]:
        """The sums over the processes of what each of them gives; all wait for each other."""
        if self.workers == 1:
            return list(values)
        here = self.count // self.workers
        given = tf.constant(values, tf.float64)
        summed = self.strategy.reduce("SUM", self.strategy.run(tf.identity, args=(given,)), axis=None)
        return [value / here for value in summed.numpy().tolist()]


def _parts(batches: tf.data.Dataset, count: int) -> tf.data.Dataset:
    """Each batch in parts of sizes as equal as can be, one after another; of a short one some may be empty."""
    if count == 1:
        return batches

    def cut(*batch: tf.Tensor) -> tf.data.Dataset:
        rows = tf.shape(batch[0], tf.int64)[0]
        return tf.data.Dataset.range(count).map(
            lambda i: tuple(tensor[i * rows // count : (i + 1) * rows // count] for tensor in batch)
        )

    return batches.flat_map(cut)


def make_replicas(name: str = "auto") -> Replicas:
    """The devices that a strategy's name stands for.

    `auto` is `multiworker` where TF_CONFIG or Slurm name several processes, `mirrored` with several GPUs, else `one`.
    To be called before any operation of TensorFlow where there are several processes.

    Raises:
        UserError: the name is none of STRATEGIES, or the processes are not told of as they must be.
    """
    require_choice("strategy", name, STRATEGIES)
    resolver = _resolver() if name in ("auto", "multiworker") else None
    if resolver is not None:
        strategy = tf.distribute.MultiWorkerMirroredStrategy(cluster_resolver=resolver)
        tasks = _tasks(resolver)
        me = (resolver.task_type, resolver.task_id)
        return Replicas(strategy, worker=tasks.index(me), workers=len(tasks))
    require(
        name != "multiworker",
        "strategy is multiworker, and neither TF_CONFIG nor Slurm names several processes. Set TF_CONFIG in each, or "
        "start them with srun.",
    )
    devices = tf.config.list_logical_devices("GPU")
    if name == "mirrored" or (name == "auto" and len(devices) > 1):
        return Replicas(_mirrored(devices))
    return Replicas(tf.distribute.get_strategy())


def _mirrored(gpus: Sequence[tf.config.LogicalDevice]) -> tf.distribute.Strategy:
    if gpus:
        return tf.distribute.MirroredStrategy([device.name for device in gpus])
    cpus = [device.name for device in tf.config.list_logical_devices("CPU")]
    # The default collectives of several CPU devices in one process can abort it.
    return tf.distribute.MirroredStrategy(cpus, cross_device_ops=tf.distribute.ReductionToOneDevice())


def _resolver() -> tf.distribute.cluster_resolver.ClusterResolver | None:
    """Who names the processes; None where there is one alone."""
    if os.environ.get("TF_CONFIG"):
        resolver = _from_tf_config()
    elif int(os.environ.get("SLURM_STEP_NUM_TASKS", "1")) > 1:
        resolver = _from_slurm()
    else:
        return None
    return resolver if len(_tasks(resolver)) > 1 else None


def _from_tf_config() -> tf.distribute.cluster_resolver.ClusterResolver:
    text = os.environ["TF_CONFIG"]
    try:
        told = json.loads(text)
        cluster, task = told["cluster"], told["task"]
        tasks = [(kind, i) for kind in _WORKERS for i in range(len(cluster.get(kind, ())))]
        found = (task["type"], int(task["index"])) in tasks
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UserError(
            f"TF_CONFIG is {text!r}; it must be as "
            '{"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker", "index": 0}}.'
        ) from None
    require(
        found,
        f"TF_CONFIG names the task {task['type']} {task['index']}, and its cluster has no such chief or worker. "
        "Name one of them, in each process another.",
    )
    return tf.distribute.cluster_resolver.TFConfigClusterResolver()


def _from_slurm() -> tf.distribute.cluster_resolver.ClusterResolver:
    # Without GPUs the resolver has none to share out, which it can't: it counts one a process, and sets none.
    without = {"gpus_per_node": int(os.environ["SLURM_STEP_NUM_TASKS"]), "gpus_per_task": 1, "auto_set_gpu": False}
    try:
        resolver = tf.distribute.cluster_resolver.SlurmClusterResolver(
            **{} if shutil.which("nvidia-smi") else without
        )
        # It knows its own task when it has resolved the cluster.
        resolver.cluster_spec()
    except (RuntimeError, ValueError) as error:
        raise UserError(
            f"Slurm's variables do not tell of this job step: {error}. Start the processes with srun, or set "
            "TF_CONFIG."
        ) from None
    return resolver


def _tasks(resolver: tf.distribute.cluster_resolver.ClusterResolver) -> list[tuple[str, int]]:
    """All processes that train, the chief first."""
    cluster = resolver.cluster_spec()
    return [(kind, i) for kind in _WORKERS if kind in cluster.jobs for i in range(cluster.num_tasks(kind))]
