import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dataset.block_contents import as_content
from textgen.dataset.storage import framing, windows
from textgen.dataset.storage.blocks import record_edges
from textgen.dataset.storage.layouts import examples
from textgen.dataset.storage.layouts.example_parser import PackedIds, find
from textgen.dataset.storage.records import id_dtype
from textgen.errors import UserError

# Ids on both sides of every length that a varint takes; 10, 1, 121 and 18 are the bytes that are looked for.
token_ids = st.sampled_from([1, 2, 10, 18, 121, 127, 128, 16_383, 16_384, 65_535, 65_536, 2_097_151, 2_097_152])


def block(ids, *, window, stride=1):
    made = list(examples.encode(windows.sequences([np.array(ids)]), window=window, stride=stride))
    data = b"".join(bytes(framing.frame(some)[0]) for some in made)
    return as_content(data, records=sum(len(some.ends) for some in made))


def parsed(content, *, window, vocabulary_size, at_once=4096):
    found = PackedIds(content, window=window, vocabulary_size=vocabulary_size)
    dtype = id_dtype(vocabulary_size)
    x, y = np.empty((len(found.starts), window), dtype), np.empty(len(found.starts), dtype)
    found.decode(x, y, at_once=at_once)
    return list(zip(x.tolist(), y.tolist(), strict=True))


@pytest.mark.parametrize("window", [1, 3, 44, 127, 128, 300])
@pytest.mark.parametrize("vocabulary_size", [100, 16_384, 16_385, 65_536, 70_000, 1 << 22])
def test_encoded_examples_are_read_back(naive_pairs, window, vocabulary_size):
    ids = np.random.RandomState(0).randint(0, vocabulary_size, 400).tolist()
    content = block(ids, window=window)
    assert parsed(content, window=window, vocabulary_size=vocabulary_size) == naive_pairs(ids, window=window)


@given(st.lists(token_ids, min_size=2, max_size=60), st.integers(1, 20), st.integers(1, 5), st.integers(1, 9))
@settings(max_examples=100, deadline=None)
def test_ids_of_every_length_are_read(naive_pairs, ids, window, stride, at_once):
    expected = naive_pairs(ids, window=window, stride=stride)
    content = block(ids, window=window, stride=stride)
    assert parsed(content, window=window, vocabulary_size=1 << 22, at_once=at_once) == expected


def test_ids_that_look_like_the_name_of_y_are_no_records(naive_pairs):
    ids = [2, 10, 1, 121, 18, 1, 26, 1, 10, 1, 5, 3]
    content = block(ids, window=20)
    assert content.data.count(b"\n\x01y\x12") > len(ids) - 1
    assert [found.tolist() for found in find(content)] == [found.tolist() for found in record_edges(content)]
    assert parsed(content, window=20, vocabulary_size=200) == naive_pairs(ids, window=20)


def test_a_block_without_records_has_none():
    assert [found.tolist() for found in find(as_content(b"", records=0))] == [[], []]
    assert parsed(as_content(b"", records=0), window=3, vocabulary_size=9) == []


def test_a_record_of_another_width_is_an_error():
    with pytest.raises(UserError, match="written wrong after byte 0: "):
        parsed(block(range(4, 40), window=5), window=7, vocabulary_size=40)
