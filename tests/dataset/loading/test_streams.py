import numpy as np
import pytest

from textgen.dataset import read_pairs
from textgen.dataset.loading.read_options import LoadOptions
from textgen.dataset.loading.streams import Stream, open_pairs
from textgen.dataset.loading.tuning import Tuning
from textgen.errors import UserError

STEPS = 7


@pytest.fixture(scope="module")
def folder(build_dataset, tmp_path_factory):
    units = [{"train": [list(range(4, 34)), [40]]}, {"train": [list(range(50, 62))]}]
    return build_dataset(tmp_path_factory.mktemp("datasets") / "pairs", units, layout="pairs", window=3)


def test_any_steps_of_a_stream_are_filled_alike(folder):
    stream = Stream(folder, "train", 7, 0, 1, 0, 0, 1, False, None, Tuning())
    batches = open_pairs(stream, LoadOptions(), compact=False)

    def fill(first: int, end: int) -> list[np.ndarray]:
        return batches.fill_batches(first, end, lambda n: [np.empty((n, 3), np.int32), np.empty(n, np.int32)])

    whole = fill(0, 6)
    for index, joined in enumerate(whole):
        np.testing.assert_array_equal(joined, np.concatenate([fill(step, step + 1)[index] for step in range(6)]))
    assert (batches.steps_per_epoch, batches.whole_steps) == (STEPS, 6)
    assert 0 < len(fill(6, 7)[1]) < 7


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"split": "test"}, r"the test split of this dataset is empty\. Prepare it with --test-percent above 0, or"),
        ({"split": "dev"}, r"split is 'dev'; it must be one of: train, validation, test, all\."),
        ({"batch_size": 0}, r"batch size is 0; it must be at least 1\."),
        ({"epochs": 0}, r"epochs is 0; it must be at least 1\. None stands for a stream without end\."),
        ({"epochs": -1}, r"epochs is -1; it must be at least 1\. None stands for a stream without end\."),
        ({"epochs": 2.0}, r"epochs is 2\.0; it must be at least 1\. None"),
        ({"batch_size": None}, r"batch size is None; it must be at least 1\."),
        ({"batch_size": "8"}, r"batch size is '8'; it must be at least 1\."),
        ({"start_step": None}, r"start step is None; it must be a whole number\."),
        ({"start_step": -1, "epochs": None}, r"start step is -1; it must be at least 0\."),
        ({"seed": 0.5}, r"seed is 0\.5; it must be at least 0\. None stands for the order of the corpus\."),
        ({"worker": None}, r"worker is None; it must be a whole number\."),
        ({"workers": 0}, r"workers is 0; it must be at least 1\."),
        ({"window": 2.5}, r"window is 2\.5; it must be a whole number\. None"),
        ({"min_context": None}, r"min context is None; it must be a whole number\."),
        ({"fraction": None}, r"fraction is None; it must be above 0 and at most 1\."),
        ({"seed": -1}, r"seed is -1; it must be at least 0\. None stands for the order of the corpus\."),
        ({"start_step": -1}, rf"start step is -1; this stream has {STEPS} steps\."),
        ({"start_step": STEPS + 1}, rf"start step is {STEPS + 1}; this stream has {STEPS} steps\."),
        ({"start_step": 2 * STEPS + 1, "epochs": 2}, rf"this stream has {2 * STEPS} steps\."),
    ],
)
def test_a_bad_argument_is_an_error_before_anything_is_read(folder, settings, message):
    with pytest.raises(UserError, match=message):
        read_pairs(folder, **{"batch_size": 7, **settings})


def test_a_folder_that_is_no_dataset_is_an_error_that_says_what_makes_one(tmp_path):
    with pytest.raises(UserError, match=r"it has no manifest\.json\. Make one with `textgen prepare"):
        read_pairs(tmp_path, batch_size=1)
