"""Frames records as TFRecords, and computes the checksums of that framing.

The framing of a record is its length (8 bytes), the masked CRC-32C of the length (4 bytes), the record, and the
masked CRC-32C of the record (4 bytes): https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
"""

import functools
import struct

import google_crc32c as crc32c
import numpy as np

from textgen.dataset.storage.records import Records

BEFORE_RECORD = 12
AFTER_RECORD = 4

_LENGTH = struct.Struct("<Q")
MANY_RECORDS = 4_096
"""Number of records from which compiled loops handle them, since numba takes half a second."""


def frame(records: Records) -> tuple[memoryview, np.ndarray]:
    """Adds the TFRecord framing to records.

    Returns:
        The bytes of the N framed records, and int64 [N], the offset of the end of each in them.
    """
    from textgen.dataset.storage.framing_loops import frame_records

    framing = BEFORE_RECORD + AFTER_RECORD
    framed = np.empty(len(records.data) + framing * len(records.ends), np.uint8)
    frame_records(records.data, records.ends, _tables(), framed)
    return framed.data, records.ends + framing * np.arange(1, len(records.ends) + 1)


def record_checksums(data: bytes, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Returns <u4 [N], the masked CRC-32C of each record, given the offsets of its start and its end in the data."""
    if len(starts) >= MANY_RECORDS:
        from textgen.dataset.storage.framing_loops import checksum_records

        checks = np.empty(len(starts), "<u4")
        checksum_records(
            np.frombuffer(data, np.uint8), starts.astype(np.int64), ends.astype(np.int64), _tables(), checks
        )
        return checks
    found = [crc32c.value(data[start:end]) for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
    return _masked(np.array(found, np.uint32))


def length_checksums(lengths: np.ndarray) -> np.ndarray:
    """Returns <u4 [N], the masked CRC-32C of the length of each record, int [N]."""
    distinct, which = np.unique(lengths, return_inverse=True)
    checks = [crc32c.value(_LENGTH.pack(length)) for length in distinct.tolist()]
    return _masked(np.array(checks, np.uint32))[which]


def _masked(checks: np.ndarray) -> np.ndarray:
    """Returns <u4 [N], the checksums uint32 [N] masked as in TFRecord: rotated right by 15 bits, plus a constant."""
    return ((checks >> np.uint32(15) | checks << np.uint32(17)) + np.uint32(0xA282EAD8)).astype("<u4")


@functools.cache
def _tables() -> np.ndarray:
    from textgen.dataset.storage.framing_loops import checksum_tables

    return checksum_tables()
