import keras
import numpy as np
import pytest
import tensorflow as tf

from textgen.config import ModelConfig, NeuralCacheConfig
from textgen.model import networks
from textgen.model.adaptation import Adaptation
from textgen.model.language_model import LanguageModel
from textgen.model.neural_cache import NeuralCache

IDS = [2, 4, 5, 6, 4, 5, 6, 4, 5, 6, 4, 5, 6, 4, 5, 6, 4]


@pytest.fixture
def model() -> LanguageModel:
    keras.utils.set_random_seed(4)
    return networks.build(ModelConfig(network="lstm", embedding=3, units=4), vocabulary_size=9, window=8)


def _read(model: LanguageModel, ids: list[int], *, cache: bool = False, **sizes: float) -> list[float]:
    """The loss of each stretch of four tokens."""
    mixed = NeuralCache(NeuralCacheConfig(tokens=6)) if cache else None
    adaptation = Adaptation(model, cache=mixed, **{"rate": 0.5, "decay": 0.01, **sizes})
    states, losses = adaptation.initial_states(1), []
    for start in range(0, len(ids) - 1, 4):
        x, y = ids[start : start + 4], ids[start + 1 : start + 5]
        found = adaptation.read(tf.constant([x[: len(y)]]), tf.constant([y]), states)
        states = list(found.states)
        losses.append(float(found.sums[0]))
    adaptation.reset()
    return losses


def test_a_step_follows_the_gradient_and_decays_towards_the_trained_weights(model: LanguageModel):
    adaptation = Adaptation(model, rate=0.2, decay=0.1)
    x, y = tf.constant([[2, 4, 5, 0]]), tf.constant([[4, 5, 6, 0]])
    trained = [variable.numpy() for variable in model.trainable_variables]
    expected = trained
    for _ in range(2):
        with tf.GradientTape() as tape:
            logits = model(x)[0, :3]
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y[0, :3], logits=logits))
        gradients = tape.gradient(loss, [variable.value for variable in model.trainable_variables])
        expected = [
            now - 0.2 * tf.convert_to_tensor(gradient) + 0.1 * (first - now)
            for now, gradient, first in zip(expected, gradients, trained, strict=True)
        ]
        found = adaptation.read(x, y, adaptation.initial_states(1))
        assert found.sums.numpy().tolist()[::2] == [pytest.approx(3 * float(loss), rel=1e-5), 3]
        for variable, value in zip(model.trainable_variables, expected, strict=True):
            np.testing.assert_allclose(variable.numpy(), value, atol=1e-5)
    adaptation.reset()
    for variable, value in zip(model.trainable_variables, trained, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)


@pytest.mark.parametrize("cache", [False, True])
def test_nothing_of_the_future_is_used(model: LanguageModel, cache: bool):
    whole = _read(model, IDS, cache=cache)
    # The third stretch of four targets is ids 9 to 12.
    changed = _read(model, [*IDS[:11], 8, 7, 8, 8, 7, 8], cache=cache)
    assert changed[:2] == whole[:2]
    assert changed[2] != whole[2] and changed[3] != whole[3]


def test_text_that_repeats_is_predicted_better_with_each_step_and_alone_it_is_not(model: LanguageModel):
    adapted, fixed = _read(model, IDS * 4), _read(model, IDS * 4, rate=1e-9, decay=0)
    assert sum(adapted[4:]) < 0.8 * sum(fixed[4:])
    assert _read(model, IDS, rate=1e-9) == pytest.approx(_read(model, IDS, rate=1e-9, decay=0), rel=1e-5)


def test_a_step_that_overflows_leaves_finite_weights(model: LanguageModel):
    losses = _read(model, IDS * 3, rate=1e38)
    adaptation = Adaptation(model, rate=1e38, decay=0.0)
    adaptation.read_all(tf.constant([IDS * 3]), tokens=3)
    assert all(np.isfinite(variable.numpy()).all() for variable in model.trainable_variables)
    assert len(losses) == 13
