"""Distribution of training over devices and processes.

Several processes find each other through `TF_CONFIG` (https://www.tensorflow.org/guide/distributed_training) or the
environment variables of a Slurm job step. The first process is the chief, and only the chief writes files.
"""

import contextlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import tensorflow as tf

from textgen.config import CONNECT_MINUTES
from textgen.config.checks import require_choice
from textgen.errors import UserError, one_line, require
from textgen.model.cpu_parallelism import WHOLE_BATCHES, CpuPlan
from textgen.termination import default_signals, saving
from textgen.training import rendezvous
from textgen.training.slurm import JobStep, job_step

STRATEGIES = ("auto", "one", "mirrored", "multiworker")

_WORKERS = ("chief", "worker")

MakeBatches = Callable[[int, int], tf.data.Dataset]
"""Function that returns a worker's slices of all batches, given the worker's index and the number of workers."""


_HEALTH_SECONDS = 10.0
"""Pause after which a process asks the others whether they are there: the loss of a machine resets no connection."""

_LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
)
"""What TensorFlow raises where another process is lost: in the call that notices it, and in those that wait then."""


class Replicas:
    """The devices of all processes; each device trains on a slice of every global batch.

    Attributes:
        strategy: TensorFlow's distribution strategy.
        worker: index of this process, from 0.
        workers: number of processes.
        count: number of devices of all processes.
        cpu_plan: how a batch is split over the cores of a machine without a GPU.
    """

    def __init__(
        self,
        strategy: tf.distribute.Strategy,
        *,
        worker: int = 0,
        workers: int = 1,
        cpu_plan: CpuPlan = WHOLE_BATCHES,
    ):
        self.strategy, self.worker, self.workers, self.cpu_plan = strategy, worker, workers, cpu_plan
        self.count = strategy.num_replicas_in_sync

    @property
    def is_chief(self) -> bool:
        """Whether this process writes files."""
        return self.worker == 0

    def batches(self, make: MakeBatches) -> Iterable[Any]:
        """Returns the batches of this process, each split over its devices.

        Args:
            make: function that makes the worker's slices of all batches.
        """
        if self.count == 1:
            return make(0, 1)
        devices = self.count // self.workers

        def of_worker(context: tf.distribute.InputContext) -> tf.data.Dataset:
            batches = make(context.input_pipeline_id, context.num_input_pipelines)
            slices = _device_slices(batches, devices)
            # Callers know the number of batches. With a finite cardinality, workers would communicate in every step
            # to agree on whether the end is reached.
            return slices.apply(tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY))

        return self.strategy.distribute_datasets_from_function(of_worker)

    def barrier(self) -> None:
        """Waits until all processes have called it."""
        self.sum_over_workers([0.0])

    @contextlib.contextmanager
    def lost_worker_errors(self) -> Iterator[None]:
        """Inside the context, raises `ConnectionError` if another process is lost.

        Raises:
            ConnectionError: another process has ended or can't be reached.
            tensorflow.errors.OpError: TensorFlow raised one of `_LOST`, and there is only one process.
        """
        try:
            yield
        except _LOST:
            if self.workers == 1:
                raise
            raise ConnectionError(
                f"another of the {self.workers} processes has ended or can't be reached; its own output says why. "
                "Start all processes again"
            ) from None

    @contextlib.contextmanager
    def time_to_agree(self) -> Iterator[None]:
        """Inside the context, a signal leaves several processes time to agree and to save, as `saving` does."""
        with saving() if self.workers > 1 else contextlib.nullcontext():
            yield

    def sum_over_workers(self, values: Sequence[float]) -> list[float]:
        """Returns the sum of each value over all processes; waits until all have called it."""
        if self.workers == 1:
            return list(values)
        devices = self.count // self.workers
        own = tf.constant(values, tf.float64)
        summed = self.strategy.reduce("SUM", self.strategy.run(tf.identity, args=(own,)), axis=None)
        return [value / devices for value in summed.numpy().tolist()]


def _device_slices(batches: tf.data.Dataset, count: int) -> tf.data.Dataset:
    """Splits each batch into `count` slices of consecutive rows; sizes differ by at most one and may be 0."""
    if count == 1:
        return batches

    def split(*batch: tf.Tensor) -> tf.data.Dataset:
        rows = tf.shape(batch[0], tf.int64)[0]
        return tf.data.Dataset.range(count).map(
            lambda i: tuple(tensor[i * rows // count : (i + 1) * rows // count] for tensor in batch)
        )

    return batches.flat_map(split)


def make_replicas(
    name: str = "auto", *, cpu_plan: CpuPlan = WHOLE_BATCHES, connect_minutes: float = CONNECT_MINUTES
) -> Replicas:
    """Returns the replicas of a strategy.

    With several processes, it must be called before any TensorFlow operation runs.

    Args:
        name: one of STRATEGIES. "auto" is "multiworker" if TF_CONFIG or Slurm names several processes, "mirrored"
            with several GPUs, and "one" otherwise.
        cpu_plan: how a batch is split over the cores of a machine without a GPU.
        connect_minutes: time limit for the processes of a cluster to connect.

    Raises:
        UserError: the name is unknown, TF_CONFIG or Slurm's variables are missing or malformed, or the processes have
            different clusters.
        ConnectionError: the processes did not connect.
    """
    require_choice("strategy", name, STRATEGIES)
    resolver = _resolver() if name in ("auto", "multiworker") else None
    if resolver is not None:
        member = _member(resolver)
        strategy = _connected(resolver, member, minutes=connect_minutes)
        return Replicas(strategy, worker=member.worker, workers=len(member.addresses), cpu_plan=cpu_plan)
    require(
        name != "multiworker",
        "strategy is multiworker, and neither TF_CONFIG nor Slurm names several processes. Set TF_CONFIG in each "
        "process, or start them with srun.",
    )
    devices = tf.config.list_logical_devices("GPU")
    if name == "mirrored" or (name == "auto" and len(devices) > 1):
        return Replicas(_mirrored(devices), cpu_plan=cpu_plan)
    return Replicas(tf.distribute.get_strategy(), cpu_plan=cpu_plan)


def _connected(
    resolver: tf.distribute.cluster_resolver.ClusterResolver, member: rendezvous.ClusterMember, *, minutes: float
) -> tf.distribute.Strategy:
    """Returns the strategy of a cluster when all of its processes are there.

    Raises:
        UserError: the processes have different clusters.
        ConnectionError: the processes did not connect.
    """
    rendezvous.meet(member, minutes=minutes)
    try:
        with default_signals(), rendezvous.connection_limit(member, minutes=minutes):
            strategy = tf.distribute.MultiWorkerMirroredStrategy(cluster_resolver=resolver)
    except (tf.errors.OpError, RuntimeError) as error:
        raise ConnectionError(
            f"TensorFlow did not connect {member.address} to the other processes: {one_line(error)[:200]}. Start all "
            "processes again"
        ) from None
    # TensorFlow's own 30 seconds, and three attempts of 10 seconds each, would be more than a minute.
    strategy.extended._check_health_interval = _HEALTH_SECONDS
    return strategy


def _member(resolver: tf.distribute.cluster_resolver.ClusterResolver) -> rendezvous.ClusterMember:
    """Returns this process as a member of its cluster."""
    cluster, tasks = resolver.cluster_spec(), _tasks(resolver)
    addresses = tuple(cluster.task_address(*task) for task in tasks)
    index = tasks.index((resolver.task_type, resolver.task_id))
    kind = "GPU" if tf.config.get_visible_devices("GPU") else "CPU"
    devices = [
        len(tf.config.get_logical_device_configuration(device) or [device])
        for device in tf.config.get_visible_devices(kind)
    ]
    return rendezvous.ClusterMember(addresses, index, sum(devices))


def _mirrored(gpus: Sequence[tf.config.LogicalDevice]) -> tf.distribute.Strategy:
    if gpus:
        return tf.distribute.MirroredStrategy([device.name for device in gpus])
    cpus = [device.name for device in tf.config.list_logical_devices("CPU")]
    # The default collectives can abort a process with several CPU devices.
    return tf.distribute.MirroredStrategy(cpus, cross_device_ops=tf.distribute.ReductionToOneDevice())


def _resolver() -> tf.distribute.cluster_resolver.ClusterResolver | None:
    """Returns the resolver of several processes; None if there is only one."""
    if os.environ.get("TF_CONFIG"):
        resolver = _from_tf_config()
        return resolver if len(_tasks(resolver)) > 1 else None
    step = job_step(os.environ)
    return None if step is None else _from_slurm(step)


def _from_tf_config() -> tf.distribute.cluster_resolver.ClusterResolver:
    """Returns the resolver for `TF_CONFIG`.

    Raises:
        UserError: `TF_CONFIG` is malformed, or its task is not in its cluster.
    """
    text = os.environ["TF_CONFIG"]
    try:
        values = json.loads(text)
        cluster, task = values["cluster"], values["task"]
        tasks = [(kind, i) for kind in _WORKERS for i in range(len(cluster.get(kind, ())))]
        found = (task["type"], int(task["index"])) in tasks
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UserError(
            f"TF_CONFIG is {text!r}; it must have the form "
            '{"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker", "index": 0}}.'
        ) from None
    require(
        found,
        f"TF_CONFIG names the task {task['type']} {task['index']}, and its cluster has no such chief or worker. "
        "Name a different task of the cluster in each process.",
    )
    return tf.distribute.cluster_resolver.TFConfigClusterResolver()


class _JobStepResolver(tf.distribute.cluster_resolver.TFConfigClusterResolver):
    """Resolver of a Slurm job step. With its base class, a strategy uses all GPUs that are visible."""

    def __init__(self, addresses: Sequence[str], index: int):
        super().__init__(task_type="worker", task_id=index, rpc_layer="grpc")
        self._addresses = list(addresses)

    def cluster_spec(self) -> tf.train.ClusterSpec:
        return tf.train.ClusterSpec({"worker": self._addresses})


def _from_slurm(step: JobStep) -> tf.distribute.cluster_resolver.ClusterResolver:
    """Returns the resolver for a Slurm job step, and divides the GPUs of a node among its processes."""
    gpus = tf.config.get_visible_devices("GPU")
    count, index = step.local_count, step.local_rank
    if not step.has_own_gpus and len(gpus) >= count > 1:
        own = gpus[index * len(gpus) // count : (index + 1) * len(gpus) // count]
        tf.config.set_visible_devices(own, "GPU")
    return _JobStepResolver(step.addresses, step.rank)


def _tasks(resolver: tf.distribute.cluster_resolver.ClusterResolver) -> list[tuple[str, int]]:
    """Returns the type and index of every training process, the chief first."""
    cluster = resolver.cluster_spec()
    return [(kind, i) for kind in _WORKERS if kind in cluster.jobs for i in range(cluster.num_tasks(kind))]
