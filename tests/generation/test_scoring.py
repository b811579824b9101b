import keras
import numpy as np
import pytest
import tensorflow as tf

from textgen.config import BOS, PAD, ModelConfig, TextConfig
from textgen.generation.scoring import Scorer, Scores
from textgen.model import networks
from textgen.text.preprocessor import Preprocessor
from textgen.text.vocabulary import Vocabulary

WINDOW = 5
CHAR = TextConfig(tokenizer="char", case="keep", whitespace="keep", punctuation="keep")
PREPROCESSOR = Preprocessor(CHAR, Vocabulary(tuple("abcdefgh"), (1,) * 8))
TEXTS = ("abc", "", "hgfedcba" * 20, "abxyd")


@pytest.fixture(scope="module", params=["lstm", "bilstm"])
def model(request: pytest.FixtureRequest) -> keras.Model:
    keras.utils.set_random_seed(3)
    config = ModelConfig(network=request.param, embedding=4, units=5)
    model = networks.build(config, vocabulary_size=12, window=WINDOW)
    model.set_weights([4 * weight for weight in model.get_weights()])
    return model


def _by_hand(model: keras.Model, ids: list[int], *, boundaries: bool) -> list[float]:
    """The log-probability of each token, by one call of the model on what stands before it."""
    found = []
    for position, target in enumerate(ids):
        before = ([BOS] if boundaries else []) + ids[:position]
        if not before:
            found.append(np.nan)
            continue
        if model.config.causal:
            logits = model(tf.constant([before]))[0, -1]
        else:
            last = before[-WINDOW:]
            logits = model(tf.constant([last + [PAD] * (WINDOW - len(last))]))[0]
        found.append(float(tf.nn.log_softmax(logits)[target]))
    return found


@pytest.mark.parametrize("boundaries", [True, False])
def test_every_token_has_its_log_probability_after_those_before_it(model: keras.Model, boundaries: bool):
    texts = [text[:9] for text in TEXTS]
    scores = Scorer(model, PREPROCESSOR, boundaries=boundaries).score(tf.constant(texts), 3)
    for row, ids in enumerate(PREPROCESSOR.encode(tf.constant(texts)).to_list()):
        length = int(scores.lengths[row])
        assert scores.ids[row, :length].numpy().tolist() == ids
        expected = _by_hand(model, ids, boundaries=boundaries)
        np.testing.assert_allclose(scores.log_probabilities[row, :length], expected, atol=1e-5)
        assert not np.any(scores.log_probabilities[row, length:])


def test_a_long_text_is_scored_as_a_short_one_and_each_alone_as_together(model: keras.Model):
    scorer = Scorer(model, PREPROCESSOR)
    together = scorer.score(tf.constant(TEXTS), 2)
    assert together.lengths.numpy().tolist() == [3, 0, 160, 5]
    for row, text in enumerate(TEXTS):
        alone = Scores(*(tensor[0] for tensor in scorer.score(tf.constant([text]), 2)))
        length = len(text)
        np.testing.assert_allclose(together.log_probabilities[row, :length], alone.log_probabilities, atol=1e-5)
        np.testing.assert_array_equal(together.top_ids[row, :length], alone.top_ids)
    short = scorer.score(tf.constant([TEXTS[2][:70]]), 0).log_probabilities[0]
    np.testing.assert_allclose(together.log_probabilities[2, :70], short, atol=1e-5)
    assert scorer.score.experimental_get_tracing_count() == 1


def test_the_alternatives_are_the_likeliest(model: keras.Model):
    scores = Scorer(model, PREPROCESSOR).score(tf.constant(["abc"]), 12)
    assert scores.top_ids.shape == (1, 3, 12)
    np.testing.assert_allclose(
        tf.reduce_logsumexp(scores.top_log_probabilities, axis=-1), np.zeros((1, 3)), atol=1e-5
    )
    assert np.all(np.diff(scores.top_log_probabilities, axis=-1) <= 0)
