import tensorflow as tf

from tests.serving.conftest import Served
from textgen.config import GenerationConfig
from textgen.generation.controls import make_controls
from textgen.serving.batch_rows import BatchRows, join, select

CONFIGS = (
    GenerationConfig(tokens=12, seed=1),
    GenerationConfig(tokens=12, seed=2, stop=("ab", "e"), temperature=(2, 0.5)),
    GenerationConfig(tokens=12, seed=3, presence_penalty=2, logit_bias={"q": 3}),
    GenerationConfig(tokens=12, seed=4, no_repeat_ngram=2, repetition_penalty=1.5),
)


def test_rows_that_join_late_write_what_they_write_alone(served: Served):
    generator, preprocessor = served.writer.generator, served.writer.preprocessor

    def begin(config: GenerationConfig) -> BatchRows:
        controls = make_controls([config], preprocessor)
        return BatchRows(generator.begin(tf.constant(["abba"]), controls), controls)

    alone = [generator.generate(tf.constant(["abba"]), begin(config).controls, 0) for config in CONFIGS]
    rows = begin(CONFIGS[0])
    written: list[list[int]] = [[]]
    for config in (*CONFIGS[1:], None):
        state, new = generator.advance(rows.state, rows.controls, 2 if config else 20, 0)
        for ids, row in zip(written, new.ids.numpy().tolist(), strict=True):
            ids += [number for number in row if number]
        rows = BatchRows(state, rows.controls)
        if config:
            rows, written = join(rows, begin(config)), [*written, []]
    for ids, expected in zip(written, alone, strict=True):
        assert ids == expected.written.ids[0, : int(expected.lengths[0])].numpy().tolist()
    kept = select(rows, [3, 1])
    assert kept.state.lengths.numpy().tolist() == [int(alone[i].lengths[0]) for i in (3, 1)]
