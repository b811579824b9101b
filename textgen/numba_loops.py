"""Compiles loops with numba, without checks and counts that they do not need."""

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numba
import numpy as np
from numba.core import entrypoints

_Loop = TypeVar("_Loop", bound=Callable[..., Any])

# Without _nrt=False, references to arrays are counted at each call of an inlined function: three quarters of the time
# of `cut_texts`. Such functions fill arrays that they are given, and create none.
_OPTIONS = {"nogil": True, "boundscheck": False, "_nrt": False}

WORD_BYTES = 8
LOW_BITS, HIGH_BITS = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)
"""The lowest and the highest bit of each byte of a word."""

inlined = numba.njit(forceinline=True, **_OPTIONS)
"""Compiles a function into those that call it."""


def compiled(loop: _Loop) -> _Loop:
    """Compiles a function at its first call, and keeps the result on disk.

    The compiled function checks no bounds, must create no array, and releases the interpreter lock.
    """
    compiled_loop = _cached(loop)

    @functools.wraps(loop)
    def call(*arguments: Any) -> Any:
        with _EXTENSIONS.left_out():
            try:
                return compiled_loop(*arguments)
            except Exception:
                # Loops raise nothing. What was kept on disk is damaged, or of another version, whose types had other
                # names: numba reads these before it looks whether what it reads is of this version.
                with contextlib.suppress(OSError):
                    compiled_loop._cache.flush()
                return compiled_loop(*arguments)

    return call  # type: ignore[return-value]


@inlined
def word_at(data: np.ndarray, place: np.uint64) -> np.uint64:
    """Returns 8 bytes of data, uint8 [bytes], from an offset on, little-endian; compiled to one instruction.

    Loops that copy or compare many bytes have unsigned indices: a signed one may be negative, which is checked each
    time and keeps a loop from taking many bytes at once.
    """
    word = np.uint64(data[place])
    word |= np.uint64(data[place + np.uint64(1)]) << np.uint64(8)
    word |= np.uint64(data[place + np.uint64(2)]) << np.uint64(16)
    word |= np.uint64(data[place + np.uint64(3)]) << np.uint64(24)
    word |= np.uint64(data[place + np.uint64(4)]) << np.uint64(32)
    word |= np.uint64(data[place + np.uint64(5)]) << np.uint64(40)
    word |= np.uint64(data[place + np.uint64(6)]) << np.uint64(48)
    word |= np.uint64(data[place + np.uint64(7)]) << np.uint64(56)
    return word


@inlined
def reversed_word_at(data: np.ndarray, place: np.uint64) -> np.uint64:
    """Returns 8 bytes of data, uint8 [bytes], from an offset on, of which the first is the highest; see `word_at`."""
    word = np.uint64(data[place]) << np.uint64(56)
    word |= np.uint64(data[place + np.uint64(1)]) << np.uint64(48)
    word |= np.uint64(data[place + np.uint64(2)]) << np.uint64(40)
    word |= np.uint64(data[place + np.uint64(3)]) << np.uint64(32)
    word |= np.uint64(data[place + np.uint64(4)]) << np.uint64(24)
    word |= np.uint64(data[place + np.uint64(5)]) << np.uint64(16)
    word |= np.uint64(data[place + np.uint64(6)]) << np.uint64(8)
    word |= np.uint64(data[place + np.uint64(7)])
    return word


@inlined
def has_byte(word: np.uint64, byte: int) -> bool:
    """Returns whether one of the 8 bytes of a word is the given byte.

    https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord
    """
    different = word ^ LOW_BITS * np.uint64(byte)
    return bool((different - LOW_BITS) & ~different & HIGH_BITS)


def _cached(loop: Callable[..., Any]) -> Any:
    """Returns a loop for numba to compile, without a cache where no folder for it can be written."""
    try:
        return numba.njit(cache=True, **_OPTIONS)(loop)
    except RuntimeError:
        return numba.njit(**_OPTIONS)(loop)


class _Extensions:
    """The extensions of numba that other packages bring, such as that of awkward arrays, which gigatoken installs.

    numba imports them all at its first compilation, which takes half a second. The loops of this project need none;
    other code in the same process still gets them.
    """

    def __init__(self) -> None:
        self._lock, self._calls, self._are_known = threading.Lock(), 0, False

    @contextlib.contextmanager
    def left_out(self) -> Iterator[None]:
        """Inside the context, numba regards them as imported already."""
        with self._lock:
            if not self._calls:
                self._are_known = getattr(entrypoints, _FLAG, True)
                setattr(entrypoints, _FLAG, True)
            self._calls += 1
        try:
            yield
        finally:
            with self._lock:
                self._calls -= 1
                if not self._calls:
                    setattr(entrypoints, _FLAG, self._are_known)


_FLAG = "_already_initialized"
_EXTENSIONS = _Extensions()
