"""Serves batches to PyTorch from any number of worker processes of a `DataLoader`.

PyTorch is imported when a dataset is made. The batches are made without TensorFlow's runtime, which does not survive
the fork of a process.
"""

import functools
import itertools
import os
import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from textgen.dataset.loading.batch_stream import compute_batches, first_step, steps_left
from textgen.dataset.loading.mixture import Data
from textgen.dataset.loading.numpy_batches import NumpyBatches, open_stream
from textgen.errors import UserError
from textgen.owned_folders import OwnedFolder

if TYPE_CHECKING:
    from torch.utils.data import IterableDataset  # type: ignore[import-not-found]


def torch_pairs(data: Data, **options: Any) -> "IterableDataset":
    """Returns the batches of `read_pairs` as a dataset of PyTorch, to be used as `DataLoader(…, batch_size=None)`.

    Batches are (X int32 [B, W], y int32 [B]), in the order of `read_pairs`, and each is served by one of the
    loader's worker processes. Any number of workers serves the same batches. With a seed, each iteration continues
    with the next epochs.

    Args:
        data: see `read_pairs`.
        **options: arguments of `read_pairs`, with the same defaults.

    Raises:
        UserError: as for `read_pairs`, or PyTorch is not installed. A damaged shard raises a UserError when it is
            reached.

    Example:
        >>> batches = textgen.torch_pairs("dataset", batch_size=256, seed=0)  # doctest: +SKIP
        >>> loader = torch.utils.data.DataLoader(batches, batch_size=None, num_workers=4)  # doctest: +SKIP
    """
    return _dataset_class()("pairs", data, options)


def torch_sequences(data: Data, **options: Any) -> "IterableDataset":
    """Returns the batches of `read_sequences` as a dataset of PyTorch; see `torch_pairs`.

    Args:
        data: see `read_sequences`.
        **options: arguments of `read_sequences`, with the same defaults.

    Raises:
        UserError: as for `read_sequences`, or PyTorch is not installed. A damaged shard raises a UserError when it
            is reached.
    """
    return _dataset_class()("rows", data, options)


class _Batches:
    """Batches of a stream, of which each worker process of a `DataLoader` serves its share in turn."""

    def __init__(self, kind: str, data: Data, options: dict[str, Any]):
        """Checks the arguments.

        Args:
            kind: "pairs" or "rows".
            data: see `read_pairs`.
            options: keyword arguments of `read_pairs` or `read_sequences`.

        Raises:
            UserError: as for these.
        """
        super().__init__()
        self._arguments, self._iterations = (kind, data, options), 0
        stream, batches = open_stream(*self._arguments)
        self._steps = steps_left(batches, stream.start_step)
        self._numbers = _SharedNumbers() if batches.reshuffles else None

    def __len__(self) -> int:
        """Returns the number of batches.

        Raises:
            TypeError: the stream has no end.
        """
        if self._steps is None:
            raise TypeError("the dataset is infinite, since epochs is None.")
        return self._steps

    def __iter__(self) -> Iterator[tuple[np.ndarray, ...]]:
        """Returns the batches of this worker process, or all of them in the main process."""
        from torch.utils.data import get_worker_info

        worker = get_worker_info()
        # The workers of one iteration have seeds of one base.
        name = f"{os.getpid()}" if worker is None else f"{worker.seed - worker.id}"
        iteration = 0 if self._numbers is None else self._numbers.number(f"{name}-{self._iterations}")
        self._iterations += 1
        stream, batches = open_stream(*self._arguments)
        first = first_step(batches, stream.start_step, iteration)
        turn, workers = (0, 1) if worker is None else (worker.id, worker.num_workers)
        if workers == 1:
            # Many steps are computed at a time, which is faster.
            return NumpyBatches(stream, batches).serve(first, None if self._steps is None else first + self._steps)
        counted = itertools.count(turn, workers) if self._steps is None else range(turn, self._steps, workers)
        return (tuple(compute_batches(batches, first + step, first + step + 1)) for step in counted)


class _SharedNumbers:
    """Numbers names in the order in which they are first seen, in this process and its copies in others.

    A folder holds one link per number: making a link is atomic, and its target is the name.
    """

    def __init__(self) -> None:
        owned = OwnedFolder("iterations")
        self._folder = owned.path
        weakref.finalize(self, _remove, owned, os.getpid())

    def number(self, name: str) -> int:
        """Returns the number of a name, from 0."""
        self._folder.mkdir(exist_ok=True)
        for number in itertools.count():
            link = self._folder / str(number)
            try:
                link.symlink_to(name)
                return number
            except FileExistsError:
                if os.readlink(link) == name:  # noqa: PTH115 - The name is no path.
                    return number
        raise AssertionError


def _remove(folder: OwnedFolder, process: int) -> None:
    # A forked process has a copy of the finalizer.
    if os.getpid() == process:
        folder.remove()


def _restored(state: dict[str, Any]) -> Any:
    """Makes the copy of a dataset that a new process receives."""
    dataset = _dataset_class().__new__(_dataset_class())
    dataset.__dict__.update(state)
    return dataset


@functools.cache
def _dataset_class() -> Any:
    """Returns the class of datasets, which `DataLoader` knows by its base.

    Raises:
        UserError: PyTorch is not installed.
    """
    try:
        from torch.utils.data import IterableDataset
    except ImportError as error:
        raise UserError(f"PyTorch cannot be imported: {error}. Install it with `pip install torch`.") from None

    class TorchDataset(_Batches, IterableDataset):
        def __reduce__(self) -> Any:
            return _restored, (self.__dict__,)

    return TorchDataset
