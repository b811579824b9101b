import numpy as np

from textgen.dataset.storage.framing_loops import checksum_records, checksum_tables, frame_records

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
