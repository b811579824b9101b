import numpy as np
import pytest
import tensorflow as tf

from tests.serving.conftest import Served
from textgen.config import GenerationConfig
from textgen.generation.controls import make_controls
from textgen.serving.batch_rows import BatchRows
from textgen.serving.token_loop import TokenLoop

CONFIGS = (GenerationConfig(tokens=5, seed=1), GenerationConfig(tokens=400, seed=2))


@pytest.fixture(scope="module")
def loop(served: Served) -> TokenLoop:
    return TokenLoop([served.writer.generator_for(CONFIGS[0]), served.writer.generator])


def _begin(loop: TokenLoop, served: Served, *configs: GenerationConfig) -> BatchRows:
    controls = make_controls(configs, served.writer.preprocessor)
    return BatchRows(loop.generator_for(configs).begin(tf.constant(["ab"] * len(configs)), controls), controls)


def test_a_call_ends_soon_after_a_text_and_later_ones_go_on(loop: TokenLoop, served: Served):
    rows, first = loop.write(_begin(loop, served, *CONFIGS), CONFIGS, seconds=1000, top=0)
    assert first.ids.shape == (2, 16)
    assert rows.state.lengths.numpy().tolist() == [5, 16]
    whole = served.writer.generator.generate(
        tf.constant(["ab"]), make_controls(CONFIGS[1:], served.writer.preprocessor), 0
    )
    alone, second = loop.write(_begin(loop, served, CONFIGS[1]), CONFIGS[1:], seconds=1000, top=0)
    assert alone.state.lengths.numpy().tolist() == [400]
    np.testing.assert_array_equal(second.ids, whole.written.ids)
    np.testing.assert_array_equal(first.ids[1:], whole.written.ids[:, :16])


def test_a_call_that_is_interrupted_writes_one_token(loop: TokenLoop, served: Served):
    rows = _begin(loop, served, CONFIGS[1])
    loop.interrupt()
    rows, _ = loop.write(rows, CONFIGS[1:], seconds=1000, top=0)
    assert rows.state.lengths.numpy().tolist() == [1]
    loop.allow()
    rows, _ = loop.write(rows, CONFIGS[1:], seconds=1000, top=0)
    assert rows.state.lengths.numpy().tolist() == [400]


@pytest.mark.parametrize(("seconds", "tokens"), [(None, 0), (0.0, 1), (1000.0, 16)])
def test_a_text_is_begun_with_some_tokens_and_goes_on(
    loop: TokenLoop, served: Served, seconds: float | None, tokens: int
):
    controls = make_controls(CONFIGS, served.writer.preprocessor)
    ids = tf.constant([[], []], tf.int32)
    begun = loop.begin(tf.constant(["ab", "abc"]), ids, controls, CONFIGS, seconds=seconds, top=2)
    assert begun.prompts.numpy().tolist() == [b"ab", b"abc"]
    assert begun.prompt_tokens.numpy().tolist() == [2, 3]
    assert begun.written.top_ids.shape == (2, tokens, 2)
    assert begun.rows.state.lengths.numpy().tolist() == [min(tokens, 5), tokens]
    whole = served.writer.generator.generate(tf.constant(["ab", "abc"]), controls, 0)
    np.testing.assert_array_equal(begun.written.ids, whole.written.ids[:, :tokens])
    for text, expected in zip(begun.texts.numpy(), whole.texts.numpy(), strict=True):
        assert expected.startswith(text)


def test_a_beginning_that_is_interrupted_writes_nothing(loop: TokenLoop, served: Served):
    controls = make_controls(CONFIGS[1:], served.writer.preprocessor)
    loop.interrupt()
    begun = loop.begin(tf.constant([""]), tf.constant([[5, 6]]), controls, CONFIGS[1:], seconds=1000, top=0)
    loop.allow()
    assert begun.rows.state.lengths.numpy().tolist() == [0]
    assert begun.prompts.numpy().tolist() == [b"bc"]


def test_without_time_one_token_is_written(loop: TokenLoop, served: Served):
    rows, written = loop.write(_begin(loop, served, *CONFIGS), CONFIGS, seconds=0, top=2)
    assert rows.state.lengths.numpy().tolist() == [1, 1]
    assert written.top_ids.shape == (2, 1, 2)


def test_the_generator_of_few_kinds_is_taken_where_it_heeds_all(served: Served):
    few, everything = served.model.engine._loop._generators
    engine_loop = served.model.engine._loop
    assert engine_loop.generator_for(CONFIGS) is few
    assert engine_loop.generator_for([*CONFIGS, GenerationConfig(top_k=3)]) is everything
