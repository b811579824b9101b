"""Division of training over the cores of a machine without a GPU: planned once, then passed as an argument."""

import dataclasses
import math
import os
from collections.abc import Sequence

import tensorflow as tf

from textgen.console import say

_ROWS_PER_MICRO_BATCH = 128
"""Activations of more rows do not fit into the caches. With it, 1,024 rows of the notebook's model train 1.1 times as
fast with two thirds of the memory; 256 rows of 2 × BiLSTM 256 train as fast as at once (1 MB of cache per core, 32 MB
shared)."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class CpuPlan:
    """Division of a batch over the cores.

    Attributes:
        halves: whether a causal network reads the two halves of a batch at the same time, one per core.
        rows_per_micro_batch: number of rows that are trained at once, 0 for all.
        notice: what a user should know before training; empty if nothing.
    """

    halves: bool = False
    rows_per_micro_batch: int = 0
    notice: str = ""

    def say_notice(self) -> None:
        """Prints the notice, if there is one."""
        if self.notice:
            say(self.notice)

    def split(self, tensors: Sequence[tf.Tensor]) -> list[list[tf.Tensor]]:
        """Returns the tensors [B, ...] whole, or the two halves of their rows."""
        if not self.halves or tensors[0].shape[0] == 1:
            return [list(tensors)]
        middle = (tf.shape(tensors[0])[0] + 1) // 2
        return [[tensor[:middle] for tensor in tensors], [tensor[middle:] for tensor in tensors]]

    def micro_batches(self, rows: int) -> int:
        """Returns the number of micro-batches that trains `rows` rows fastest."""
        return math.ceil(rows / self.rows_per_micro_batch) if self.rows_per_micro_batch else 1


WHOLE_BATCHES = CpuPlan()
"""TensorFlow's own choice of threads, and no batch split."""

TOO_LATE = CpuPlan(
    notice="TensorFlow has run in this process before, so its threads cannot be set any more: training has other "
    "last digits than in a new process, and may be slower. For equal losses, restart Python and train first."
)
"""The same, where TensorFlow has made its threads already."""


def plan_cpu() -> CpuPlan:
    """Sets TensorFlow's threads for this machine and returns how batches are split.

    With two cores, each op runs on one thread and two ops run at once, so that each direction of an LSTM has a core:
    TensorFlow's own choice splits each op of both directions in two, which costs a fifth of the processor's time.
    With more cores or a GPU TensorFlow's choice stands, and also where TensorFlow has already made its threads. Call
    it before the first op.
    """
    if _cores() != 2 or tf.config.list_physical_devices("GPU"):
        return WHOLE_BATCHES
    try:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(2)
    except RuntimeError:
        return TOO_LATE
    return CpuPlan(halves=True, rows_per_micro_batch=_ROWS_PER_MICRO_BATCH)


def _cores() -> int:
    """Returns the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
