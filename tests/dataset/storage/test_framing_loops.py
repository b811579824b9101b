import numpy as np
import pytest

from textgen.dataset.storage.framing_loops import checksum_records, checksum_tables, find_records, frame_records

# The check value of CRC-32C is that of these digits, in every catalogue of such codes.
DIGITS, CHECK = b"123456789", 0xE3069283
MASKED = ((CHECK >> 15 | CHECK << 17) + 0xA282EAD8) & 0xFFFFFFFF


def test_the_checksum_is_the_known_one() -> None:
    checks = np.zeros(2, np.uint32)
    data = np.frombuffer(b"x" + DIGITS, np.uint8)
    checksum_records(data, np.array([1, 1]), np.array([10, 1]), checksum_tables(), checks)
    assert checks.tolist() == [MASKED, 0xA282EAD8]


def test_a_record_is_framed() -> None:
    framed = np.zeros(len(DIGITS) + 16, np.uint8)
    frame_records(np.frombuffer(DIGITS, np.uint8), np.array([len(DIGITS)]), checksum_tables(), framed)
    assert bytes(framed[:8]) == len(DIGITS).to_bytes(8, "little")
    assert bytes(framed[12:]) == DIGITS + MASKED.to_bytes(4, "little")


def edges(data: bytes, count: int) -> tuple[bool, list[int], list[int]]:
    starts, ends = np.zeros(count, np.int64), np.zeros(count, np.int64)
    fills = find_records(np.frombuffer(data, np.uint8), 12, 4, starts, ends)
    return fills, starts.tolist(), ends.tolist()


def framed(length: int, data: bytes) -> bytes:
    return length.to_bytes(8, "little") + bytes(4) + data + bytes(4)


def test_records_are_found_by_their_lengths() -> None:
    assert edges(framed(3, b"abc") + framed(0, b""), 2) == (True, [12, 31], [15, 31])


@pytest.mark.parametrize("length", [2, 4, 1 << 31, 1 << 32, 1 << 63, (1 << 64) - 13])
def test_records_of_other_lengths_do_not_fill_a_block(length: int) -> None:
    assert not edges(framed(length, b"abc"), 1)[0]


@pytest.mark.parametrize("count", [0, 2])
def test_another_number_of_records_does_not_fill_a_block(count: int) -> None:
    assert not edges(framed(3, b"abc"), count)[0]
