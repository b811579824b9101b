import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dataset.block_contents import as_content
from textgen.dataset.storage import framing, windows
from textgen.dataset.storage.layouts import examples
from textgen.dataset.storage.layouts.example_parser import PackedIds
from textgen.dataset.storage.records import Records
from textgen.errors import UserError

# Ids on both sides of every length that a varint takes; 0 is the padding, in a stranger's records anywhere.
token_ids = st.sampled_from([0, 1, 2, 10, 18, 121, 127, 128, 16_383, 16_384, 65_535, 65_536, 2_097_151])
documents = st.lists(st.lists(token_ids, min_size=2, max_size=40), min_size=1, max_size=4)


def examples_of(each: list[list[int]], *, window: int, stride: int = 1) -> list[bytes]:
    made = examples.encode(windows.sequences([np.array(ids) for ids in each]), window=window, stride=stride)
    return [
        bytes(records.data[start:end])
        for records in made
        for start, end in zip([0, *records.ends[:-1]], records.ends, strict=True)
    ]


def block(records: list[bytes]):
    data = np.frombuffer(b"".join(records), np.uint8)
    made = Records(data, np.cumsum([len(record) for record in records]), np.ones(len(records), int))
    return as_content(bytes(framing.frame(made)[0]), records=len(records))


def packed(records: list[bytes], *, window: int, compiled: bool) -> PackedIds:
    return PackedIds(block(records), window=window, vocabulary_size=1 << 22, compiled=compiled)


def joined(records: list[bytes], *, window: int, stride: int) -> tuple[list[list[int]], list[int]]:
    """Returns X with its padding and y of each pair."""
    ids, targets, widths = packed(records, window=window, compiled=True).join(stride=stride)
    x = [[*ids[t - w : t].tolist(), *[0] * (window - w)] for t, w in zip(targets, widths, strict=True)]
    return x, ids[targets].tolist()


def decoded(records: list[bytes], *, window: int) -> tuple[list[list[int]], list[int]]:
    found = packed(records, window=window, compiled=False)
    x, y = np.empty((len(records), window), np.uint32), np.empty(len(records), np.uint32)
    found.decode(x, y)
    return x.tolist(), y.tolist()


@given(documents, st.integers(1, 12), st.integers(1, 5), st.randoms(use_true_random=False), st.booleans())
@settings(max_examples=200, deadline=None)
def test_joined_pairs_are_the_decoded_ones(each, window, stride, random, in_order):
    records = examples_of(each, window=window, stride=stride)
    if not in_order:
        random.shuffle(records)
    assert joined(records, window=window, stride=stride) == decoded(records, window=window)


@pytest.mark.parametrize("stride", [1, 2, 5, 6, 9])
def test_ids_of_consecutive_pairs_are_kept_once(stride):
    ids = np.random.RandomState(0).randint(1, 1 << 16, 400).tolist()
    records = examples_of([ids], window=5, stride=stride)
    found = packed(records, window=5, compiled=True).join(stride=stride)
    # Targets are `stride` ids apart; where that is above the window, nothing overlaps.
    assert len(found.ids) == (len(ids) - (len(ids) - 2) % stride if stride <= 5 else 6 * len(records) - 4)


@given(st.binary(max_size=60), st.integers(0, 10), st.data())
@settings(max_examples=200, deadline=None)
def test_strange_bytes_give_ids_of_the_vocabulary_or_an_error(noise, place, data):
    records = examples_of([list(range(120, 140))], window=6)
    wrong = bytearray(records[place])
    start = data.draw(st.integers(0, len(wrong) - 1))
    wrong[start : start + len(noise)] = noise[: len(wrong) - start]
    records[place] = bytes(wrong)
    try:
        x, y = joined(records, window=6, stride=1)
    except UserError as error:
        assert "written wrong after byte 0: " in str(error)
        return
    assert np.shape(x) == (len(records), 6)
    assert np.max(x) < 1 << 22
    expected_x, expected_y = decoded(examples_of([list(range(120, 140))], window=6), window=6)
    assert x[place + 2 :] == expected_x[place + 2 :]
    assert y[place + 2 :] == expected_y[place + 2 :]
