import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.text.tokenizers.symbol_encoder import SymbolEncoder
from textgen.text.tokenizers.symbol_table import SymbolTable

WORDS = ["the", "é", "[BOS]", "sea"]


@given(st.lists(st.sampled_from([*WORDS, "ship", "", "[UNK]"]).map(str.encode), max_size=9))
@settings(max_examples=30, deadline=None)
def test_words_have_the_ids_of_the_table(words: list[bytes]) -> None:
    ids, lengths = SymbolEncoder(WORDS).encode(words)
    assert (
        ids.tolist()
        == SymbolTable(WORDS, WORDS, tf.string).ids(tf.constant(words, tf.string)).values.numpy().tolist()
    )
    assert (ids.dtype, lengths.tolist()) == (np.int32, [1] * len(words))


@pytest.mark.parametrize("symbols", [[], [7], [3, 7, 3, 0x10FFFF]])
def test_numbers_have_the_ids_of_the_table(symbols: list[int]) -> None:
    known = [3, 0x10FFFF]
    table = SymbolTable(known, ["a", "b"], tf.int32)
    expected = table.ids(tf.constant(symbols, tf.int32)).values.numpy().tolist()
    assert SymbolEncoder(known).encode(symbols).ids.tolist() == expected


def test_an_empty_vocabulary_knows_nothing() -> None:
    assert SymbolEncoder([]).encode([b"a"]).ids.tolist() == [1]
