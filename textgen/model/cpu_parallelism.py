"""How training shares out the cores of a machine without a GPU."""

import math
import os
from collections.abc import Sequence

import tensorflow as tf

_ROWS_AT_ONCE = 128
"""What a step keeps of more rows for its gradient leaves the caches. 1,024 rows of the notebook's model train 1.1
times as fast so, with two thirds of the memory, and 256 rows of 2 × BiLSTM 256 just as fast (1 MB of cache a core,
32 MB for both)."""


def share_out() -> bool:
    """On two cores, one thread an op and two ops at once: each direction of an LSTM has a core to itself.

    TensorFlow's own choice cuts each op of a direction's loop in two while both directions run, which costs a fifth
    of the processor's time. A network of one direction has its batches cut in two instead, see `side_by_side`. With
    more cores TensorFlow's choice stands; it stands too where TensorFlow is at work already, since its threads are
    made once. To be called before the first op.

    Returns:
        Whether it has been done.
    """
    if _cores() != 2 or tf.config.list_physical_devices("GPU"):
        return False
    try:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(2)
    except RuntimeError:
        return False
    return True


def side_by_side(tensors: Sequence[tf.Tensor]) -> list[list[tf.Tensor]]:
    """What a network of one direction reads at once: the rows [B, ...] of all tensors, or where cores are shared out
    the two halves of them, one a core."""
    if not _shared_out() or tensors[0].shape[0] == 1:
        return [list(tensors)]
    middle = (tf.shape(tensors[0])[0] + 1) // 2
    return [[tensor[:middle] for tensor in tensors], [tensor[middle:] for tensor in tensors]]


def parts_for(rows: int) -> int:
    """In how many parts, one after another, so many rows train fastest: 1 but where cores are shared out."""
    return math.ceil(rows / _ROWS_AT_ONCE) if _shared_out() else 1


def _shared_out() -> bool:
    return tf.config.threading.get_intra_op_parallelism_threads() == 1


def _cores() -> int:
    """Those that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
