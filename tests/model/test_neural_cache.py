import numpy as np
import pytest
import tensorflow as tf

from textgen.config import PAD, NeuralCacheConfig
from textgen.model.neural_cache import NeuralCache

WIDTH, TOKENS = 5, 9
CONFIG = NeuralCacheConfig(tokens=4, sharpness=3.0, weight=0.4)


Row = tuple[np.ndarray, np.ndarray, np.ndarray]


def _text(positions: int, seed: int = 0) -> Row:
    """Returns logits, hidden vectors and the tokens that followed, of one row."""
    random = np.random.RandomState(seed)
    logits, hidden = random.normal(size=[positions, TOKENS]), random.normal(size=[positions, WIDTH])
    return logits.astype(np.float32), hidden.astype(np.float32), random.randint(1, TOKENS, positions)


def _expected(
    logits: np.ndarray, hidden: np.ndarray, y: np.ndarray, config: NeuralCacheConfig = CONFIG
) -> np.ndarray:
    """Returns the log-probabilities by the formula, one position at a time; the last positions are cached."""
    found = []
    for position, (row, h) in enumerate(zip(logits.astype(np.float64), hidden, strict=True)):
        p = np.exp(row) / np.exp(row).sum()
        cached = [i for i in range(max(0, position - config.tokens), position) if y[i] != PAD]
        if cached:
            similarity = np.array([h @ hidden[j] / np.linalg.norm(h) / np.linalg.norm(hidden[j]) for j in cached])
            weights = np.exp(config.sharpness * similarity)
            votes = np.zeros(TOKENS)
            np.add.at(votes, y[cached], weights / weights.sum())
            p = (1 - config.weight) * p + config.weight * votes
        found.append(np.log(p))
    return np.array(found)


class _Mixer:
    """Mixes consecutive batches of rows, and keeps the states between them."""

    def __init__(self, rows: int):
        self._cache = NeuralCache(CONFIG)
        self._states = self._cache.initial_states(rows, WIDTH)

    def mix(self, *rows: Row, fresh: list[bool]) -> np.ndarray:
        logits, hidden, y = (tf.constant(np.stack(values)) for values in zip(*rows, strict=True))
        y = tf.cast(y, tf.int32)
        mixed, self._states = self._cache.mix(logits, hidden, y, tf.constant(fresh), self._states)
        return mixed.numpy()


def test_similar_positions_raise_the_tokens_that_followed_them():
    text = _text(5)
    found = _Mixer(1).mix(text, fresh=[True])
    np.testing.assert_allclose(found[0], _expected(*text), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(np.exp(found).sum(-1), 1, rtol=1e-5)


def test_a_prediction_does_not_depend_on_later_positions():
    text, other = _text(5), _text(5)
    other[2][3:], other[1][4:] = 8, 1
    found, changed = (_Mixer(1).mix(row, fresh=[True]) for row in (text, other))
    np.testing.assert_array_equal(found[0, :4], changed[0, :4])


@pytest.mark.parametrize("widths", [[15], [1] * 15, [2, 2, 11], [6, 1, 3, 5], [4, 4, 4, 3]])
def test_each_position_reads_exactly_the_last_positions_however_the_row_is_divided(widths: list[int]):
    text, mixer, found, done = _text(15), _Mixer(1), list[np.ndarray](), 0
    for width in widths:
        part = tuple(values[done : done + width] for values in text)
        found.append(mixer.mix(part, fresh=[not done])[0])
        done += width
    np.testing.assert_allclose(np.concatenate(found), _expected(*text), rtol=1e-4, atol=1e-5)


def test_the_cache_of_a_fresh_row_is_empty():
    mixer, texts = _Mixer(2), [_text(3, seed) for seed in range(4)]
    mixer.mix(texts[0], texts[1], fresh=[True, True])
    found = mixer.mix(texts[2], texts[3], fresh=[True, False])
    np.testing.assert_allclose(found[0], _expected(*texts[2]), rtol=1e-4, atol=1e-5)
    assert not np.allclose(found[1], _expected(*texts[3]), atol=1e-3)


def test_padding_is_not_cached():
    logits, hidden, y = _text(5)
    y[1:3] = PAD
    found = _Mixer(1).mix((logits, hidden, y), fresh=[True])
    np.testing.assert_allclose(found[0], _expected(logits, hidden, y), rtol=1e-4, atol=1e-5)


def test_a_token_that_network_and_cache_find_unlikely_has_a_finite_loss():
    logits, hidden, y = _text(3)
    logits[:, 7], y[:] = -200, 2
    found = _Mixer(1).mix((logits, hidden, y), fresh=[True])
    assert np.isfinite(found).all()
    assert found[0, 2, 7] == pytest.approx(np.log(0.6) - 200, rel=0.05)
