"""Tests of controls with a network that counts: after each letter it likes the next one best."""

import math
import string

import numpy as np
import pytest
import tensorflow as tf

from tests.made_networks import LastIdNetwork
from textgen.config import GenerationConfig, TextConfig
from textgen.generation import writer as writer_module
from textgen.generation.controls import kinds_of, make_controls
from textgen.generation.writer import Writer
from textgen.text.preprocessor import Preprocessor
from textgen.text.vocabulary import Vocabulary

LETTERS = tuple(string.ascii_lowercase)
CHAR = TextConfig(tokenizer="char", case="keep", whitespace="keep", punctuation="keep")


def count(last: tf.Tensor) -> tf.Tensor:
    """After the last letter of a window the next one has the logit 8, the one after it 7, … and [EOS] 2."""
    last = tf.maximum(last, 3)
    distance = (tf.range(len(LETTERS)) - (last[:, tf.newaxis] - 3)) % len(LETTERS)
    return tf.concat([tf.fill([tf.shape(last)[0], 4], 2.0), 8.0 - tf.cast(distance, tf.float32)], axis=1)


@pytest.fixture(scope="module")
def writer() -> Writer:
    return make_writer()


def make_writer() -> Writer:
    preprocessor = Preprocessor(CHAR, Vocabulary(LETTERS, (1,) * len(LETTERS)))
    return Writer(LastIdNetwork(5, count), preprocessor, boundaries=True)


def _write(writer: Writer, prompt: str = "a", **settings) -> str:
    (found,) = writer.write([prompt], GenerationConfig(**{"tokens": 8, "temperature": 0, "echo": False, **settings}))
    return found.text


def test_the_network_counts(writer: Writer):
    assert _write(writer) == "bcdefghi"
    assert _write(writer, echo=True) == "abcdefghi"


@pytest.mark.parametrize(
    ("settings", "text", "tokens", "reason"),
    [
        ({"stop": "d"}, "bc", 3, "stop"),
        ({"stop": ("zz", "fg", "efg")}, "bcd", 6, "stop"),
        ({"stop": "b", "min_tokens": 3}, "bcdefghi", 8, "length"),
        ({"stop": "ab"}, "bcdefghi", 8, "length"),
        ({"ban": ("c", "d")}, "befghijk", 8, "length"),
        ({"logit_bias": {"x": 100}}, "xxxxxxxx", 8, "length"),
        ({"no_repeat_ngram": 1, "logit_bias": {"x": 100}}, "xyzbcdef", 8, "length"),
        ({"presence_penalty": 4, "logit_bias": {"x": 50}, "tokens": 3}, "xxx", 3, "length"),
        ({"frequency_penalty": 50, "logit_bias": {"x": 60}, "tokens": 3}, "xyz", 3, "length"),
        ({"repetition_penalty": 100, "logit_bias": {"b": 3}, "tokens": 3}, "bcd", 3, "length"),
        ({"may_end": True, "logit_bias": {"[EOS]": 50}}, "", 0, "end"),
        ({"may_end": True, "logit_bias": {"[EOS]": 50}, "min_tokens": 3}, "bcd", 3, "end"),
        ({"logit_bias": {"[EOS]": 50}}, "bcdefghi", 8, "length"),
        ({"no_repeat_ngram": 1, "tokens": 50}, "bcdefghijklmnopqrstuvwxyz", 25, "end"),
        ({"temperature": 1, "top_k": 1}, "bcdefghi", 8, "length"),
        ({"temperature": 1, "top_p": 1e-30}, "bcdefghi", 8, "length"),
        ({"temperature": 1, "min_p": 1}, "bcdefghi", 8, "length"),
        ({"temperature": 1e-30}, "bcdefghi", 8, "length"),
        ({"tokens": 1}, "b", 1, "length"),
    ],
)
def test_a_setting_does_what_it_says(writer: Writer, settings: dict, text: str, tokens: int, reason: str):
    config = GenerationConfig(**{"tokens": 8, "temperature": 0, "echo": False, **settings})
    (found,) = writer.write(["a"], config)
    assert (found.text, len(found.tokens), found.reason) == (text, tokens, reason)
    assert len(found.log_probabilities) == tokens
    assert all(math.isfinite(value) and value <= 0 for value in found.log_probabilities)


def test_a_schedule_has_one_temperature_per_token_and_the_last_goes_on(writer: Writer):
    text = _write(writer, temperature=(0, 0, 1e9, 1e9, 0), tokens=40, seed=1)
    assert text[:2] == "bc" and text[2:4] != "de"
    after = "".join(LETTERS[(ord(text[3]) - ord("a") + i) % 26] for i in range(1, 37))
    assert text[4:] == after


def test_log_probabilities_are_the_networks_whatever_the_settings(writer: Writer):
    logits = count(tf.constant([4]))
    expected = tf.nn.log_softmax(logits)[0].numpy()
    config = GenerationConfig(tokens=1, temperature=9, ban="b", top_k=1, presence_penalty=3)
    (found,) = writer.write(["a"], config)
    assert found.tokens == ("c",)
    assert found.log_probabilities[0] == pytest.approx(expected[6], abs=1e-6)
    (ended,) = writer.write(["a"], GenerationConfig(may_end=True, temperature=0, logit_bias={"[EOS]": 99}))
    assert ended.tokens == () and ended.log_probabilities == ()


def test_a_text_is_the_same_in_every_batch_and_differs_between_samples(writer: Writer):
    config = GenerationConfig(tokens=30, temperature=3, seed=5)

    def texts(prompts: list[str], samples: int = 1) -> list[str]:
        return [found.text for found in writer.write(prompts, config, samples=samples)]

    together = texts(["bc", "zz", "a", "a", ""])
    assert [together[i] for i in (0, 2, 4)] == [*texts(["bc"]), *texts(["a"]), *texts([""])]
    many = texts(["a"], samples=70)
    assert many[:2] == together[2:4]
    assert len(set(many)) == 70
    assert texts(["a"] * 70) == many


def test_rows_with_other_settings_share_a_batch(writer: Writer):
    configs = [
        GenerationConfig(tokens=3, temperature=0),
        GenerationConfig(tokens=9, temperature=2, seed=3, stop="m", no_repeat_ngram=2),
        GenerationConfig(tokens=6, temperature=1, top_k=2, ban="c", repetition_penalty=1.5),
        GenerationConfig(tokens=5, temperature=1, may_end=True, seed=8),
    ]
    controls = make_controls(configs, writer.preprocessor)
    together = writer.generator.generate(tf.constant(["a"] * 4), controls, 3)
    for row, config in enumerate(configs):
        alone = writer.generator.generate(tf.constant(["a"]), make_controls([config], writer.preprocessor), 3)
        assert together.texts[row] == alone.texts[0]
        length = int(alone.lengths[0])
        assert int(together.lengths[row]) == length and together.reasons[row] == alone.reasons[0]
        for whole, one in zip(together.written, alone.written, strict=True):
            np.testing.assert_allclose(whole[row, :length], one[0, :length], rtol=1e-6)


def test_the_alternatives_are_the_likeliest_tokens(writer: Writer):
    controls = make_controls([GenerationConfig(tokens=2, temperature=0)], writer.preprocessor)
    written = writer.generator.generate(tf.constant(["a"]), controls, 2).written
    assert written.top_ids.numpy().tolist() == [[[5, 6], [6, 7]]]
    np.testing.assert_allclose(written.top_log_probabilities[0, :, 0], written.log_probabilities[0], rtol=1e-6)


def test_a_text_written_in_pieces_is_the_same(writer: Writer):
    controls = make_controls(
        [GenerationConfig(tokens=9, temperature=2, stop="zz")] * 2, writer.preprocessor, samples=[0, 1]
    )
    prompts = tf.constant(["a", "xyz"])
    whole = writer.generator.generate(prompts, controls, 0)
    state, ids = writer.generator.begin(prompts, controls), []
    for steps in (1, 3, 100, 5):
        state, written = writer.generator.advance(state, controls, steps, 0)
        ids.append(written.ids)
    np.testing.assert_array_equal(tf.concat(ids, axis=1), whole.written.ids)
    np.testing.assert_array_equal(state.reasons, whole.reasons)


def test_no_value_traces_the_graph_again(writer: Writer):
    first = writer.generator_for(GenerationConfig())
    for settings in ({"tokens": 3}, {"stop": ("a", "b")}, {"temperature": (1, 2, 3)}, {"top_p": 0.5, "ban": "x"}):
        writer.write(["a", "b"], GenerationConfig(**settings))
    for generator in (first, writer.generator):
        assert generator.generate.experimental_get_tracing_count() == 1


def test_the_graph_of_few_settings_is_that_of_all_where_others_have_no_effect():
    # The first settings that a writer is given decide about its smaller graph.
    writer = make_writer()
    config = GenerationConfig(tokens=20, temperature=2, ban="d", logit_bias={"e": 1})
    small = writer.generator_for(config)
    assert small.kinds == kinds_of([config]) != writer.generator.kinds
    controls = make_controls([config] * 2, writer.preprocessor, samples=[0, 1])
    found, expected = (g.generate(tf.constant(["a", "b"]), controls, 0) for g in (small, writer.generator))
    assert found.texts.numpy().tolist() == expected.texts.numpy().tolist()


def test_a_network_of_infinities_and_nan_still_writes_tokens():
    def without_numbers(last: tf.Tensor) -> tf.Tensor:
        logits = count(last)
        return logits + tf.constant(
            [math.nan] * 2 + [math.inf] * 5 + [-math.inf] * 5 + [0.0] * (logits.shape[1] - 12)
        )

    preprocessor = Preprocessor(CHAR, Vocabulary(LETTERS, (1,) * len(LETTERS)))
    broken = Writer(LastIdNetwork(5, without_numbers), preprocessor, boundaries=True)
    broken.generator_for(GenerationConfig(top_p=0.5))
    for temperature in (0.0, 1e-30, 1.0, 3e38):
        for top_p in (1e-38, 0.5, 1.0):
            (found,) = broken.write(["a"], GenerationConfig(tokens=4, temperature=temperature, top_p=top_p))
            assert len(found.tokens) == 4
            assert all(math.isfinite(value) for value in found.log_probabilities)


@pytest.mark.parametrize(
    "settings",
    [{}, {"stop": ("gh", "ghx")}, {"stop": "zz", "echo": False}, {"may_end": True, "logit_bias": {"[EOS]": 5}}],
)
@pytest.mark.parametrize("seconds_per_call", [0.0, 1000.0])
def test_a_stream_joins_to_the_text(
    writer: Writer, settings: dict, seconds_per_call: float, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(writer_module, "_SECONDS_PER_CALL", seconds_per_call)
    config = GenerationConfig(**{"tokens": 12, "temperature": 1.5, "seed": 4, **settings})
    pieces = list(writer.stream("a", config))
    (found,) = writer.write(["a"], config)
    assert "".join(pieces) == found.text
    assert len(pieces) > 3 or found.reason == "end"


def test_a_text_is_resumed_after_any_token(writer: Writer):
    config = GenerationConfig(tokens=9, temperature=0, stop="jk")
    controls = make_controls([config], writer.preprocessor)
    state = writer.generator.resume(tf.constant(["a"]), tf.constant([[5, 6, 7]]), controls).state
    state, written = writer.generator.advance(state, controls, 50, 0)
    texts = writer.generator.token_texts(tf.constant(["a"]), written.ids, 0)
    assert b"".join(texts.numpy()[0]) == b"efghijk" and int(state.cuts[0]) == 2
