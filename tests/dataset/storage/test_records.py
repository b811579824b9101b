import numpy as np
import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from textgen.dataset.storage import records, windows
from textgen.dataset.storage.records import parse_pairs, span_dtype

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


def pair_records(ids, **how):
    """The records of the pairs of one sequence."""
    found = [one for made in records.pair_records(windows.sequences([ids]), **how) for one in cut(made)]
    assert all(pairs == 1 for _, pairs in found)
    return [record for record, _ in found]


def span_records(ids, **how):
    """The spans of one sequence, as (bytes, pairs)."""
    return cut(records.span_records(windows.sequences([ids]), **how))


def pairs_by_examples(ids, *, window, stride=1):
    """The pairs of a sequence, through the bytes of its Examples and TensorFlow's own parser."""
    serialized = list(pair_records(np.array(ids, np.int32), window=window, stride=stride))
    x, y = parse_pairs(tf.constant(serialized, tf.string), window=window)
    assert (x.dtype, y.dtype) == (tf.int32, tf.int32)
    return list(zip(x.numpy().tolist(), y.numpy().tolist(), strict=True))


def pairs_by_spans(cut_spans, sequences, *, window, stride, dtype):
    made = [span_records(np.array(ids), window=window, stride=stride, dtype=dtype) for ids in sequences]
    serialized = [one for spans in made for one in spans]
    if not serialized:
        return []
    x, y = cut_spans([record for record, _ in serialized], window=window, stride=stride, dtype=dtype)
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
        (record.hex(" ", 2), pairs) for record, pairs in span_records(ids, window=3, stride=1, dtype=span_dtype(9))
    ] == [("0100 0200 0400 2c01 0300", 3)]
    ((record, pairs),) = span_records(ids, window=3, stride=2, dtype=span_dtype(1 << 17))
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
    assert list(span_records(np.array(ids, np.int32), window=3, stride=1, dtype=span_dtype(9))) == []


@given(st.lists(st.lists(small_ids, max_size=40), max_size=5), st.integers(1, 12), st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_spans_hold_the_pairs_of_the_other_layout(cut_spans, sequences, window, stride):
    expected = [
        pair for ids in sequences if len(ids) > 1 for pair in pairs_by_examples(ids, window=window, stride=stride)
    ]
    assert pairs_by_spans(cut_spans, sequences, window=window, stride=stride, dtype=span_dtype(1 << 16)) == expected
    assert pairs_by_spans(cut_spans, sequences, window=window, stride=stride, dtype=span_dtype(70_001)) == expected


@pytest.mark.parametrize(("stride", "vocabulary_size"), [(1, 1 << 16), (2, 1 << 16), (3, 70_001)])
def test_a_document_of_several_spans_has_the_pairs_of_the_other_layout(
    cut_spans, naive_pairs, stride, vocabulary_size
):
    ids = np.random.RandomState(0).randint(4, vocabulary_size, 2 * records.SPAN_TARGETS + 100).tolist()
    dtype = span_dtype(vocabulary_size)
    assert len(list(span_records(np.array(ids), window=5, stride=stride, dtype=dtype))) == 3
    assert pairs_by_spans(cut_spans, [ids], window=5, stride=stride, dtype=dtype) == naive_pairs(
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
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "SPAN_TARGETS", most_targets)
        patch.setattr(records, "SPAN_CONTEXT", context)
        made = pairs_by_spans(cut_spans, sequences, window=window, stride=stride, dtype=span_dtype(1 << 16))
    assert made == [pair for ids in sequences for pair in naive_pairs(ids, window=window, stride=stride)]


def test_a_span_has_context_enough_for_a_longer_window_than_it_was_written_for(cut_spans, naive_pairs, monkeypatch):
    monkeypatch.setattr(records, "SPAN_TARGETS", 10)
    ids = np.arange(4, 400)
    spans = [record for record, _ in span_records(ids, window=2, stride=1, dtype=span_dtype(400))]
    x, y = cut_spans(spans, window=records.SPAN_CONTEXT, stride=1, dtype=span_dtype(400))
    assert list(zip(x.tolist(), y.tolist(), strict=True)) == naive_pairs(ids, window=records.SPAN_CONTEXT)


def test_a_span_is_never_longer_than_its_limit():
    ids = np.full(40_000, 7)
    for record, pairs in span_records(ids, window=300, stride=1, dtype=span_dtype(9)):
        assert pairs <= records.SPAN_TARGETS
        assert len(record) <= 2 * (1 + 300 + records.SPAN_TARGETS)


@pytest.mark.parametrize(
    ("vocabulary_size", "dtype"),
    [(5, "<u2"), (65_536, "<u2"), (65_537, "<u4"), (70_000, "<u4")],
)
def test_ids_take_two_bytes_while_every_id_fits(vocabulary_size, dtype):
    assert span_dtype(vocabulary_size) == np.dtype(dtype)
    assert np.iinfo(span_dtype(vocabulary_size)).max >= vocabulary_size - 1


@given(st.lists(st.lists(token_ids, max_size=40), min_size=1, max_size=5), st.integers(1, 12), st.integers(1, 9))
@settings(max_examples=60, deadline=None)
def test_the_records_of_many_sequences_are_those_of_each(sequences, window, at_once):
    each = [np.array(ids, np.int64) for ids in sequences]
    dtype = span_dtype(1 << 17)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "_PAIRS_AT_ONCE", at_once)
        made = list(records.pair_records(windows.sequences(each), window=window, stride=1))
    assert all(len(some.ends) <= at_once for some in made)
    assert [record for some in made for record, _ in cut(some)] == [
        record for ids in each for record in pair_records(ids, window=window, stride=1)
    ]
    assert cut(records.span_records(windows.sequences(each), window=window, stride=1, dtype=dtype)) == [
        span for ids in each for span in span_records(ids, window=window, stride=1, dtype=dtype)
    ]


def test_the_pairs_of_both_layouts_are_those_that_windows_cuts(cut_spans, naive_pairs):
    ids = np.array([2, *range(4, 30), 3])
    assert (
        pairs_by_examples(ids, window=4)
        == pairs_by_spans(cut_spans, [ids], window=4, stride=1, dtype=span_dtype(30))
        == naive_pairs(ids, window=4)
    )
