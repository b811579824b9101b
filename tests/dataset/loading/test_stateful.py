import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen import dataset
from textgen.dataset.loading import split_reader
from textgen.dataset.loading.tuning import Tuning
from textgen.dataset.storage.layouts.spans import Spans
from textgen.errors import UserError

WINDOW = 3
UNITS = [
    {"train": [list(range(10, 20)), [40]]},
    {"train": [list(range(50, 58))]},
]
# [BOS] is 2, [EOS] is 3; eight rows, so that three batch indices have two steps, and two rows are dropped.
BY_HAND = [
    ([[2, 10, 11], [15, 16, 17], [2, 40, 0]], [[10, 11, 12], [16, 17, 18], [40, 3, 0]], [True, True, True]),
    ([[12, 13, 14], [18, 19, 0], [2, 50, 51]], [[13, 14, 15], [19, 3, 0], [50, 51, 52]], [False, False, True]),
]


SMALL = Tuning(group_blocks=2, chunk_pairs=5)
read_sequences = functools.partial(dataset.read_sequences, tuning=SMALL)


@pytest.fixture
def folder(build_dataset, tmp_path):
    return build_dataset(tmp_path / "data", UNITS, layout="spans", window=WINDOW, block_pairs=4)


def batches(folder, **settings):
    made = read_sequences(folder, **{"batch_size": 3, "stateful": True, **settings})
    return [tuple(array.tolist() for array in batch) for batch in made.as_numpy_iterator()]


def test_stateful_rows_equal_those_worked_by_hand(folder):
    assert batches(folder) == BY_HAND


def test_every_epoch_has_the_same_rows_from_their_beginning(folder):
    assert batches(folder, epochs=3) == 3 * BY_HAND


@pytest.mark.parametrize("batch_size", [1, 2, 4, 8])
def test_a_stream_started_at_any_step_is_the_rest_of_the_whole_stream(folder, batch_size):
    whole = batches(folder, batch_size=batch_size, epochs=2)
    assert len(whole) == 2 * (8 // batch_size)
    for start in range(len(whole) + 1):
        assert batches(folder, batch_size=batch_size, epochs=2, start_step=start) == whole[start:]


@pytest.mark.parametrize("workers", [2, 3])
def test_the_workers_slices_are_the_whole(folder, workers):
    slices = [batches(folder, worker=i, workers=workers, epochs=2) for i in range(workers)]
    joined = [tuple(sum(arrays, []) for arrays in zip(*parts, strict=True)) for parts in zip(*slices, strict=True)]
    assert joined == 2 * BY_HAND


def test_the_arrays_and_their_number_are_known(folder):
    stream = read_sequences(folder, batch_size=3, stateful=True, epochs=4, start_step=1)
    assert [(spec.dtype.name, spec.shape.as_list()) for spec in stream.element_spec] == [
        ("int32", [3, WINDOW]),
        ("int32", [3, WINDOW]),
        ("bool", [3]),
    ]
    assert stream.cardinality() == 7


def _fresh(folder, **settings):
    made = read_sequences(folder, **{"batch_size": 3, "stateful": True, "restarts": 0.3, "seed": 5, **settings})
    return np.array([fresh for _, _, fresh in made.as_numpy_iterator()])


def test_rows_begin_anew_at_random_and_are_the_same_rows(folder):
    made = read_sequences(folder, batch_size=3, stateful=True, restarts=0.3, seed=5, epochs=40).as_numpy_iterator()
    plain = 40 * BY_HAND
    for (x, y, fresh), (ids, targets, begins) in zip(made, plain, strict=True):
        assert (x.tolist(), y.tolist()) == (ids, targets)
        assert (fresh >= begins).all()
    # Of the 240 rows, 80 continue another.
    continued = ~np.array([begins for _, _, begins in plain])
    assert 10 < _fresh(folder, epochs=40)[continued].sum() < 40
    assert (_fresh(folder, epochs=40, seed=6) != _fresh(folder, epochs=40)).any()
    assert _fresh(folder, restarts=1.0).all()


def test_the_restarts_depend_on_the_step_only(folder):
    whole = _fresh(folder, epochs=20)
    for start in (1, 7, 20, 39):
        assert (_fresh(folder, epochs=20, start_step=start) == whole[start:]).all()
    slices = [_fresh(folder, epochs=20, worker=i, workers=2) for i in range(2)]
    assert (np.concatenate(slices, axis=1) == whole).all()
    alone = read_sequences(
        folder, batch_size=3, stateful=True, restarts=0.3, seed=5, epochs=20, tuning=SMALL._replace(chunk_pairs=50)
    )
    assert (np.array([fresh for *_, fresh in alone.as_numpy_iterator()]) == whole).all()


@given(
    st.lists(st.lists(st.integers(0, 40), min_size=1, max_size=5), min_size=1, max_size=3),
    st.integers(1, 9),
    st.integers(1, 6),
    st.sampled_from([0.3, 0.7, 1.0]),
)
@settings(max_examples=15, deadline=None)
def test_stateful_rows_are_contiguous(build_dataset, tmp_path_factory, lengths, window, batch_size, fraction):
    # Each token of its own, and documents in several spans and blocks.
    documents, token = [], 10
    for unit in lengths:
        documents.append({"train": [list(range(token := token + 100, token + length)) for length in unit]})
    folder = build_dataset(
        tmp_path_factory.mktemp("rows") / "data",
        documents,
        layout="spans",
        vocabulary_size=2000,
        block_pairs=15,
        writer=Spans(max_targets=10),
    )
    settings = {"window": window, "fraction": fraction}
    rows = [
        pair
        for x, y in read_sequences(folder, batch_size=4, **settings).as_numpy_iterator()
        for pair in zip(x.tolist(), y.tolist(), strict=True)
    ]
    if batch_size > len(rows):
        with pytest.raises(UserError, match="needs at least one row per batch element"):
            batches(folder, batch_size=batch_size, **settings)
        return
    served = batches(folder, batch_size=batch_size, **settings)
    steps = len(rows) // batch_size
    assert len(served) == steps
    for lane in range(batch_size):
        mine = [(x[lane], y[lane], fresh[lane]) for x, y, fresh in served]
        assert [(x, y) for x, y, _ in mine] == rows[lane * steps :][:steps]
        assert mine[0][2]
        for (_, before, _), (x, _, fresh) in zip(mine, mine[1:], strict=False):
            # A continued row begins with the last target of the row before it.
            assert fresh == (x[0] != [token for token in before if token][-1])


def test_few_blocks_are_in_memory_and_each_is_read_about_once(build_dataset, tmp_path, monkeypatch):
    units = [{"train": [list(range(4, 44)) for _ in range(20)]}]
    folder = build_dataset(tmp_path / "many", units, layout="spans", window=WINDOW, block_pairs=40)
    reads = []
    real = split_reader.read_blocks
    stream = read_sequences(folder, batch_size=2, stateful=True, tuning=SMALL._replace(parallel_chunks=1))
    monkeypatch.setattr(
        split_reader, "read_blocks", lambda folder, places: reads.extend(places) or real(folder, places)
    )
    assert len(list(stream)) == 140
    # The block that one batch index ends in and the other starts in is read for each.
    assert 20 <= len(reads) <= 22


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"seed": 3},
            r"seed is 3; stateful rows keep the order of the corpus\. Leave",
        ),
        ({"restarts": 0.5}, r"restarts is 0\.5 without a seed; rows begin anew at random\. Give a seed\."),
        ({"restarts": 1.5, "seed": 3}, r"restarts is 1\.5; it must be from 0 to 1\."),
        (
            {"restarts": 0.5, "seed": 3, "stateful": False},
            r"restarts is 0\.5 without stateful; .* Leave restarts out\.",
        ),
        ({"batch_size": 9}, r"batch size is 9, but the split has only 8 rows; stateful training needs"),
        ({"epochs": 0}, r"epochs is 0; it must be at least 1\."),
        ({"start_step": 3}, r"start step is 3; this stream has 2 steps\."),
        ({"worker": 2, "workers": 2}, r"worker is 2; it must be from 0 to 1, as workers is 2\."),
        ({"workers": 4}, r"workers is 4; it must not exceed the batch size, which is 3\."),
    ],
)
def test_a_bad_argument_is_an_error(folder, settings, message):
    with pytest.raises(UserError, match=message):
        batches(folder, **settings)


def test_stateful_rows_of_several_datasets_are_an_error(folder):
    assert batches({folder: 2.0}) == BY_HAND
    with pytest.raises(UserError, match=r"2 datasets are given; stateful rows are read from one\. Name one\."):
        batches({folder: 1.0, "other": 1.0})


def test_rows_without_text_are_never_served(folder):
    for x, y, fresh in read_sequences(folder, batch_size=5, stateful=True).as_numpy_iterator():
        assert (x[:, 0] > 0).all() and (y[:, 0] > 0).all()
        assert ((x == 0) == (y == 0)).all()
        assert fresh.dtype == np.bool_
