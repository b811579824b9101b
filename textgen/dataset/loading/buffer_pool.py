"""Memory for the arrays that TensorFlow is given, used again when it has let go of them.

It takes an array as it is, and slices of it as batches, only where they begin at multiples of 64 bytes; others it
copies. And fresh pages take as long as to fill them.
"""

import weakref

import numpy as np

_ALIGNMENT = 64
"""What `EIGEN_MAX_ALIGN_BYTES` is at the most."""


class BufferPool:
    """Arrays of about the same size, whose memory comes back when they are gone; takers may be several threads."""

    def __init__(self) -> None:
        self._free: list[np.ndarray] = []

    def take(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """An array that is not filled. It has to be kept as long as any view of it is used."""
        size = int(np.prod(shape)) * dtype.itemsize
        memory = self._memory(size)
        array = memory[:size].view(dtype).reshape(shape)
        weakref.finalize(array, self._free.append, memory)
        return array

    def release(self) -> None:
        """Frees what is not in use."""
        self._free.clear()

    def _memory(self, size: int) -> np.ndarray:
        try:
            memory = self._free.pop()
        except IndexError:
            return _aligned(size)
        return memory if len(memory) >= size else _aligned(size)


def _aligned(size: int) -> np.ndarray:
    """uint8 [size]."""
    memory = np.empty(size + _ALIGNMENT, np.uint8)
    return memory[-memory.ctypes.data % _ALIGNMENT :][:size]
