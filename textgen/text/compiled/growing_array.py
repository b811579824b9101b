"""An array to which elements are added at the end."""

from collections.abc import Sequence

import numpy as np

_LEAST = 1024


class GrowingArray:
    """Elements of one dtype; a view of them stays as it is when more are added."""

    def __init__(self, dtype: type, elements: Sequence[int] = ()):
        self._array: np.ndarray = np.empty(_LEAST, dtype)
        self._length = 0
        self.extend(elements)

    def __len__(self) -> int:
        return self._length

    def extend(self, elements: np.ndarray | Sequence[int]) -> None:
        """Adds elements."""
        end = self._length + len(elements)
        if end > len(self._array):
            grown = np.empty(max(end, 2 * len(self._array)), self._array.dtype)
            grown[: self._length] = self.view()
            self._array = grown
        self._array[self._length : end] = elements
        self._length = end

    def view(self) -> np.ndarray:
        """Returns the elements, [N]."""
        return self._array[: self._length]
