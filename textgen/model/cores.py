"""How training shares out the cores of a machine without a GPU."""

import os

import tensorflow as tf


def share_out() -> bool:
    """On two cores, one thread an op and two ops at once: each direction of an LSTM has a core to itself.

    TensorFlow's own choice cuts each op of a direction's loop in two while both directions run, which costs a fifth
    of the processor's time. With more cores its choice stands; it stands too where TensorFlow is at work already,
    since its threads are made once. To be called before the first op, and not for a network of one direction, which
    would leave a core idle.

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


def _cores() -> int:
    """Those that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
