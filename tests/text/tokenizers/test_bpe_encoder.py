from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.text.tokenizers.nasty_text import AFTER_UNICODE_15, PIECES, nasty_texts
from textgen.errors import UserError
from textgen.text.tokenizers import bpe_encoder
from textgen.text.tokenizers.bpe_encoder import BpeEncoder
from textgen.text.tokenizers.bpe_table import BpeTable
from textgen.text.tokenizers.byte_alphabet import to_characters
from textgen.text.tokenizers.merges import learn_merges
from textgen.text.tokenizers.pretokens import split_pretokens

WORDS = {"Ġthe": 9, "whales": 5, "ĊĊ": 5, "ĠĠĠĠ": 4, "''": 3, "Ã©": 3, to_characters("日本".encode()): 3, "[BOS]": 3}
TOKENS = learn_merges(WORDS, 285).tokens


@pytest.fixture(scope="module")
def encoder():
    return BpeEncoder(TOKENS)


def rows(found):
    """The ids of each symbol."""
    ids, lengths = found
    assert (ids.dtype, lengths.dtype) == (np.int32, np.int64)
    return [row.tolist() for row in np.split(ids, np.cumsum(lengths)[:-1])]


def pretokens(texts):
    return list(
        dict.fromkeys(split_pretokens(tf.constant([text.encode() for text in texts])).values.numpy().tolist())
    )


@given(st.lists(nasty_texts, min_size=1, max_size=6))
@settings(max_examples=80, deadline=None)
@example([f"a{character} {character}1" for character in AFTER_UNICODE_15])
@example(["\n\n", " \n", "\u00a0\n", "\u3000 ", "'s\n's", "[BOS]", "\x1c\x1f \x85"])
def test_the_ids_are_those_of_the_table(encoder, texts):
    symbols = pretokens(texts)
    if symbols:
        assert rows(encoder.encode(symbols)) == BpeTable(TOKENS).ids(tf.constant(symbols)).to_list()


def test_all_pieces_together(encoder):
    symbols = pretokens([a + b for a in PIECES for b in PIECES])
    assert rows(encoder.encode(symbols)) == BpeTable(TOKENS).ids(tf.constant(symbols)).to_list()


def test_no_symbols_have_no_ids(encoder):
    ids, lengths = encoder.encode([])
    assert (len(ids), len(lengths), ids.dtype, lengths.dtype) == (0, 0, np.int32, np.int64)


@pytest.mark.parametrize("symbols", [[b"\n"], [b" "], ["\u1c89".encode()], [b"whales"], [b"\n", b"whales", b" "]])
def test_symbols_of_one_kind_alone(encoder, symbols):
    assert rows(encoder.encode(symbols)) == BpeTable(TOKENS).ids(tf.constant(symbols)).to_list()


def test_what_it_keeps_is_bounded(encoder, monkeypatch):
    monkeypatch.setattr(bpe_encoder, "_MOST_KEPT", 4)
    bounded, held = BpeEncoder(TOKENS), list[int]()
    for start in range(0, 30, 3):
        symbols = [f" whales{number}".encode() for number in range(start, start + 3)]
        assert rows(bounded.encode(symbols)) == rows(encoder.encode(symbols))
        held.append(bounded.kept)
    assert max(held) == 6 and held.count(3) == 5


def test_tokens_without_all_bytes_are_refused():
    with pytest.raises(UserError, match="lacks 1 of the 256 bytes"):
        BpeEncoder(TOKENS[1:])


def test_threads_share_an_encoder(encoder):
    symbols = [f" {word}{number}".encode() for number in range(500) for word in ("whales", "the", "日本")]
    expected = rows(BpeEncoder(TOKENS).encode(symbols))
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda start: rows(encoder.encode(symbols[start:])), range(0, 800, 100)))
    assert found == [expected[start:] for start in range(0, 800, 100)]
