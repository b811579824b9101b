import numpy as np
import pytest

from textgen.dataset import read_pairs
from textgen.dataset.loading.first_pairs import first_pairs


@pytest.mark.parametrize("layout", ["spans", "pairs"])
def test_the_first_pairs_are_those_of_the_first_batch(build_dataset, tmp_path, layout) -> None:
    documents = [list(range(10, 30)), [7], list(range(40, 60))]
    folder = build_dataset(tmp_path / "data", [{"train": documents}, {"train": documents}], layout=layout)
    for count in (1, 9, 50):
        x, y = next(iter(read_pairs(folder, batch_size=count)))
        found_x, found_y = first_pairs(str(folder), "train", count)
        np.testing.assert_array_equal(found_x, x)
        np.testing.assert_array_equal(found_y, y)
    assert len(first_pairs(str(folder), "train", 10_000)[1]) == 88
