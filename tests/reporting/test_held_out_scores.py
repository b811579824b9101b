from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from textgen import runs
from textgen.config import BOS
from textgen.dataset import read_manifest
from textgen.reporting.held_out_scores import (
    ScoredDocument,
    calibration,
    loss_by_context,
    loss_by_frequency,
    score_documents,
)
from textgen.runs.run_vocabulary import load_preprocessor


def _document(ids: list[int], losses: list[float], **settings) -> ScoredDocument:
    count = len(ids)
    confidences = np.array(settings.get("confidences", [0.5] * count))
    hits = np.array(settings.get("hits", [True] * count))
    return ScoredDocument(np.array(ids), -np.array(losses, np.float64), confidences, hits)


DOCUMENTS = [_document([4, 5, 1, 6], [1, 2, 3, 4]), _document([5, 4], [5, 7])]


def test_scores_are_those_of_the_texts(reported_data: Path, reported_run: Path):
    config = runs.load(reported_run)
    preprocessor = load_preprocessor(reported_run, config)
    model = runs.load_model(reported_run, config)
    found = score_documents(model, preprocessor, reported_data, read_manifest(reported_data), split="test")
    assert sorted(len(one.ids) for one in found) == [1, 7, 30]
    assert [one.loss for one in found] == sorted(one.loss for one in found)
    for one in found:
        logits, _ = model(np.array([[BOS, *one.ids[:-1]]], np.int32), model.initial_states(1), training=False)
        expected = tf.nn.log_softmax(logits[0]).numpy()
        assert one.log_probabilities == pytest.approx(expected[np.arange(len(one.ids)), one.ids], rel=1e-4)
        assert one.confidences == pytest.approx(np.exp(expected.max(axis=1)), rel=1e-4)
        assert (one.hits == (expected.argmax(axis=1) == one.ids)).all()


def test_loss_by_the_tokens_of_the_window():
    found = loss_by_context(DOCUMENTS, window=3)
    assert [(group.name, group.tokens, group.loss) for group in found] == [
        ("1", 2, 3.0), ("2", 2, 4.5), ("3 and more", 2, 3.5)
    ]  # fmt: skip


def test_loss_by_the_tokens_of_the_document_is_grouped_by_doubling():
    found = loss_by_context([_document([4] * 9, list(range(9)))], window=None)
    assert [(group.name, group.tokens, group.loss) for group in found] == [
        ("1", 1, 0.0), ("2", 2, 1.5), ("4", 4, 4.5), ("8", 2, 7.5)
    ]  # fmt: skip


def test_a_large_window_has_groups_of_several_positions():
    found = loss_by_context([_document([4] * 300, [1.0] * 300)], window=200)
    assert len(found) == 50
    assert sum(group.tokens for group in found) == 300


def test_loss_by_frequency():
    counts = [-1, -1, -1, -1, 250, 9, 0]
    found = loss_by_frequency(DOCUMENTS, counts)
    assert [(group.name, group.tokens, group.loss) for group in found] == [
        ("unknown tokens", 1, 3.0), ("never", 1, 4.0), ("1 to 9", 2, 3.5), ("100 to 999", 2, 4.0)
    ]  # fmt: skip


def test_a_token_without_a_score_is_in_no_group():
    found = loss_by_context([_document([4, 5], [np.nan, 2.0])], window=5)
    assert [(group.name, group.tokens, group.loss) for group in found] == [("2", 1, 2.0)]


def test_calibration_by_hand():
    one = _document(
        [4] * 4, [1.0, 1.0, 1.0, np.nan], confidences=[0.31, 0.39, 1.0, 0.9], hits=[True, False, True, False]
    )
    found = calibration([one])
    assert found.confidences == pytest.approx([0.35, 1.0])
    assert found.accuracies == [0.5, 1.0]
    assert found.tokens == [2, 1]
    assert found.error == pytest.approx(2 / 3 * 0.15)
