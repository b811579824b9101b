import unicodedata
from itertools import pairwise

import pytest
import tensorflow as tf
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tokenizers.pre_tokenizers import ByteLevel

from tests.text.tokenizers.nasty_text import PIECES, has_new_letters, nasty_texts
from textgen.text.tokenizers.byte_alphabet import to_characters
from textgen.text.tokenizers.pretokens import split_pretokens

BYTE_LEVEL = ByteLevel(add_prefix_space=False)


def pretokens(text):
    """The pre-tokens of one text."""
    return [pretoken.decode() for pretoken in split_pretokens(tf.constant([text.encode()])).to_list()[0]]


def of_hugging_face(text):
    return [pretoken for pretoken, _ in BYTE_LEVEL.pre_tokenize_str(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It's  new!", ["It", "'s", " ", " new", "!"]),
        ("don't've 'S 'll'", ["don", "'t", "'ve", " '", "S", " '", "ll", "'"]),
        ("!'s 's", ["!'", "s", " '", "s"]),
        ("a\n\n  b", ["a", "\n\n ", " b"]),
        ("a \n", ["a", " \n"]),
        ("a \nb", ["a", " ", "\n", "b"]),
        ("  ", ["  "]),
        ("\u00a0a \u3000b", ["\u00a0", "a", " ", "\u3000", "b"]),
        ("v1.5 12", ["v", "1", ".", "5", " 12"]),
        ("日本語、漢字", ["日本語", "、", "漢字"]),
        ("e\u0301a", ["e", "\u0301", "a"]),
        ("", []),
    ],
)
def test_a_text_is_split_by_the_pattern(text, expected):
    assert pretokens(text) == expected
    assert of_hugging_face(text) == [to_characters(each.encode()) for each in expected]


@given(nasty_texts)
@settings(max_examples=200, deadline=None)
def test_the_pretokens_are_those_of_hugging_face(text):
    assume(not has_new_letters(text) and all(unicodedata.category(c) != "Cn" for c in text))
    assert [to_characters(each.encode()) for each in pretokens(text)] == of_hugging_face(text)


@given(st.lists(nasty_texts, max_size=4))
@settings(max_examples=60, deadline=None)
def test_the_pretokens_joined_are_the_text(texts):
    split = split_pretokens(tf.constant([text.encode() for text in texts], tf.string))
    assert [b"".join(row) for row in split.to_list()] == [text.encode() for text in texts]
    assert b"" not in split.values.numpy().tolist()


def test_every_pair_of_neighbours_is_split_as_by_hugging_face():
    known = [piece for piece in PIECES if not has_new_letters(piece)]
    texts = [f"{a}{b}{c}" for a in known for b in known for c in ("", " x", "1", "\n")]
    found = split_pretokens(tf.constant([text.encode() for text in texts])).to_list()
    assert [[to_characters(each) for each in row] for row in found] == [of_hugging_face(text) for text in texts]


def test_a_pretoken_by_itself_is_one_pretoken():
    for pretoken in {each for pair in pairwise(PIECES) for each in pretokens("".join(pair))}:
        assert pretokens(pretoken) == [pretoken]


def test_every_character_is_of_the_class_that_hugging_face_has_unless_it_is_newer():
    characters = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    # Of the versions up to 14, which Python 3.10 has at least 13 of.
    characters = [c for c in characters if unicodedata.category(c) not in ("Cn", "Co")][::7]
    texts = [f"a{c}1{c}!{c} {c}" for c in characters]
    found = split_pretokens(tf.constant([text.encode() for text in texts])).to_list()
    ours = [[to_characters(each) for each in row] for row in found]
    unequal = [c for c, row, text in zip(characters, ours, texts, strict=True) if row != of_hugging_face(text)]
    assert all(has_new_letters(c) or unicodedata.unidata_version >= "16" for c in unequal), unequal
