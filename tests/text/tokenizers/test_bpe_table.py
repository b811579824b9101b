import random

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from tests.text.tokenizers.nasty_text import nasty_texts
from textgen.config import RESERVED
from textgen.text.tokenizers.bpe_table import BpeTable
from textgen.text.tokenizers.byte_alphabet import ALPHABET, to_bytes, to_characters
from textgen.text.tokenizers.merges import learn_merges
from textgen.text.tokenizers.tokenizer_json import write_json

WORDS = {"Ġthe": 9, "Ġwhale": 7, "whales": 5, "aaaa": 4, "abab": 4, "Ã©tÃ©": 3, to_characters("日本日".encode()): 3}
TOKENS = learn_merges(WORDS, 290).tokens
TABLE = BpeTable(TOKENS)


@pytest.fixture(scope="module")
def hugging_face():
    return Tokenizer.from_str(write_json(TOKENS, reserved=False).decode())


def tokens(*symbols):
    """The tokens of each pre-token."""
    ids = TABLE.ids(tf.constant(symbols, tf.string))
    return [[(*RESERVED, *TOKENS)[i] for i in row] for row in ids.to_list()]


def test_a_pretoken_is_divided_by_the_merges():
    assert tokens(b" the", b"the", b"aaaaaaa", b"") == [["Ġthe"], ["the"], ["aaaa", "aa", "a"], []]


def test_a_token_has_its_position_after_the_reserved_ids():
    table = BpeTable([*ALPHABET, "ab"])
    assert table.ids(tf.constant(["!", "ab", "ba"])).to_list() == [[4], [260], [4 + ALPHABET.index("b"), 68]]


def test_ids_are_of_32_bits_and_no_pretokens_have_none():
    ids = TABLE.ids(tf.constant([], tf.string))
    assert (ids.to_list(), ids.dtype, TABLE.ids(tf.constant(["a"])).dtype) == ([], tf.int32, tf.int32)


@given(st.lists(st.one_of(nasty_texts, st.text("ab thewls", max_size=30)), max_size=6))
@settings(max_examples=60, deadline=None)
def test_any_pretoken_has_the_ids_of_hugging_face_and_its_own_text(hugging_face, symbols):
    encoded = [symbol.encode() for symbol in symbols]
    ids = TABLE.ids(tf.constant(encoded, tf.string))
    # Its model alone, without its pattern.
    expected = [[token.id for token in hugging_face.model.tokenize(to_characters(each))] for each in encoded]
    assert ids.to_list() == expected
    assert tf.strings.reduce_join(TABLE.texts(ids), axis=-1).numpy().tolist() == encoded


@pytest.mark.parametrize(
    "symbol", ["a" * 5_001, "ab" * 2_500, "".join(random.Random(0).choices("abthewls", k=2_000))]
)
def test_a_long_pretoken_has_its_ids(hugging_face, symbol):
    expected = [token.id for token in hugging_face.model.tokenize(symbol)]
    assert TABLE.ids(tf.constant([symbol])).to_list() == [expected]


def test_the_same_in_a_graph():
    symbols = tf.constant([" the", "whales", "x", " the"])
    assert tf.function(TABLE.ids, autograph=False)(symbols).to_list() == TABLE.ids(symbols).to_list()


def test_reserved_ids_have_their_names_and_bytes_are_bytes():
    ids = tf.ragged.constant([[1, 4 + TOKENS.index("Ġ")], [4 + TOKENS.index("Ã")]], tf.int32)
    assert TABLE.texts(ids).to_list() == [[b"[UNK]", b" "], [b"\xc3"]]
    assert to_bytes("Ã") == b"\xc3"
