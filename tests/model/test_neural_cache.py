import numpy as np
import pytest
import tensorflow as tf

from textgen.config import PAD, NeuralCacheConfig
from textgen.model.neural_cache import NeuralCache

WIDTH, TOKENS = 5, 9
CONFIG = NeuralCacheConfig(tokens=4, sharpness=3.0, weight=0.4)


def _text(places: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores, hidden vectors and the tokens that came, of one row."""
    random = np.random.RandomState(seed)
    scores, hidden = random.normal(size=[places, TOKENS]), random.normal(size=[places, WIDTH])
    return scores.astype(np.float32), hidden.astype(np.float32), random.randint(1, TOKENS, places)


def _expected(
    scores: np.ndarray, hidden: np.ndarray, y: np.ndarray, config: NeuralCacheConfig = CONFIG
) -> np.ndarray:
    """By the formula, a place after another; memories are those places before it that fit."""
    found = []
    for place, (row, h) in enumerate(zip(scores.astype(np.float64), hidden, strict=True)):
        p = np.exp(row) / np.exp(row).sum()
        then = [earlier for earlier in range(place) if y[earlier] != PAD]
        if then:
            likeness = np.array([h @ hidden[j] / np.linalg.norm(h) / np.linalg.norm(hidden[j]) for j in then])
            weights = np.exp(config.sharpness * likeness)
            votes = np.zeros(TOKENS)
            np.add.at(votes, y[then], weights / weights.sum())
            p = (1 - config.weight) * p + config.weight * votes
        found.append(np.log(p))
    return np.array(found)


def _recall(memory: NeuralCache, *rows: tuple[np.ndarray, np.ndarray, np.ndarray], fresh: list[bool]) -> np.ndarray:
    scores, hidden, y = (np.stack(values) for values in zip(*rows, strict=True))
    return memory.mix(tf.constant(scores), tf.constant(hidden), tf.constant(y, tf.int32), tf.constant(fresh)).numpy()


def test_like_places_vote_for_the_tokens_that_came_after_them():
    text = _text(5)
    found = _recall(NeuralCache(CONFIG, rows=1, width=WIDTH), text, fresh=[True])
    np.testing.assert_allclose(found[0], _expected(*text), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(np.exp(found).sum(-1), 1, rtol=1e-5)


def test_what_comes_later_is_not_looked_at():
    text, other = _text(5), _text(5)
    other[2][3:], other[1][4:] = 8, 1
    found, changed = (_recall(NeuralCache(CONFIG, rows=1, width=WIDTH), row, fresh=[True]) for row in (text, other))
    np.testing.assert_array_equal(found[0, :4], changed[0, :4])


def test_rows_that_go_on_remember_what_fits():
    text, memory = _text(6), NeuralCache(CONFIG, rows=1, width=WIDTH)
    parts = [tuple(values[first : first + 2] for values in text) for first in (0, 2, 4)]
    found = np.concatenate([_recall(memory, part, fresh=[not n])[0] for n, part in enumerate(parts)])
    np.testing.assert_allclose(found, _expected(*text), rtol=1e-4, atol=1e-5)
    last = _text(2, seed=1)
    # Four places back from where its row begins.
    together = [np.concatenate(pair) for pair in zip(text, last, strict=True)]
    expected = _expected(*(values[2:] for values in together))
    np.testing.assert_allclose(_recall(memory, last, fresh=[False])[0], expected[-2:], rtol=1e-4, atol=1e-5)


def test_a_row_that_begins_anew_remembers_nothing_of_the_one_before():
    memory, texts = NeuralCache(CONFIG, rows=2, width=WIDTH), [_text(3, seed) for seed in range(4)]
    _recall(memory, texts[0], texts[1], fresh=[True, True])
    found = _recall(memory, texts[2], texts[3], fresh=[True, False])
    np.testing.assert_allclose(found[0], _expected(*texts[2]), rtol=1e-4, atol=1e-5)
    assert not np.allclose(found[1], _expected(*texts[3]), atol=1e-3)


def test_padding_is_not_remembered():
    scores, hidden, y = _text(5)
    y[1:3] = PAD
    found = _recall(NeuralCache(CONFIG, rows=1, width=WIDTH), (scores, hidden, y), fresh=[True])
    np.testing.assert_allclose(found[0], _expected(scores, hidden, y), rtol=1e-4, atol=1e-5)


def test_a_token_that_neither_believes_in_has_a_finite_loss():
    scores, hidden, y = _text(3)
    scores[:, 7], y[:] = -200, 2
    found = _recall(NeuralCache(CONFIG, rows=1, width=WIDTH), (scores, hidden, y), fresh=[True])
    assert np.isfinite(found).all()
    assert found[0, 2, 7] == pytest.approx(np.log(0.6) - 200, rel=0.05)
