import math
from pathlib import Path

import pytest

from textgen.dataset import read_manifest
from textgen.training.metrics import MetricSums, bits_per_character, perplexity

TEST = [[*range(4, 16), *range(4, 16)], [7, 8, 9, 1], [12], [5, 4, 6, 5, 4]]


def test_sums_give_means():
    total = MetricSums(loss=4.0, correct=2.0, pairs=8.0)
    assert (total.mean_loss, total.accuracy) == (0.5, 0.25)


def test_perplexity_is_e_to_the_loss_and_infinite_if_that_overflows():
    assert perplexity(1.0) == math.e
    assert perplexity(1e6) == math.inf


def test_bits_per_character_are_the_bits_of_all_targets_over_the_characters(make_dataset, tmp_path: Path):
    data = make_dataset(tmp_path / "data", train=[[4]], test=TEST, layout="spans")
    # Each token of these datasets is a character: 34 of them, with 38 targets.
    assert bits_per_character(1.0, read_manifest(data), "test") == pytest.approx(38 / math.log(2) / 34)


def test_a_stride_that_leaves_out_targets_gives_no_bits_per_character(make_dataset, tmp_path: Path):
    strided = make_dataset(tmp_path / "data", train=[[4, 5, 6]], test=TEST, stride=2)
    assert bits_per_character(1.0, read_manifest(strided), "test") is None
