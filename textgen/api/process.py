"""Runs Beam and TensorFlow in the process of the caller, such as a notebook."""

import contextlib
from collections.abc import Iterator

from pipelines import runners
from textgen.console import when_tensorflow_is_imported
from textgen.locks import hold


@contextlib.contextmanager
def ready_for_training() -> Iterator[None]:
    """Inside the context, Beam runs as outside of notebooks, and TensorFlow has the threads that `train` sets.

    TensorFlow makes its threads at its first operation, once per process. Without this, a model that is trained after
    a preparation in the same process would have other losses than one that is trained in a process of its own.
    """
    when_tensorflow_is_imported(_plan_threads)
    with runners.without_interactive_beam():
        yield


def _plan_threads() -> None:
    from textgen.model.cpu_parallelism import plan_cpu

    plan_cpu()


@contextlib.contextmanager
def ready_to_write(directory: str, *, command: str, make: bool = True) -> Iterator[None]:
    """Inside the context, this process is ready for training and holds the lock of a dataset's folder.

    Args:
        directory: path or URL of the folder.
        command: name of the command, as other processes show it.
        make: whether to make a missing folder.

    Raises:
        UserError: another process writes to the folder, or it can't be locked.
        OSError: the lock can't be written.
    """
    with ready_for_training(), hold(directory, command=command, make=make):
        yield
