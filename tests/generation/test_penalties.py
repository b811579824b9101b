import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.config import BOS, EOS, PAD, UNK, GenerationConfig, TextConfig
from textgen.generation import penalties
from textgen.generation.controls import Controls, make_controls
from textgen.model.masking import MASKED_LOGIT
from textgen.text.preprocessor import Preprocessor
from textgen.text.vocabulary import Vocabulary

SIZE = 10
WORDS = Preprocessor(TextConfig(), Vocabulary(tuple("abcdef"), (1,) * 6))
LOGITS = [0.0, 0.0, 0.0, 0.0, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0]


def _controls(*configs: GenerationConfig) -> Controls:
    return make_controls(configs, WORDS)


def _adjusted(controls: Controls, prompts: list[list[int]], *new: list[int]) -> np.ndarray:
    so_far = penalties.begin(tf.ragged.constant(prompts, tf.int32), controls, SIZE)
    for ids in new:
        so_far = penalties.append(so_far, tf.constant(ids), controls)
    biases = penalties.dense_biases(controls, SIZE)
    logits = tf.tile(tf.constant([LOGITS]), [len(prompts), 1])
    return penalties.adjust(logits, so_far, biases, controls).numpy()


def test_without_settings_logits_stay_except_of_what_stands_for_no_text():
    (found, ending) = _adjusted(_controls(GenerationConfig(), GenerationConfig(may_end=True)), [[2, 4]] * 2, [5, 5])
    assert (found[[PAD, UNK, BOS, EOS]] < MASKED_LOGIT / 2).all() and found[4:].tolist() == LOGITS[4:]
    assert (ending[[PAD, UNK, BOS]] < MASKED_LOGIT / 2).all() and ending[3:].tolist() == LOGITS[3:]


def test_penalties_are_those_of_the_definitions_for_each_row():
    configs = [
        GenerationConfig(repetition_penalty=2),
        GenerationConfig(presence_penalty=0.5),
        GenerationConfig(frequency_penalty=0.25),
        GenerationConfig(),
    ]
    found = _adjusted(_controls(*configs), [[2, 4, 5]] * 4, [6] * 4, [6] * 4, [7] * 4)
    # In the prompt or written, positive ones are divided and others multiplied.
    assert found[0, 4:].tolist() == [0.5, -2.0, 1.0, -4.0, 3.0, -3.0]
    assert found[1, 4:].tolist() == [1.0, -1.0, 1.5, -2.5, 3.0, -3.0]
    assert found[2, 4:].tolist() == [1.0, -1.0, 1.5, -2.25, 3.0, -3.0]
    assert found[3, 4:].tolist() == LOGITS[4:]


def test_biases_are_added_and_banned_tokens_are_masked():
    found = _adjusted(
        _controls(GenerationConfig(logit_bias={"a": 5, "b": -100}, ban="c"), GenerationConfig()), [[2]] * 2
    )
    assert found[0, 4:6].tolist() == [6.0, -101.0]
    assert found[0, 6] < MASKED_LOGIT / 2
    assert found[1, 4:].tolist() == LOGITS[4:]


def test_the_end_is_masked_in_the_given_rows_alone():
    logits = tf.constant([LOGITS, LOGITS])
    found = penalties.forbid_end(logits, tf.constant([True, False])).numpy()
    assert found[0, EOS] == MASKED_LOGIT and found[1].tolist() == LOGITS
    assert np.delete(found[0], EOS).tolist() == np.delete(LOGITS, EOS).tolist()


def _banned(text: list[int], n: int) -> set[int]:
    """The tokens that would complete an n-gram of a text, by the definition."""
    ngrams = {tuple(text[i : i + n]) for i in range(len(text) - n + 1)}
    return {token for token in range(SIZE) if n and (*text[len(text) - n + 1 :], token) in ngrams}


@settings(max_examples=60, deadline=None)
@given(
    prompts=st.lists(st.lists(st.integers(4, 6), min_size=1, max_size=7), min_size=1, max_size=3),
    new=st.lists(st.integers(4, 6), max_size=6),
    sizes=st.lists(st.integers(0, 5), min_size=3, max_size=3),
)
def test_no_ngram_is_completed_twice(prompts: list[list[int]], new: list[int], sizes: list[int]):
    sizes = sizes[: len(prompts)]
    controls = _controls(*[GenerationConfig(no_repeat_ngram=n) for n in sizes])
    found = _adjusted(controls, prompts, *[[token] * len(prompts) for token in new])
    for row, n, prompt in zip(found, sizes, prompts, strict=True):
        expected = _banned(prompt + new, n)
        assert {int(i) for i in np.flatnonzero(row < MASKED_LOGIT / 2)} - {PAD, UNK, BOS, EOS} == expected


@pytest.mark.parametrize("config", [GenerationConfig(), GenerationConfig(tokens=7, temperature=0)])
def test_what_no_text_needs_takes_no_memory(config: GenerationConfig):
    so_far = penalties.begin(tf.ragged.constant([[2, 4]], tf.int32), _controls(config), SIZE)
    assert [tensor.shape[1] for tensor in so_far] == [0, 0, 0]
    for tensor, spec in zip(so_far, penalties.tokens_so_far_specs(), strict=True):
        assert spec.is_compatible_with(tensor)
