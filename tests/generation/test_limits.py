import numpy as np
import pytest
import tensorflow as tf

from tests.generation.test_sampling import LOGITS, many, sample_rows
from textgen.generation.limits import Limits
from textgen.generation.sampling import sample


def _softmax(logits: np.ndarray) -> np.ndarray:
    exponentials = np.exp(np.float64(logits) - np.max(logits))
    return exponentials / exponentials.sum()


def _restricted(logits: np.ndarray, top_k: int, top_p: float, min_p: float) -> np.ndarray:
    """The distribution by its definition: sorted tokens, one limit after the other."""
    order = np.argsort(-logits, kind="stable")
    kept = order[: top_k or None]
    probabilities = _softmax(logits[kept])
    if top_p < 1:
        kept = kept[np.cumsum(probabilities) - probabilities < top_p]
    probabilities = _softmax(logits[kept])
    kept = kept[probabilities >= min_p * probabilities[0]]
    found = np.zeros(len(logits))
    found[kept] = _softmax(logits[kept])
    return found


@pytest.mark.parametrize(
    ("top_k", "top_p", "min_p"),
    [(2, 1.0, 0.0), (0, 0.7, 0.0), (0, 1.0, 0.3), (3, 0.9, 0.2), (600, 0.5, 0.0), (1, 1.0, 0.0), (0, 1e-30, 0.0)],
)
def test_only_the_likeliest_are_drawn_as_often_as_they_are_by_definition(top_k: int, top_p: float, min_p: float):
    logits = np.array(LOGITS[0], np.float32)
    expected = _restricted(logits, top_k, top_p, min_p)
    counts = np.bincount(
        sample_rows(many(LOGITS[0], 4000), 1.0, top_k=top_k, top_p=top_p, min_p=min_p), minlength=len(logits)
    )
    assert set(np.flatnonzero(counts)) == set(np.flatnonzero(expected))
    np.testing.assert_allclose(counts / 4000, expected, atol=0.035)


@pytest.mark.parametrize(("top_p", "at_least"), [(0.5, 1000), (0.05, 100), (1e-4, 1)])
def test_the_nucleus_of_nearly_equal_tokens_is_found(top_p: float, at_least: int):
    logits = np.random.default_rng(3).normal(size=3000).astype(np.float32) * 0.1
    expected = np.flatnonzero(_restricted(logits, 0, top_p, 0.0))
    assert len(expected) >= at_least
    drawn = set(sample_rows(many(logits.tolist(), 6000), 1.0, top_p=top_p).tolist())
    assert drawn <= set(expected.tolist())
    assert len(drawn) > 0.95 * len(expected)


@pytest.mark.parametrize(
    ("top_k", "top_p", "min_p"),
    [(40, 1.0, 0.0), (300, 1.0, 0.0), (300, 0.8, 0.0), (40, 0.6, 0.1), (0, 0.6, 0.0), (0, 1.0, 0.2), (0, 1e-45, 0.0)],
)
def test_of_many_tokens_the_right_ones_are_drawn_as_often_as_by_definition(top_k: int, top_p: float, min_p: float):
    logits = (2 * np.random.default_rng(4).normal(size=1000)).astype(np.float32)
    expected = _restricted(logits, top_k, top_p, min_p)
    count = 20_000
    drawn = np.bincount(sample_rows(many(logits.tolist(), count), 1.0, top_k=top_k, top_p=top_p, min_p=min_p))
    counts = np.pad(drawn, [0, len(logits) - len(drawn)])
    assert set(np.flatnonzero(counts)) <= set(np.flatnonzero(expected))
    np.testing.assert_allclose(counts / count, expected, atol=0.015)


def test_a_row_with_limits_is_drawn_alike_whatever_the_others_of_its_batch():
    logits = tf.constant(2 * np.random.default_rng(5).normal(size=(6, 1000)), tf.float32)
    limits = [(40, 1.0, 0.0), (0, 1.0, 0.0), (0, 0.5, 0.0), (0, 0.999, 0.0), (500, 1.0, 0.0), (0, 1.0, 0.1)]
    for number in np.random.default_rng(6).random(50):

        def draw_rows(rows: list[int], number: float = number) -> list[int]:
            return sample(
                tf.gather(logits, rows),
                temperatures=tf.ones([len(rows)]),
                limits=Limits(*(tf.constant([limits[row][i] for row in rows]) for i in range(3))),
                numbers=tf.fill([len(rows)], tf.constant(number, tf.float64)),
            ).numpy().tolist()  # fmt: skip

        assert draw_rows(list(range(6))) == [draw_rows([row])[0] for row in range(6)]


def test_equal_logits_are_cut_off_at_k():
    assert set(sample_rows(many([0.0] * 400, 4000), 1.0, top_k=7)) == set(range(7))


def test_each_row_has_its_own_limits():
    drawn = sample(
        tf.constant(many([3.0, 2.0, 1.0, 0.0], 400)),
        temperatures=tf.repeat([1.0, 1.0, 0.0, 5.0], 100),
        limits=Limits(tf.repeat([2, 0, 0, 0], 100), tf.repeat([1.0, 0.5, 1.0, 1.0], 100), tf.zeros([400])),
        numbers=tf.constant(np.random.default_rng(0).random(400)),
    ).numpy()
    assert [set(part) for part in np.split(drawn, 4)] == [{0, 1}, {0}, {0}, {0, 1, 2, 3}]
