import math

import numpy as np
import pytest
import tensorflow as tf

from textgen.config import GenerationConfig, TextConfig
from textgen.generation.controls import make_controls
from textgen.generation.penalties import dense_biases
from textgen.generation.plain_sampling import finite_softmax, is_plain_now, log_total, plain_sampling
from textgen.text.preprocessor import Preprocessor
from textgen.text.vocabulary import Vocabulary

WORDS = Preprocessor(TextConfig(), Vocabulary(("a", "b"), (1, 1)))


@pytest.mark.parametrize(
    ("settings", "is_plain", "allowed"),
    [
        ({}, True, [0, 0, 0, 0]),
        ({"may_end": True}, True, [0, 0, 0, 1]),
        ({"ban": ("a",)}, False, [0, 0, 0, 0]),
        ({"min_tokens": 3, "stop": ("b",), "seed": 7, "tokens": 9}, True, [0, 0, 0, 0]),
        ({"may_end": True, "min_tokens": 3}, False, [0, 0, 0, 1]),
        *(
            ({name: value}, False, [0, 0, 0, 0])
            for name, value in {
                "temperature": (1.0, 0.9), "top_k": 1, "top_p": 0.5, "min_p": 0.1, "repetition_penalty": 2.0,
                "presence_penalty": 1.0, "frequency_penalty": 1.0, "no_repeat_ngram": 2, "logit_bias": {"a": 1.0},
            }.items()
        ),
    ],
)  # fmt: skip
def test_settings_that_change_a_probability_are_not_plain(settings: dict, is_plain: bool, allowed: list[int]):
    controls = make_controls([GenerationConfig(**settings)], WORDS)
    found = plain_sampling(controls, dense_biases(controls, 6))
    assert bool(found.is_plain) == is_plain
    assert found.allowed.numpy().tolist() == [allowed]


@pytest.mark.parametrize(("logit", "is_plain"), [(0.0, True), (5.0, True), (50.0, False)])
def test_nothing_is_sampled_from_what_a_certain_end_has_left(logit: float, is_plain: bool):
    controls = make_controls([GenerationConfig()], WORDS)
    probabilities = tf.nn.softmax(tf.constant([[0.0, 0, 0, logit, 0, 0]]))
    assert bool(is_plain_now(plain_sampling(controls, dense_biases(controls, 6)), probabilities)) == is_plain


def test_what_is_not_finite_becomes_impossible():
    nan, inf = math.nan, math.inf
    for row, expected in (
        ([0, nan, 0], [0.5, 0, 0.5]),
        ([1, inf, nan], [1, 0, 0]),
        ([-inf, 0, 0], [0, 0.5, 0.5]),
        ([-inf, -inf], [0.5, 0.5]),
        ([3e38, 0, 0], [1, 0, 0]),
    ):
        logits, probabilities = finite_softmax(tf.constant([row], tf.float32))
        np.testing.assert_allclose(probabilities[0], expected)
        assert np.abs(logits).max() <= 1e30


@pytest.mark.parametrize("number", [0, 2])
def test_the_total_is_known_from_a_likely_and_from_an_impossible_token(number: int):
    logits = tf.constant([[3.0, 1.0, -500.0]])
    found = log_total(logits, tf.nn.softmax(logits), tf.constant([number]))
    np.testing.assert_allclose(found, [3 + math.log1p(math.exp(-2))], rtol=1e-6)
