import functools

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen import dataset, errors
from textgen.block_cache import BlockCache
from textgen.dataset.loading.tuning import Tuning
from textgen.dataset.storage.layouts.spans import Spans
from textgen.errors import UserError

WINDOW = 3
UNITS = [
    {"train": [list(range(10, 20)), [40]], "validation": [[4, 5, 6, 7]]},
    {"train": [list(range(50, 59))]},
]
# [BOS] is 2, [EOS] is 3.
ROWS = [
    ([2, 10, 11], [10, 11, 12]),
    ([12, 13, 14], [13, 14, 15]),
    ([15, 16, 17], [16, 17, 18]),
    ([18, 19, 0], [19, 3, 0]),
    ([2, 40, 0], [40, 3, 0]),
    ([2, 50, 51], [50, 51, 52]),
    ([52, 53, 54], [53, 54, 55]),
    ([55, 56, 57], [56, 57, 58]),
    ([58, 0, 0], [3, 0, 0]),
]
BATCH = 2
STEPS = 5


SMALL = Tuning(group_blocks=2, chunk_pairs=6)
read_pairs = functools.partial(dataset.read_pairs, tuning=SMALL)
read_sequences = functools.partial(dataset.read_sequences, tuning=SMALL)


@pytest.fixture
def folder(build_dataset, tmp_path):
    return build_dataset(tmp_path / "data", UNITS, layout="spans", window=WINDOW, block_pairs=4)


def batches(data, **settings):
    made = read_sequences(data, **{"batch_size": BATCH, **settings})
    return [(x.tolist(), y.tolist()) for x, y in made.as_numpy_iterator()]


def rows_of(batches):
    return [(row, targets) for x, y in batches for row, targets in zip(x, y, strict=True)]


def test_rows_equal_those_worked_by_hand(folder):
    served = batches(folder)
    assert rows_of(served) == ROWS
    assert [len(x) for x, _ in served] == [2, 2, 2, 2, 1]


def test_a_held_out_split_is_served_on_its_own(folder):
    assert rows_of(batches(folder, split="validation")) == [([2, 4, 5], [4, 5, 6]), ([6, 7, 0], [7, 3, 0])]


@given(
    st.lists(st.lists(st.lists(st.integers(4, 70_000), max_size=40), min_size=1, max_size=4), min_size=1, max_size=3),
    st.integers(1, 50),
    st.integers(1, 7),
    st.sampled_from([None, 0, 5]),
    st.integers(5, 30),
)
@settings(max_examples=15, deadline=None)
def test_every_target_is_served_once_and_rows_never_cross_documents(
    build_dataset, tmp_path_factory, units, window, batch_size, seed, span_targets
):
    folder = build_dataset(
        tmp_path_factory.mktemp("rows") / "data",
        [{"train": unit} for unit in units],
        layout="spans",
        vocabulary_size=70_001,
        block_pairs=15,
        writer=Spans(max_targets=span_targets),
    )
    expected = []
    for document in (document for unit in units for document in unit):
        ids = [2, *document, 3]
        for span in range(1, len(ids), span_targets):
            stop = min(span + span_targets, len(ids))
            for first in range(span, stop, window):
                y = ids[first : min(first + window, stop)]
                pad = [0] * (window - len(y))
                expected.append((ids[first - 1 : first - 1 + len(y)] + pad, y + pad))
    served = rows_of(batches(folder, window=window, batch_size=batch_size, seed=seed))
    if seed is None:
        assert served == expected
    assert sorted(served) == sorted(expected)


@pytest.mark.parametrize("seed", [None, 4])
def test_a_stream_started_at_any_step_is_the_rest_of_the_whole_stream(folder, seed):
    whole = batches(folder, seed=seed, epochs=2)
    assert len(whole) == 2 * STEPS
    for start in range(2 * STEPS + 1):
        assert batches(folder, seed=seed, epochs=2, start_step=start) == whole[start:]


@pytest.mark.parametrize("workers", [2, 3])
def test_worker_slices_join_to_the_same_batches_for_any_number_of_workers(folder, workers):
    whole = batches(folder, batch_size=4, seed=4, epochs=2)
    slices = [batches(folder, batch_size=4, seed=4, epochs=2, worker=i, workers=workers) for i in range(workers)]
    joined = [tuple(sum(arrays, []) for arrays in zip(*parts, strict=True)) for parts in zip(*slices, strict=True)]
    assert joined == whole


def test_a_stream_without_epochs_goes_on_without_end(folder):
    whole, seeded = batches(folder, epochs=3), batches(folder, epochs=3, seed=2)
    for seed, expected in ((None, whole), (2, seeded)):
        stream = read_sequences(folder, batch_size=BATCH, epochs=None, seed=seed)
        assert stream.cardinality() == tf.data.INFINITE_CARDINALITY
        served = [(x.tolist(), y.tolist()) for x, y in stream.take(len(expected)).as_numpy_iterator()]
        assert served == expected


def test_stateful_rows_without_epochs_go_on_without_end(folder):
    rows = {"batch_size": 2, "stateful": True}

    def served(stream):
        return [[array.tolist() for array in batch] for batch in stream.as_numpy_iterator()]

    whole = served(read_sequences(folder, epochs=3, **rows))
    assert served(read_sequences(folder, epochs=None, **rows).take(len(whole))) == whole


def test_a_seed_shuffles_every_epoch_differently(folder):
    one, two = (rows_of(batches(folder, seed=1, epochs=2, batch_size=9))[part] for part in (slice(9), slice(9, 18)))
    assert one != two
    assert sorted(one) == sorted(two) == sorted(ROWS)


def test_the_arrays_and_their_number_are_known(folder):
    stream = read_sequences(folder, batch_size=BATCH, epochs=3, start_step=2)
    assert stream.element_spec == 2 * (tf.TensorSpec([None, WINDOW], tf.int32),)
    assert stream.cardinality() == 3 * STEPS - 2
    assert read_sequences(folder, batch_size=BATCH, drop_remainder=True).cardinality() == STEPS - 1


def test_the_pairs_of_a_fraction_are_part_of_every_larger_fraction(folder):
    shares = [rows_of(batches(folder, fraction=fraction)) for fraction in (0.3, 0.6, 1.0)]
    assert [len(share) for share in shares] == [3, 6, 9]
    for smaller, larger in zip(shares, shares[1:], strict=False):
        assert all(row in larger for row in smaller)


def test_datasets_are_mixed_by_their_rows(build_dataset, folder, tmp_path):
    other = build_dataset(tmp_path / "other", [{"train": [[90] * 30]}], layout="spans", window=WINDOW)
    served = batches({folder: 1, other: 1}, batch_size=4, seed=1)
    assert len(served) == (9 + 11) // 4
    assert all(sum(90 in row for row in y) in (1, 2, 3) for _, y in served)


def test_a_remote_dataset_is_read_with_a_cache(folder, tmp_path):
    cache = BlockCache(tmp_path / "cache", 1 << 20)
    assert rows_of(batches(f"file://{folder}", cache=cache)) == ROWS


@pytest.mark.parametrize(
    ("made", "settings", "message"),
    [
        ({"layout": "pairs"}, {}, r"layout of this dataset is pairs, .* --layout spans --stride 1\."),
        ({"layout": "spans", "stride": 2}, {}, r"stride of this dataset is 2; rows of targets"),
        ({"layout": "spans"}, {"window": 0}, r"window is 0; it must be from 1 to 16384\."),
        ({"layout": "spans"}, {"seed": -1}, r"seed is -1; it must be at least 0\."),
        ({"layout": "spans"}, {"fraction": 0.0}, r"fraction is 0\.0; it must be above 0"),
        ({"layout": "spans"}, {"split": "test"}, r"the test split of this dataset is empty\."),
        ({"layout": "spans"}, {"batch_size": 0}, r"batch size is 0; it must be at least 1\."),
        ({"layout": "spans"}, {"batch_size": 10, "drop_remainder": True}, r"batch size is 10; a whole batch needs"),
    ],
)
def test_a_choice_that_the_shards_do_not_hold_is_an_error(build_dataset, tmp_path, made, settings, message):
    folder = build_dataset(tmp_path / "other", UNITS, window=WINDOW, **made)
    with pytest.raises(UserError, match=message):
        batches(folder, **settings)


def test_a_shard_damaged_after_opening_raises_its_full_message_through_the_dataset(folder):
    stream = read_sequences(folder, batch_size=BATCH)
    path = folder / "train-000001.tfrecord"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(tf.errors.InvalidArgumentError) as raised:
        list(stream)
    assert "differs from the manifest" in str(errors.user_error(raised.value))


def test_rows_of_pairs_are_the_targets_of_pairs(folder):
    targets = np.concatenate([y for _, y in read_pairs(folder, batch_size=7).as_numpy_iterator()])
    assert [token for _, y in rows_of(batches(folder)) for token in y if token] == targets.tolist()
