import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.config import TextConfig
from textgen.text.cleaning import clean
from textgen.text.preprocessor import Preprocessor
from textgen.text.tokenizers import make_tokenizer
from textgen.text.tokenizers.char import CharTokenizer
from textgen.text.vocabulary import Vocabulary, most_frequent

ALPHABET = "abcABC ,.\n\téßñ’—日本語😀\u0301"
CONFIG = TextConfig(tokenizer="char", case="keep", whitespace="keep", punctuation="keep")


@pytest.fixture(scope="module")
def preprocessor():
    return Preprocessor(CONFIG, most_frequent(dict.fromkeys(ALPHABET, 1), 100))


def test_the_config_names_the_tokenizer():
    assert isinstance(make_tokenizer(CONFIG), CharTokenizer)


def test_a_token_is_a_code_point():
    symbols = CharTokenizer().tokenize(tf.constant(["Ahab", "", "é😀\n"]))
    assert symbols.to_list() == [[65, 104, 97, 98], [], [0xE9, 0x1F600, 10]]
    assert symbols.dtype == CharTokenizer.symbol_dtype


@given(st.characters(exclude_categories=["Cs"]))
@settings(max_examples=60, deadline=None)
def test_a_symbol_is_written_as_its_character(character):
    tokenizer = CharTokenizer()
    assert tokenizer.token(tokenizer.tokenize(tf.constant([character]))[0, 0].numpy()) == character


def test_the_most_frequent_characters_are_learned_and_ties_go_by_text():
    learned = CharTokenizer().learn({"b": 2, "a": 2, "é": 9, "z": 1}, 3)
    assert learned == Vocabulary(("é", "a", "b"), (9, 2, 2))
    assert CharTokenizer().symbols_to_learn(3) == 3


def test_characters_are_counted_from_symbol_counts():
    assert CharTokenizer().count(["b", "x", "a"], {"a": 5, "b": 2}) == [2, 0, 5]


@pytest.mark.parametrize(
    ("text", "expected"), [("é", True), ("\n", True), ("", False), ("ab", False), ("e\u0301", False)]
)
def test_a_given_vocabulary_holds_only_characters(text, expected):
    assert CharTokenizer().is_token(text) is expected


def test_tokens_are_joined_with_nothing_between_them():
    tokens = tf.ragged.constant([["A", "h"], [], ["\n", "é"]])
    assert [text.decode() for text in CharTokenizer().detokenize(tokens).numpy()] == ["Ah", "", "\né"]


def test_a_continuation_follows_its_prompt_at_once():
    joined = CharTokenizer().join(tf.constant(["Call", "", "a "]), tf.constant([" me", "x", ""]))
    assert joined.numpy().tolist() == [b"Call me", b"x", b"a "]


@given(st.lists(st.text(alphabet=ALPHABET, max_size=20), min_size=1, max_size=5))
@settings(max_examples=25, deadline=None)
def test_decoding_the_ids_gives_the_cleaned_text_back(preprocessor, texts):
    cleaned = clean(tf.constant(texts), CONFIG)
    # NFKC joins a letter and a combining mark into one that the vocabulary may lack.
    known = [all(c in ALPHABET for c in text.decode()) for text in cleaned.numpy()]
    decoded = preprocessor.decode(preprocessor.encode(tf.constant(texts)))
    assert decoded.numpy()[known].tolist() == cleaned.numpy()[known].tolist()
