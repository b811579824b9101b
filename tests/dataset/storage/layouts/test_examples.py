import numpy as np
import pytest
import tensorflow as tf

from textgen.dataset.storage import windows
from textgen.dataset.storage.layouts import examples


@pytest.mark.parametrize("value", [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, (1 << 28) - 1, 1 << 28])
def test_the_size_of_a_varint_is_that_which_protobuf_writes(value):
    packed = tf.train.Int64List(value=[value]).SerializeToString()
    assert examples.varint_size(value) == len(packed) - 2


@pytest.mark.parametrize("window", [1, 44, 130, 4096])
def test_the_frame_holds_the_packed_ids(window):
    ids = np.full(window + 1, 300)
    (made,) = examples.encode(windows.sequences([ids]), window=window, stride=window + 1)
    head, middle = examples.example_frame(2 + window - 1, 2)
    record = made.data.tobytes()
    assert record.startswith(head + b"\xac\x02")
    assert record.endswith(b"\0" * (window - 1) + middle + b"\xac\x02")
    assert len(record) == len(head) + window + 1 + len(middle) + 2
