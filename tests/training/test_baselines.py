import doctest
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.config import BOS, EOS, PAD, UNK
from textgen.dataset import read_manifest
from textgen.training import baselines
from textgen.training.baselines import FIRST_WEIGHTS, Interpolation, NgramCounts, Packing, count_keys, em_step

A, B, C = 4, 5, 6
TRAIN = [[A, B, C, A, A], [B, UNK]]
TEST = [[A, B, UNK], [C]]
VOCABULARY = 7
TRIGRAMS = Packing(3, 3)

IDS = st.integers(1, VOCABULARY - 1)
DOCUMENTS = st.lists(st.lists(IDS, min_size=2, max_size=9), min_size=1, max_size=5)


def _losses(data: Path, split: str = "test", **settings: int) -> dict[str, float]:
    return baselines.losses(data, read_manifest(data), split=split, **settings)


def _keys(documents: list[list[int]]) -> np.ndarray:
    """Returns the keys of the trigrams that end in each id but the first of each document."""
    pairs = [(document[max(0, p - 2) : p], document[p]) for document in documents for p in range(1, len(document))]
    return TRIGRAMS.pack(np.array([[*x, PAD][:2] for x, _ in pairs]), np.array([y for _, y in pairs]))


def _counted(wanted: np.ndarray, documents: list[list[int]]) -> Interpolation:
    model = Interpolation(wanted, TRIGRAMS, vocabulary_size=VOCABULARY)
    model.count(_keys(documents))
    return model


@pytest.fixture(scope="module")
def data(make_dataset, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("baselines") / "data"
    return make_dataset(folder, train=TRAIN, test=TEST, vocabulary_size=VOCABULARY, window=3)


def test_losses_equal_those_worked_by_hand(data: Path):
    # Counts of each id as a training target: UNK 1, EOS 2, a 3, b 2, c 1; one is added for each of the 7 ids.
    unigram = [4 / 16, 3 / 16, 2 / 16, 3 / 16, 2 / 16, 3 / 16]
    # Counts as contexts: BOS and b 2, a 3, c and UNK 1. λ is 1/3 for two binary digits, and 1/5 for one.
    bigram = [
        1 / 3 * 1 / 2 + 2 / 3 * unigram[0],  # a after BOS
        1 / 3 * 1 / 3 + 2 / 3 * unigram[1],  # b after a
        1 / 3 * 1 / 2 + 2 / 3 * unigram[2],  # UNK after b
        1 / 5 * 1 + 4 / 5 * unigram[3],  # EOS after UNK
        2 / 3 * unigram[4],  # c after BOS
        4 / 5 * unigram[5],  # EOS after c
    ]
    trigram = [
        1 / 3 * 1 / 2 + 2 / 3 * bigram[0],  # a at the start of a document, a context that occurs twice
        1 / 5 * 1 + 4 / 5 * bigram[1],  # b after BOS, a
        4 / 5 * bigram[2],  # UNK after a, b, which occurs once
        1 / 5 * 1 + 4 / 5 * bigram[3],  # EOS after b, UNK
        2 / 3 * bigram[4],  # c at a document's start
        bigram[5],  # EOS after BOS, c, which never occurs
    ]
    expected = {
        name: -sum(map(math.log, values)) / 6
        for name, values in {"unigram": unigram, "bigram": bigram, "trigram": trigram}.items()
    }
    assert _losses(data) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("settings", [{}, {"boundaries": False}, {"stride": 2}, {"window": 300}])
def test_both_layouts_have_the_same_losses(make_dataset, tmp_path: Path, settings: dict):
    rng = np.random.default_rng(2)
    documents = [rng.integers(1, VOCABULARY, size).tolist() for size in (40, 9, 1, 17_000, 2, 30)]
    splits = {"train": documents[:4], "validation": documents[4:5], "test": documents[5:]}
    found = [
        _losses(make_dataset(tmp_path / layout, **splits, vocabulary_size=VOCABULARY, layout=layout, **settings))
        for layout in ("pairs", "spans")
    ]
    assert found[0] == pytest.approx(found[1], rel=1e-12)


def test_without_boundaries_the_first_token_is_no_target(make_dataset, tmp_path: Path):
    plain = make_dataset(
        tmp_path / "data", train=TRAIN, test=[[A, EOS]], vocabulary_size=VOCABULARY, window=3, boundaries=False
    )
    # Targets are b, c, a, a and UNK.
    assert _losses(plain)["unigram"] == pytest.approx(math.log(5 + 7))


def test_a_stride_leaves_out_targets_of_the_training_split_too(make_dataset, tmp_path: Path):
    strided = make_dataset(tmp_path / "data", train=TRAIN, test=TEST, vocabulary_size=VOCABULARY, window=3, stride=2)
    # Training's targets are a, c, a, b and EOS; those of test a, UNK and c.
    expected = -sum(math.log(count / 12) for count in (3, 1, 2)) / 3
    assert _losses(strided)["unigram"] == pytest.approx(expected)


def test_the_weights_are_fitted_on_the_validation_split_only(make_dataset, tmp_path: Path):
    validation = [[A, B, C, A, B, C], [B, UNK, A]]
    data = make_dataset(
        tmp_path / "data", train=TRAIN, validation=validation, test=TEST, vocabulary_size=VOCABULARY, window=3
    )
    scored, held_out, train = (
        _keys([[BOS, *document, EOS] for document in documents]) for documents in (TEST, validation, TRAIN)
    )
    model = Interpolation(np.concatenate([scored, held_out]), TRIGRAMS, vocabulary_size=VOCABULARY)
    model.count(train)
    model.fit(count_keys([held_out]))
    expected = [model.loss(count_keys([scored]), order=order) for order in (1, 2, 3)]
    assert list(_losses(data).values()) == pytest.approx(expected, rel=1e-12)
    assert list(_losses(data, "validation").values()) == pytest.approx(
        [model.loss(count_keys([held_out]), order=order) for order in (1, 2, 3)], rel=1e-12
    )


def test_the_training_split_has_only_a_unigram_loss(data: Path):
    expected = -sum(count * math.log((count + 1) / 16) for count in (1, 2, 3, 2, 1)) / 9
    assert _losses(data, "train") == pytest.approx({"unigram": expected})


def test_a_window_of_one_token_has_no_trigram(make_dataset, tmp_path: Path):
    for layout in ("pairs", "spans"):
        narrow = make_dataset(
            tmp_path / layout, train=TRAIN, test=TEST, vocabulary_size=VOCABULARY, window=1, layout=layout
        )
        assert list(_losses(narrow)) == ["unigram", "bigram"]


def test_there_is_no_trigram_if_three_ids_do_not_fit_in_a_key(data: Path):
    expected = _losses(data)
    del expected["trigram"]
    assert _losses(data, key_bits=8) == pytest.approx(expected)


def test_keys_of_the_largest_ids_that_fit_are_not_negative():
    most = (1 << 21) - 1
    packing = Packing(21, 3)
    (key,) = packing.pack(np.array([[most, most]]), np.array([most]))
    assert key == (1 << 63) - 1
    assert packing.shortened(np.array([key]), order=2).tolist() == [(1 << 42) - 1]


def test_a_key_holds_the_last_ids_of_a_padded_window():
    x = np.array([[BOS, 0, 0], [BOS, A, 0], [A, B, C]], np.uint16)
    keys = TRIGRAMS.pack(x, np.array([A, B, EOS], np.uint16))
    assert [oct(key) for key in keys] == ["0o24", "0o245", "0o563"]
    assert [oct(key) for key in TRIGRAMS.contexts(keys)] == ["0o2", "0o24", "0o56"]
    assert [oct(key) for key in TRIGRAMS.shortened(keys, order=2)] == ["0o24", "0o45", "0o63"]


@given(st.lists(st.lists(st.integers(0, 30), max_size=8), max_size=8))
def test_counts_of_batches_are_those_of_all_keys_at_once(batches: list[list[int]]):
    found = count_keys(np.array(batch, np.int64) for batch in batches)
    assert dict(zip(found.keys.tolist(), found.counts.tolist(), strict=True)) == Counter(sum(batches, []))
    assert (np.diff(found.keys) > 0).all()


@settings(deadline=None)
@given(DOCUMENTS, DOCUMENTS)
def test_probabilities_after_any_context_are_positive_and_sum_to_one(train, held_out):
    all_keys = np.arange(1 << 9).reshape(8, 8, 8)[:VOCABULARY, :VOCABULARY, :VOCABULARY]
    model = _counted(all_keys.ravel(), train)
    model.fit(count_keys([_keys(held_out)]))
    for order in (1, 2, 3):
        probabilities = model.probabilities(all_keys.ravel(), order=order).reshape(all_keys.shape)
        assert (probabilities > 0).all()
        np.testing.assert_allclose(probabilities.sum(axis=2), 1, rtol=1e-12)


@settings(deadline=None)
@given(DOCUMENTS, DOCUMENTS)
def test_counts_do_not_depend_on_the_other_wanted_keys(train, scored):
    ngrams = count_keys([_keys(scored)])
    alone, among_all = _counted(ngrams.keys, train), _counted(np.arange(1 << 9), train)
    for order in (1, 2, 3):
        assert alone.loss(ngrams, order=order) == among_all.loss(ngrams, order=order)


def test_weights_stay_below_one_if_every_held_out_target_is_predicted():
    model = _counted(np.arange(1 << 9), [[A, B] * 50])
    model.fit(NgramCounts(_keys([[A, B] * 50])[:1], np.array([10**9])))
    assert 0 < model.probabilities(_keys([[B, A, C]]), order=3)[-1] < 1e-6


def test_an_em_step_equals_one_worked_by_hand():
    frequencies, lower, counts = np.array([0.75, 0.5]), np.array([0.25, 0.5]), np.array([6, 2])
    assert FIRST_WEIGHTS[4] == 1 / 2
    # The expected fraction of the own order is 3/4 for the first and 1/2 for the second; the prior adds 2 * 1/2.
    found = em_step(FIRST_WEIGHTS, frequencies, np.array([4, 4]), lower, counts)
    assert found[4] == pytest.approx((6 * 0.75 + 2 * 0.5 + 2 * 0.5) / (6 + 2 + 2))
    np.testing.assert_allclose(np.delete(found, 4), np.delete(FIRST_WEIGHTS, 4))


OBSERVED = st.tuples(st.floats(0, 1), st.floats(1e-9, 1), st.integers(1, 6), st.integers(1, 1000))


@given(st.lists(OBSERVED, min_size=1, max_size=20))
def test_an_em_step_never_lowers_the_likelihood_of_held_out_targets(observed):
    frequencies, lower, buckets, counts = map(np.array, zip(*observed, strict=True))

    def log_posterior(weights: np.ndarray) -> float:
        mixed = weights[buckets] * frequencies + (1 - weights[buckets]) * lower
        prior, seen = FIRST_WEIGHTS[1:], weights[1:]
        return counts @ np.log(mixed) + 2 * (prior @ np.log(seen) + (1 - prior) @ np.log1p(-seen))

    weights = FIRST_WEIGHTS
    for _ in range(20):
        before, weights = weights, em_step(weights, frequencies, buckets, lower, counts)
        assert weights[0] == 0
        assert ((weights[1:] > 0) & (weights[1:] < 1)).all()
        assert log_posterior(weights) >= log_posterior(before) - 1e-9 * abs(log_posterior(before))


def test_the_examples_in_the_docstrings_hold():
    result = doctest.testmod(baselines)
    assert result.attempted
    assert not result.failed
