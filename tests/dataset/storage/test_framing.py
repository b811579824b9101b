import google_crc32c as crc32c
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.dataset.storage import framing
from textgen.dataset.storage.framing import frame, length_checksums, record_checksums
from textgen.dataset.storage.records import Records

RECORDS = st.lists(st.binary(max_size=40), min_size=1, max_size=12)


def joined(records: list[bytes]) -> Records:
    ends = np.cumsum([len(record) for record in records])
    return Records(np.frombuffer(b"".join(records), np.uint8), ends, np.ones(len(records), np.int64))


def masked(data: bytes) -> int:
    check = crc32c.value(data)
    return ((check >> 15 | check << 17) + 0xA282EAD8) & 0xFFFFFFFF


@given(RECORDS)
@settings(max_examples=100, deadline=None)
def test_a_framed_record_has_its_length_and_two_checksums(records: list[bytes]) -> None:
    framed, ends = frame(joined(records))
    expected, places = b"", []
    for record in records:
        length = len(record).to_bytes(8, "little")
        expected += length + masked(length).to_bytes(4, "little") + record + masked(record).to_bytes(4, "little")
        places.append(len(expected))
    assert bytes(framed) == expected
    assert ends.tolist() == places


@pytest.mark.parametrize("many", [1, 1 << 30])
def test_checksums_of_few_and_many_records_are_alike(many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framing, "MANY_RECORDS", many)
    data = np.random.default_rng(1).bytes(3000)
    starts, ends = np.array([0, 5, 5, 100, 0], np.int32), np.array([5, 5, 100, 3000, 3000], np.int32)
    found = record_checksums(data, starts, ends)
    assert found.tolist() == [masked(data[start:end]) for start, end in zip(starts, ends, strict=True)]
    assert found.dtype == np.dtype("<u4")


def test_lengths_have_the_checksums_of_eight_bytes() -> None:
    expected = [masked(length.to_bytes(8, "little")) for length in (3, 70_000, 3, 0)]
    assert length_checksums(np.array([3, 70_000, 3, 0])).tolist() == expected


def test_tensorflow_reads_what_is_framed(tmp_path) -> None:
    records = [b"", b"one", b"x" * 1000]
    (tmp_path / "shard").write_bytes(frame(joined(records))[0])
    assert list(tf.data.TFRecordDataset(str(tmp_path / "shard")).as_numpy_iterator()) == records
