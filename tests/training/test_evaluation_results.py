import math
from pathlib import Path

import pytest

from tests.conftest import MakeDataset
from textgen.dataset import read_manifest
from textgen.training.evaluation_results import loss_metrics


@pytest.mark.parametrize(("stride", "bits"), [(1, 5 / 4 / math.log(2)), (2, None)])
def test_all_metrics_of_a_loss_follow_from_it(make_dataset: MakeDataset, tmp_path: Path, stride: int, bits: float):
    manifest = read_manifest(make_dataset(tmp_path / "data", train=[[4, 5, 6, 7]], stride=stride))
    # Four characters have five targets.
    found = loss_metrics(1.0, manifest, "train")
    assert found == {"loss": 1.0, "perplexity": math.e, "bits_per_character": bits and pytest.approx(bits)}
