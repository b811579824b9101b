import numpy as np
import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.estimation import estimate
from pipelines.prepare import prepare
from textgen.config import PrepareConfig, TextConfig
from textgen.dataset import read_pairs, verify
from textgen.dataset.storage import windows
from textgen.dataset.storage.blocks import record_edges
from textgen.dataset.storage.layouts import LAYOUTS, examples
from textgen.dataset.storage.layouts.pairs import Pairs, ParsedPairs
from textgen.dataset.storage.layouts.spans import Spans
from textgen.dataset.storage.records import RecordFormat, RecordLimits, Records, id_dtype

SPANS = Spans()

# Ids on both sides of every length that a varint takes, and in between.
token_ids = st.one_of(
    st.integers(1, 70_000),
    st.sampled_from([1, 127, 128, 16_383, 16_384, 65_535]),
)
small_ids = token_ids.filter(lambda number: number < 1 << 16)


def cut(made):
    """Records as (bytes, pairs)."""
    starts = [0, *made.ends.tolist()]
    data = made.data.tobytes()
    return [(data[a:b], n) for a, b, n in zip(starts, made.ends.tolist(), made.pairs.tolist(), strict=False)]


def pair_records(ids, *, window, stride):
    """The records of the pairs of one sequence."""
    written = RecordFormat(window, stride, 1 << 17)
    found = [one for made in Pairs().encode(windows.sequences([ids]), written) for one in cut(made)]
    assert all(pairs == 1 for _, pairs in found)
    return [record for record, _ in found]


def span_records(ids, *, window, stride, vocabulary_size, layout=SPANS):
    """The spans of one sequence, as (bytes, pairs)."""
    return span_records_of([ids], window=window, stride=stride, vocabulary_size=vocabulary_size, layout=layout)


def span_records_of(each, *, window, stride, vocabulary_size, layout=SPANS):
    """The spans of sequences, as (bytes, pairs)."""
    written = RecordFormat(window, stride, vocabulary_size)
    return [one for made in layout.encode(windows.sequences(each), written) for one in cut(made)]


def parse_pairs(serialized, *, window):
    """The pairs of Examples, by TensorFlow's own parser: int32 [N, W], int32 [N]."""
    features = {"x": tf.io.FixedLenFeature([window], tf.int64), "y": tf.io.FixedLenFeature([], tf.int64)}
    parsed = tf.io.parse_example(serialized, features)
    return tf.cast(parsed["x"], tf.int32), tf.cast(parsed["y"], tf.int32)


def pairs_by_examples(ids, *, window, stride=1):
    """The pairs of a sequence, through the bytes of its Examples and TensorFlow's own parser."""
    serialized = list(pair_records(np.array(ids, np.int32), window=window, stride=stride))
    x, y = parse_pairs(tf.constant(serialized, tf.string), window=window)
    assert (x.dtype, y.dtype) == (tf.int32, tf.int32)
    return list(zip(x.numpy().tolist(), y.numpy().tolist(), strict=True))


def pairs_by_spans(cut_spans, sequences, *, window, stride, vocabulary_size, layout=SPANS):
    made = [
        span_records(np.array(ids), window=window, stride=stride, vocabulary_size=vocabulary_size, layout=layout)
        for ids in sequences
    ]
    serialized = [one for spans in made for one in spans]
    if not serialized:
        return []
    x, y = cut_spans(
        [record for record, _ in serialized], window=window, stride=stride, dtype=id_dtype(vocabulary_size)
    )
    assert (x.dtype, y.dtype) == (np.int32, np.int32)
    assert len(y) == sum(pairs for _, pairs in serialized)
    return list(zip(x.tolist(), y.tolist(), strict=True))


def as_example(x, y):
    int64s = {name: tf.train.Int64List(value=values) for name, values in (("x", x), ("y", [y]))}
    feature = {name: tf.train.Feature(int64_list=values) for name, values in int64s.items()}
    return tf.train.Example(features=tf.train.Features(feature=feature))


def test_the_bytes_of_a_pair():
    serialized = list(pair_records(np.array([2, 4, 300, 3]), window=3, stride=1))
    # One field a line: Features, entry x of 12 bytes, entry y.
    assert [record.hex(" ") for record in serialized] == [
        "0a 1a 0a 0c 0a 01 78 12 07 1a 05 0a 03 02 00 00 0a 0a 0a 01 79 12 05 1a 03 0a 01 04",
        "0a 1b 0a 0c 0a 01 78 12 07 1a 05 0a 03 02 04 00 0a 0b 0a 01 79 12 06 1a 04 0a 02 ac 02",
        "0a 1b 0a 0d 0a 01 78 12 08 1a 06 0a 04 02 04 ac 02 0a 0a 0a 01 79 12 05 1a 03 0a 01 03",
    ]


def test_the_bytes_of_a_span():
    ids = np.array([2, 4, 300, 3])
    assert [
        (record.hex(" ", 2), pairs) for record, pairs in span_records(ids, window=3, stride=1, vocabulary_size=9)
    ] == [("0100 0200 0400 2c01 0300", 3)]
    ((record, pairs),) = span_records(ids, window=3, stride=2, vocabulary_size=1 << 17)
    assert (record.hex(" ", 4), pairs) == ("01000000 02000000 04000000 2c010000 03000000", 2)


@given(st.lists(token_ids, max_size=40), st.integers(1, 300), st.integers(1, 5))
@example([70_000] * 400, 300, 7)
@example([2, 127, 128, 16_383, 16_384, 70_000, 3], 3, 1)
@settings(max_examples=60, deadline=None)
def test_a_pair_is_the_example_that_protobuf_writes(naive_pairs, ids, window, stride):
    serialized = list(pair_records(np.array(ids, np.int64), window=window, stride=stride))
    expected = naive_pairs(ids, window=window, stride=stride)
    assert serialized == [as_example(x, y).SerializeToString(deterministic=True) for x, y in expected]


@given(st.lists(token_ids, min_size=2, max_size=40), st.integers(1, 300), st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_any_reader_of_examples_reads_a_pair(naive_pairs, ids, window, stride):
    expected = naive_pairs(ids, window=window, stride=stride)
    for record, (x, y) in zip(pair_records(np.array(ids), window=window, stride=stride), expected, strict=True):
        feature = tf.train.Example.FromString(record).features.feature
        assert set(feature) == {"x", "y"}
        assert list(feature["x"].int64_list.value) == x
        assert list(feature["y"].int64_list.value) == [y]
    assert pairs_by_examples(ids, window=window, stride=stride) == expected


@pytest.mark.parametrize("window", [1, 127, 128, 300])
def test_long_documents_of_long_ids_are_read_back(naive_pairs, window):
    ids = np.concatenate([[2], np.arange(65_000, 70_001, 11), [3]])
    assert pairs_by_examples(ids, window=window) == naive_pairs(ids, window=window)


@pytest.mark.parametrize("ids", [[], [2]])
def test_a_sequence_without_a_target_has_no_record(ids):
    assert list(pair_records(np.array(ids, np.int32), window=3, stride=1)) == []
    assert list(span_records(np.array(ids, np.int32), window=3, stride=1, vocabulary_size=9)) == []


@given(st.lists(st.lists(small_ids, max_size=40), max_size=5), st.integers(1, 12), st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_spans_hold_the_pairs_of_the_other_layout(cut_spans, sequences, window, stride):
    expected = [
        pair for ids in sequences if len(ids) > 1 for pair in pairs_by_examples(ids, window=window, stride=stride)
    ]
    assert pairs_by_spans(cut_spans, sequences, window=window, stride=stride, vocabulary_size=1 << 16) == expected
    assert pairs_by_spans(cut_spans, sequences, window=window, stride=stride, vocabulary_size=70_001) == expected


@pytest.mark.parametrize(("stride", "vocabulary_size"), [(1, 1 << 16), (2, 1 << 16), (3, 70_001)])
def test_a_document_of_several_spans_has_the_pairs_of_the_other_layout(
    cut_spans, naive_pairs, stride, vocabulary_size
):
    ids = np.random.RandomState(0).randint(4, vocabulary_size, 2 * SPANS.max_targets + 100).tolist()
    size = vocabulary_size
    assert len(span_records(np.array(ids), window=5, stride=stride, vocabulary_size=size)) == 3
    assert pairs_by_spans(cut_spans, [ids], window=5, stride=stride, vocabulary_size=size) == naive_pairs(
        ids, window=5, stride=stride
    )


@given(
    st.lists(st.lists(small_ids, max_size=60), max_size=3),
    st.integers(1, 12),
    st.integers(1, 9),
    st.integers(1, 10),
    st.integers(1, 6),
)
@settings(max_examples=100, deadline=None)
def test_spans_of_any_length_hold_every_pair_once(
    cut_spans, naive_pairs, sequences, window, stride, most_targets, context
):
    layout = Spans(max_targets=most_targets, min_context=context)
    made = pairs_by_spans(cut_spans, sequences, window=window, stride=stride, vocabulary_size=1 << 16, layout=layout)
    assert made == [pair for ids in sequences for pair in naive_pairs(ids, window=window, stride=stride)]


def test_a_span_has_context_enough_for_a_longer_window_than_it_was_written_for(cut_spans, naive_pairs):
    layout = Spans(max_targets=10)
    ids = np.arange(4, 400)
    spans = [record for record, _ in span_records(ids, window=2, stride=1, vocabulary_size=400, layout=layout)]
    x, y = cut_spans(spans, window=layout.min_context, stride=1, dtype=id_dtype(400))
    assert list(zip(x.tolist(), y.tolist(), strict=True)) == naive_pairs(ids, window=layout.min_context)


def test_a_span_is_never_longer_than_its_limit():
    ids = np.full(40_000, 7)
    for record, pairs in span_records(ids, window=300, stride=1, vocabulary_size=9):
        assert pairs <= SPANS.max_targets
        assert len(record) <= 2 * (1 + 300 + SPANS.max_targets)


@given(st.lists(st.lists(token_ids, max_size=40), min_size=1, max_size=5), st.integers(1, 12), st.integers(1, 9))
@settings(max_examples=60, deadline=None)
def test_the_records_of_many_sequences_are_those_of_each(sequences, window, at_once):
    each = [np.array(ids, np.int64) for ids in sequences]
    made = list(examples.encode(windows.sequences(each), window=window, stride=1, at_once=at_once))
    assert all(len(some.ends) <= at_once for some in made)
    assert [record for some in made for record, _ in cut(some)] == [
        record for ids in each for record in pair_records(ids, window=window, stride=1)
    ]
    assert span_records_of(each, window=window, stride=1, vocabulary_size=1 << 17) == [
        span for ids in each for span in span_records(ids, window=window, stride=1, vocabulary_size=1 << 17)
    ]


def test_the_pairs_of_both_layouts_are_those_of_the_windows_module(cut_spans, naive_pairs):
    ids = np.array([2, *range(4, 30), 3])
    assert (
        pairs_by_examples(ids, window=4)
        == pairs_by_spans(cut_spans, [ids], window=4, stride=1, vocabulary_size=30)
        == naive_pairs(ids, window=4)
    )


class _BigEndian(Pairs):
    """A third layout, as small as can be: the record of a pair is x and y as big-endian uint32 numbers."""

    name = "big-endian"
    cost = "4 (W + 1) bytes per pair"

    def limits(self, written):
        return RecordLimits(4 * (written.window + 1), 4 * (written.window + 1), 1)

    def encode(self, sequences, written):
        found = windows.targets(sequences, window=written.window, stride=written.stride)
        x, y = windows.Windows(sequences.ids, window=written.window).pairs(found)
        data = np.column_stack([x, y]).astype(">u4").view(np.uint8)
        yield Records(data.ravel(), np.arange(1, len(y) + 1) * data.shape[1], np.ones(len(y), int))

    def not_restorable(self, written):
        return "it is a test"

    def restore(self, contents, written, *, exact=False):
        return iter(())

    def load(self, contents, order, wanted, written):
        records = b"".join(
            content.data[start:end] for content in contents for start, end in zip(*record_edges(content), strict=True)
        )
        rows = np.frombuffer(records, ">u4").reshape(-1, written.window + 1).astype(written.id_dtype)
        return ParsedPairs(np.ascontiguousarray(rows[:, :-1]), rows[:, -1], order)


def test_a_third_layout_is_one_object_in_the_table(tmp_path, monkeypatch):
    monkeypatch.setitem(LAYOUTS, "big-endian", _BigEndian())
    # Settings are frozen, so this goes around their own `__setattr__`.
    monkeypatch.setitem(PrepareConfig.own_settings["layout"].__dict__, "choices", tuple(LAYOUTS))
    text = tmp_path / "corpus.txt"
    text.write_text("a b c d\nb a\n" * 5)
    made = {}
    for layout in LAYOUTS:
        config = PrepareConfig(
            text=TextConfig(), format="lines", layout=layout, window=3, validation_percent=0, test_percent=0
        )
        prepare([str(text)], str(tmp_path / layout), config)
        assert verify(tmp_path / layout) == []
        batches = read_pairs(tmp_path / layout, batch_size=4, seed=1).as_numpy_iterator()
        made[layout] = sorted((*x, y) for xs, ys in batches for x, y in zip(xs.tolist(), ys.tolist(), strict=True))
    assert len(made["big-endian"]) == 5 * (5 + 3)
    assert made["big-endian"] == made["pairs"] == made["spans"]
    estimated = estimate([str(text)], PrepareConfig(text=TextConfig(), format="lines", window=3))
    assert set(estimated.layouts) == set(LAYOUTS)


def test_the_config_lists_every_layout():
    assert tuple(LAYOUTS) == PrepareConfig.own_settings["layout"].choices
    assert all(layout.name == name and layout.cost for name, layout in LAYOUTS.items())
