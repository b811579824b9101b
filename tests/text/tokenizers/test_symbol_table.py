import tensorflow as tf

from textgen.config import RESERVED
from textgen.text.tokenizers.symbol_table import SymbolTable


def test_words_are_looked_up_and_back():
    table = SymbolTable(["the", "whale"], ["the", "whale"], tf.string)
    ids = table.ids(tf.constant(["whale", "the", "ship"]))
    assert ids.to_list() == [[5], [4], [1]]
    assert ids.dtype == tf.int32
    assert table.texts(tf.ragged.constant([[5, 4], [], [1]], tf.int32)).to_list() == [
        [b"whale", b"the"],
        [],
        [b"[UNK]"],
    ]


def test_numbers_are_looked_up_and_have_the_texts_they_are_given():
    table = SymbolTable([0xE9, 10], ["é".encode(), b"\xff"], tf.int32)
    assert table.ids(tf.constant([10, 0xE9, 65])).to_list() == [[5], [4], [1]]
    assert table.texts(tf.ragged.constant([[4, 5]], tf.int32)).to_list() == [["é".encode(), b"\xff"]]


def test_reserved_ids_have_their_names():
    table = SymbolTable(["a"], ["a"], tf.string)
    assert table.texts(tf.ragged.constant([[0, 1, 2, 3]], tf.int32)).to_list() == [
        [name.encode() for name in RESERVED]
    ]


def test_a_symbol_that_reads_like_a_reserved_id_has_an_id_of_its_own():
    table = SymbolTable(["[BOS]"], ["[BOS]"], tf.string)
    assert table.ids(tf.constant(["[BOS]", "[PAD]"])).to_list() == [[4], [1]]


def test_no_symbols_have_no_ids():
    table = SymbolTable(["a"], ["a"], tf.string)
    assert table.ids(tf.constant([], tf.string)).to_list() == []
    assert table.texts(tf.ragged.constant([[]], tf.int32, ragged_rank=1)).to_list() == [[]]
