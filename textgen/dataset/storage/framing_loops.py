"""Compiled loops that frame many records, find them, and compute their checksums.

CRC-32C by eight tables ("slicing by 8"): M. E. Kounavis and F. L. Berry, "A Systematic Approach to Building High
Performance Software-Based CRC Generators", ISCC 2005.
"""

import numpy as np

from textgen.numba_loops import compiled, inlined, word_at

_POLYNOMIAL = 0x82F63B78
"""That of CRC-32C, its bits reversed (RFC 3720, appendix B.4)."""

_LOW_BYTE, _BYTE, _ALL = np.uint32(0xFF), np.uint32(8), np.uint32(0xFFFFFFFF)
_EIGHT = np.uint64(8)
_ROTATION, _REST, _CONSTANT = np.uint32(15), np.uint32(17), np.uint32(0xA282EAD8)


def checksum_tables() -> np.ndarray:
    """Returns uint32 [8, 256]: in row k, the checksum of each byte with k zero bytes after it."""
    row: np.ndarray = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        row = np.where(row & 1, row >> np.uint32(1) ^ np.uint32(_POLYNOMIAL), row >> np.uint32(1))
    tables = [row]
    for _ in range(7):
        tables.append(row[tables[-1] & 0xFF] ^ tables[-1] >> np.uint32(8))
    return np.stack(tables)


@inlined
def _masked_checksum(data: np.ndarray, begin: np.uint64, end: np.uint64, tables: np.ndarray) -> np.uint32:
    """Returns the masked CRC-32C of data[begin:end]; rotated right by 15 bits, plus a constant."""
    crc, i = _ALL, begin
    while i + _EIGHT <= end:
        word = word_at(data, i)
        low, high = crc ^ np.uint32(word), np.uint32(word >> np.uint64(32))
        crc = (
            tables[7, low & _LOW_BYTE]
            ^ tables[6, low >> _BYTE & _LOW_BYTE]
            ^ tables[5, low >> np.uint32(16) & _LOW_BYTE]
            ^ tables[4, low >> np.uint32(24)]
            ^ tables[3, high & _LOW_BYTE]
            ^ tables[2, high >> _BYTE & _LOW_BYTE]
            ^ tables[1, high >> np.uint32(16) & _LOW_BYTE]
            ^ tables[0, high >> np.uint32(24)]
        )
        i += _EIGHT
    while i < end:
        crc = tables[0, (crc ^ np.uint32(data[i])) & _LOW_BYTE] ^ crc >> _BYTE
        i += np.uint64(1)
    crc ^= _ALL
    return np.uint32(np.uint32(crc >> _ROTATION | crc << _REST) + _CONSTANT)


@compiled
def checksum_records(
    data: np.ndarray, starts: np.ndarray, ends: np.ndarray, tables: np.ndarray, checks: np.ndarray
) -> None:
    """Computes the masked CRC-32C of each record.

    Args:
        data: uint8 [S].
        starts: int64 [N], start of each record in the data.
        ends: int64 [N], its end.
        tables: see `checksum_tables`.
        checks: uint32 [N], receives the checksums.
    """
    for n in range(len(starts)):
        checks[n] = _masked_checksum(data, np.uint64(starts[n]), np.uint64(ends[n]), tables)


@inlined
def _put(number: np.uint64, size: int, framed: np.ndarray, offset: np.uint64) -> None:
    for k in range(np.uint64(size)):
        framed[offset + k] = np.uint8(number >> np.uint64(8) * k & np.uint64(0xFF))


@compiled
def frame_records(data: np.ndarray, ends: np.ndarray, tables: np.ndarray, framed: np.ndarray) -> None:
    """Adds the TFRecord framing to records.

    Args:
        data: uint8 [S], the records one after another.
        ends: int64 [N], the end of each in the data.
        tables: see `checksum_tables`.
        framed: uint8 [S + 16 N], receives the framed records.
    """
    # Unsigned, see `word_at`.
    begin, offset = np.uint64(0), np.uint64(0)
    for n in range(len(ends)):
        end = np.uint64(ends[n])
        size = end - begin
        _put(size, 8, framed, offset)
        _put(np.uint64(_masked_checksum(framed, offset, offset + _EIGHT, tables)), 4, framed, offset + _EIGHT)
        offset += np.uint64(12)
        for i in range(size):
            framed[offset + i] = data[begin + i]
        offset += size
        _put(np.uint64(_masked_checksum(data, begin, end, tables)), 4, framed, offset)
        offset += np.uint64(4)
        begin = end


@compiled
def find_records(data: np.ndarray, before: int, after: int, starts: np.ndarray, ends: np.ndarray) -> bool:
    """Follows the lengths in the framing of records, and returns whether N records fill the block.

    Args:
        data: uint8 [bytes], the block.
        before: number of bytes of framing before a record, which begin with its length, 8 bytes.
        after: number of bytes of framing after a record.
        starts: int64 [N], receives the offset of the start of each record.
        ends: int64 [N], receives the offset of its end.
    """
    position = 0
    for n in range(len(starts)):
        left = len(data) - position - before - after
        if left < 0:
            return False
        length = word_at(data, np.uint64(position))
        if length > np.uint64(left):
            return False
        starts[n] = position + before
        ends[n] = starts[n] + np.int64(length)
        position = ends[n] + after
    return position == len(data)
