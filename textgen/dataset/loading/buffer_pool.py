"""Reusable, aligned memory for the arrays that are handed to TensorFlow.

TensorFlow uses an array, and slices of it, without a copy only if they start at multiples of 64 bytes. Memory is
reused because the operating system takes as long to map fresh pages as it takes to fill them.
"""

import weakref

import numpy as np

_ALIGNMENT = 64
"""Largest value of `EIGEN_MAX_ALIGN_BYTES`, in bytes."""


class BufferPool:
    """Allocates arrays of similar size and reuses their memory once they are garbage. Thread-safe."""

    def __init__(self) -> None:
        self._free: list[np.ndarray] = []

    def take(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """Returns an uninitialised array; keep it alive as long as any view of it is used."""
        size = int(np.prod(shape)) * dtype.itemsize
        memory = self._memory(size)
        array = memory[:size].view(dtype).reshape(shape)
        weakref.finalize(array, self._free.append, memory)
        return array

    def release(self) -> None:
        """Frees the memory that is not in use."""
        self._free.clear()

    def _memory(self, size: int) -> np.ndarray:
        try:
            memory = self._free.pop()
        except IndexError:
            return _aligned(size)
        return memory if len(memory) >= size else _aligned(size)


def _aligned(size: int) -> np.ndarray:
    """Returns uninitialised, aligned uint8 [size]."""
    memory = np.empty(size + _ALIGNMENT, np.uint8)
    return memory[-memory.ctypes.data % _ALIGNMENT :][:size]
