import numpy as np
import pytest

from textgen.dataset.storage.records import RecordFormat, id_dtype


@pytest.mark.parametrize(
    ("vocabulary_size", "dtype"),
    [(5, "<u2"), (65_536, "<u2"), (65_537, "<u4"), (70_000, "<u4")],
)
def test_ids_take_two_bytes_while_every_id_fits(vocabulary_size, dtype):
    assert id_dtype(vocabulary_size) == np.dtype(dtype)
    assert RecordFormat(1, 1, vocabulary_size).id_dtype == np.dtype(dtype)
    assert np.iinfo(id_dtype(vocabulary_size)).max >= vocabulary_size - 1
