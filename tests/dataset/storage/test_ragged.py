import doctest

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.dataset.storage import ragged


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 9)), max_size=12), st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_indices_concatenates_ranges(ranges, step):
    starts, lengths = np.array(ranges, int).reshape(-1, 2).T
    expected = [start + step * i for start, length in ranges for i in range(length)]
    assert ragged.indices(starts, lengths, step=step).tolist() == expected


@pytest.mark.parametrize("step", [1, 3])
@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_indices_have_the_dtype_of_the_starts(dtype, step):
    assert ragged.indices(np.array([5, 0], dtype), np.array([2, 3]), step=step).dtype == dtype


@given(st.lists(st.tuples(st.integers(0, 10), st.integers(0, 10)), max_size=12))
@settings(max_examples=60, deadline=None)
def test_join_is_concatenation(ranges):
    source = np.arange(20, dtype=np.uint16) * 3
    starts, lengths = np.array(ranges, int).reshape(-1, 2).T
    joined, ends = ragged.join(source, starts, lengths)
    expected = [source[start : start + length].tolist() for start, length in ranges]
    assert joined.tolist() == sum(expected, [])
    assert ends.tolist() == np.cumsum([len(part) for part in expected], dtype=int).tolist()
    assert joined.dtype == np.uint16


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64])
def test_long_joins_are_those_of_short_ones(dtype, monkeypatch):
    generator = np.random.default_rng(1)
    source = generator.integers(0, 200, 5000).astype(dtype)[::2]
    starts, lengths = generator.integers(0, 2000, (2000, 2)), generator.integers(0, 40, (2000, 2))
    joined, ends = ragged.join(source, starts.astype(np.int32), lengths)
    assert len(joined) > ragged._LARGE
    monkeypatch.setattr(ragged, "_LARGE", len(joined) + 1)
    expected, expected_ends = ragged.join(source, starts, lengths)
    assert joined.dtype == expected.dtype and joined.tolist() == expected.tolist()
    assert ends.tolist() == expected_ends.tolist()


@given(st.lists(st.lists(st.integers(0, 9), max_size=4), min_size=1, max_size=5), st.data())
@settings(max_examples=60, deadline=None)
def test_take_slices_joins_the_values_of_numbers(slices, data):
    numbers = data.draw(st.lists(st.integers(0, len(slices) - 1), max_size=20))
    starts = np.cumsum([0, *map(len, slices)], dtype=np.int64)
    found, edges = ragged.take_slices(
        np.array(sum(slices, []), np.uint16), starts, np.array(numbers, np.int32), np.array([7, 8], np.uint16)
    )
    assert found.tolist() == [*sum((slices[number] for number in numbers), []), 7, 8]
    assert edges.tolist() == np.cumsum([0, *(len(slices[number]) for number in numbers)]).tolist()
    assert (found.dtype, edges.dtype) == (np.uint16, np.int64)


@given(st.lists(st.integers(0, 40)))
@settings(max_examples=60, deadline=None)
def test_distinct_is_unique(numbers):
    values, which = ragged.distinct(np.array(numbers, int))
    expected, inverse = np.unique(np.array(numbers, int), return_inverse=True)
    assert values.tolist() == expected.tolist()
    assert which.tolist() == inverse.tolist()


def test_examples_in_the_docstrings_hold():
    result = doctest.testmod(ragged)
    assert result.attempted > 0
    assert result.failed == 0


def test_take_looks_numbers_up():
    values = ragged.take(np.array([7, 5, 300], np.uint16), np.array([0, 2, 2], np.uint8))
    assert values.tolist() == [7, 300, 300] and values.dtype == np.uint16
