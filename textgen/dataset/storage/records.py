"""Records in memory, and the parameters of writing and reading them.

The layout defines the bytes of a record; see `layouts`.
"""

from typing import NamedTuple

import numpy as np


class Records(NamedTuple):
    """Consecutive records.

    Attributes:
        data: uint8 [T], the bytes of all records.
        ends: int [N], end of each record in `data`.
        pairs: int [N], number of pairs in each record.
    """

    data: np.ndarray
    ends: np.ndarray
    pairs: np.ndarray


class RecordFormat(NamedTuple):
    """Parameters of a preparation that the bytes of its records depend on.

    Attributes:
        window: W, the number of tokens before a target.
        stride: distance from one target to the next, in tokens.
        vocabulary_size: number of ids, the reserved ones included.
    """

    window: int
    stride: int
    vocabulary_size: int

    @property
    def id_dtype(self) -> np.dtype:
        """Dtype of ids on disk, see `id_dtype`."""
        return id_dtype(self.vocabulary_size)


def id_dtype(vocabulary_size: int) -> np.dtype:
    """Returns the dtype of ids on disk: little-endian uint16 if it holds every id, else uint32."""
    return np.dtype("<u2" if vocabulary_size <= 1 << 16 else "<u4")


class RecordLimits(NamedTuple):
    """Limits of one record, without its framing.

    Attributes:
        min_bytes: minimum size in bytes.
        max_bytes: maximum size in bytes.
        max_pairs: maximum number of pairs; the minimum is one.
    """

    min_bytes: int
    max_bytes: int
    max_pairs: int


class ReadRequest(NamedTuple):
    """Parameters of reading records.

    Attributes:
        window: W, the maximum number of tokens in an X, or of targets in a row.
        stride: distance from one target to the next, in tokens of the corpus.
        min_context: minimum number of tokens in an X.
        rows: whether rows of up to W targets are read instead of pairs.
    """

    window: int
    stride: int
    min_context: int = 1
    rows: bool = False


class RestoredIds(NamedTuple):
    """Ids of a split in the order of the corpus, each once.

    Attributes:
        ids: int64 [T].
        starts: int [S], indices in `ids` where a sequence starts. The ids before the first of them continue the
            sequence that the previous block ended with.
    """

    ids: np.ndarray
    starts: np.ndarray
