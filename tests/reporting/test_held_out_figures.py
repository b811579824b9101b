from pathlib import Path

import pytest

from tests.conftest import MakeDataset
from textgen.errors import UserError
from textgen.reporting.run_page import run_page


def test_another_dataset_is_refused(make_dataset: MakeDataset, reported_run: Path, tmp_path: Path):
    other = make_dataset(tmp_path / "data", train=[[4]], test=[[5]])
    with pytest.raises(UserError, match="does not fit the model"):
        run_page(reported_run, data=str(other), split="test")


def test_a_split_that_is_not_held_out_is_refused(reported_run: Path, reported_data: Path):
    with pytest.raises(UserError, match="split is train; generated text is compared with held-out text"):
        run_page(reported_run, data=str(reported_data), split="train")
