"""BLAKE2b of many texts by a compiled loop, since a call of `hashlib` takes longer than a short text.

M.-J. Saarinen and J.-P. Aumasson, "The BLAKE2 Cryptographic Hash and Message Authentication Code (MAC)", RFC 7693.
"""

import numpy as np

from textgen.numba_loops import compiled, inlined, word_at

_VECTOR = np.array(
    [
        0x6A09E667F3BCC908, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1,
        0x510E527FADE682D1, 0x9B05688C2B3E6C1F, 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179,
    ],
    np.uint64,
)  # fmt: skip
"""The initialization vector (section 2.6)."""

_SCHEDULE = np.array(
    [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
        [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
        [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
        [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
        [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
        [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
        [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
        [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
        [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
    ],
    np.uint8,
)
"""The order of the words of a block in each round (section 2.7)."""

WORK_WORDS = 24
"""Number of words of space for the state and a block."""

_ROUNDS, _BLOCK_BYTES = 12, np.uint64(128)
_PARAMETERS = np.uint64(0x01010000)
"""No key, fan-out and depth of 1; the size of the digest is added."""


@inlined
def _rotated(word: np.uint64, bits: int) -> np.uint64:
    return word >> np.uint64(bits) | word << np.uint64(64 - bits)


@inlined
def _mixed(
    a: np.uint64, b: np.uint64, c: np.uint64, d: np.uint64, x: np.uint64, y: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """Returns the four words mixed with two of the message (section 3.1)."""
    a = a + b + x
    d = _rotated(d ^ a, 32)
    c = c + d
    b = _rotated(b ^ c, 24)
    a = a + b + y
    d = _rotated(d ^ a, 16)
    c = c + d
    return a, _rotated(b ^ c, 63), c, d


@inlined
def _compress(state: np.ndarray, message: np.ndarray, size: np.uint64, is_last: bool) -> None:
    """Mixes a block into the state, uint64 [8], after `size` bytes with it (section 3.2)."""
    v0, v1, v2, v3 = state[0], state[1], state[2], state[3]
    v4, v5, v6, v7 = state[4], state[5], state[6], state[7]
    v8, v9, v10, v11 = _VECTOR[0], _VECTOR[1], _VECTOR[2], _VECTOR[3]
    v12, v13, v14, v15 = _VECTOR[4] ^ size, _VECTOR[5], _VECTOR[6], _VECTOR[7]
    if is_last:
        v14 = ~v14
    for r in range(_ROUNDS):
        s = _SCHEDULE[r % 10]
        v0, v4, v8, v12 = _mixed(v0, v4, v8, v12, message[s[0]], message[s[1]])
        v1, v5, v9, v13 = _mixed(v1, v5, v9, v13, message[s[2]], message[s[3]])
        v2, v6, v10, v14 = _mixed(v2, v6, v10, v14, message[s[4]], message[s[5]])
        v3, v7, v11, v15 = _mixed(v3, v7, v11, v15, message[s[6]], message[s[7]])
        v0, v5, v10, v15 = _mixed(v0, v5, v10, v15, message[s[8]], message[s[9]])
        v1, v6, v11, v12 = _mixed(v1, v6, v11, v12, message[s[10]], message[s[11]])
        v2, v7, v8, v13 = _mixed(v2, v7, v8, v13, message[s[12]], message[s[13]])
        v3, v4, v9, v14 = _mixed(v3, v4, v9, v14, message[s[14]], message[s[15]])
    state[0] ^= v0 ^ v8
    state[1] ^= v1 ^ v9
    state[2] ^= v2 ^ v10
    state[3] ^= v3 ^ v11
    state[4] ^= v4 ^ v12
    state[5] ^= v5 ^ v13
    state[6] ^= v6 ^ v14
    state[7] ^= v7 ^ v15


@inlined
def _read_block(data: np.ndarray, place: np.uint64, end: np.uint64, message: np.ndarray) -> None:
    """Fills the message, uint64 [16], with the bytes from a place on, and with zeros from the end on."""
    for i in range(np.uint64(16)):
        begin = place + np.uint64(8) * i
        if begin + np.uint64(8) <= end:
            message[i] = word_at(data, begin)
            continue
        word, shift = np.uint64(0), np.uint64(0)
        while begin < end:
            word |= np.uint64(data[begin]) << shift
            begin += np.uint64(1)
            shift += np.uint64(8)
        message[i] = word


@compiled
def digest_slices(
    data: np.ndarray, starts: np.ndarray, ends: np.ndarray, work: np.ndarray, digests: np.ndarray
) -> None:
    """Computes the BLAKE2b of slices, without a key.

    Args:
        data: uint8 [S].
        starts: int64 [N], start of each slice in `data`.
        ends: int64 [N], its end.
        work: uint64 [WORK_WORDS].
        digests: uint64 [N, K], receives the digests, of 8 K bytes each, K from 1 to 8.
    """
    state, message = work[:8], work[8:]
    for n in range(len(starts)):
        start, end = np.uint64(starts[n]), np.uint64(ends[n])
        for i in range(8):
            state[i] = _VECTOR[i]
        state[0] ^= _PARAMETERS ^ np.uint64(8 * digests.shape[1])
        place, is_last = start, False
        # A slice of no bytes is one block, too.
        while not is_last:
            is_last = bool(place + _BLOCK_BYTES >= end)
            _read_block(data, place, end, message)
            place = min(place + _BLOCK_BYTES, end)
            _compress(state, message, place - start, is_last)
        for i in range(digests.shape[1]):
            digests[n, i] = state[i]
