"""Arrays that loops fill again for each batch of texts."""

import threading

import numpy as np


class ReusedArrays(threading.local):
    """Arrays of a thread by name, with room for the largest batch so far.

    A loop gets room for as many tokens as there are bytes, and fills a fifth. Of an array that is kept, memory is
    taken once, and only for what has been filled; one that is made anew for each batch leaves gaps in the heap.
    """

    def __init__(self) -> None:
        self._arrays: dict[str, np.ndarray] = {}

    def get(self, name: str, size: int, dtype: type[np.generic]) -> np.ndarray:
        """Returns an array [size] with any content, which is valid until the thread asks for that name again.

        A name always has the same dtype.
        """
        kept = self._arrays.get(name)
        if kept is None or len(kept) < size:
            kept = self._arrays[name] = np.empty(1 << max(0, size - 1).bit_length(), dtype)
        return kept[:size]
