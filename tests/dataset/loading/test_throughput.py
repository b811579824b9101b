import pytest

from textgen.dataset.loading import throughput
from textgen.errors import UserError


def test_the_rate_counts_the_pairs_that_are_read(build_dataset, tmp_path, monkeypatch):
    folder = build_dataset(tmp_path / "data", [{"train": [list(range(4, 104))]}])
    clock = iter([0.0, 2.0, 3.0, 4.0, 7.0])
    monkeypatch.setattr(throughput, "monotonic", lambda: next(clock))
    # Batches of 64, 37, 64 and 37 pairs: one before the clock starts, three in the five seconds after it.
    found = throughput.measure(folder, batch_size=64, seconds=5)
    assert found == (2.0, (37 + 64 + 37) / 5)


def test_a_folder_that_is_no_dataset_is_an_error(tmp_path):
    with pytest.raises(UserError, match="manifest"):
        throughput.measure(tmp_path, batch_size=1, seconds=1)
