import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.config import TEXT_DEFAULTS, TextConfig
from textgen.text.cleaning import clean
from textgen.text.preprocessor import Preprocessor
from textgen.text.tokenizers import make_tokenizer
from textgen.text.tokenizers.byte import ByteTokenizer

CONFIG = TextConfig(tokenizer="byte", **TEXT_DEFAULTS["byte"])
BYTES = ByteTokenizer()


@pytest.fixture(scope="module")
def preprocessor():
    return Preprocessor(CONFIG, BYTES.learn({"e": 9}, 256))


def test_the_config_names_the_tokenizer():
    assert isinstance(make_tokenizer(CONFIG), ByteTokenizer)


def test_a_token_is_a_byte():
    symbols = BYTES.tokenize(tf.constant(["é!", "", "\n"]))
    assert symbols.to_list() == [[0xC3, 0xA9, 33], [], [10]]
    assert symbols.dtype == BYTES.symbol_dtype


@pytest.mark.parametrize(
    ("byte", "token"),
    [
        (0x41, "A"), (0x21, "!"), (0x7E, "~"), (0x20, "<0x20>"), (0x0A, "<0x0A>"), (0x7F, "<0x7F>"), (0, "<0x00>"),
        (0xFF, "<0xFF>"),
    ],
)  # fmt: skip
def test_a_byte_is_written_as_a_character_where_it_shows_and_else_as_its_number(byte, token):
    assert BYTES.token(byte) == token


def test_no_two_bytes_are_written_alike():
    assert len({BYTES.token(byte) for byte in range(256)}) == 256


@pytest.mark.parametrize("size", [1, 256, 8000])
def test_all_bytes_are_learned_by_falling_count_and_ties_go_by_text(size):
    learned = BYTES.learn({"a": 2, "<0x20>": 5, "b": 2}, size)
    assert len(learned.tokens) == 256
    assert (learned.tokens[:5], learned.counts[:4]) == (("<0x20>", "a", "b", "!", '"'), (5, 2, 2, 0))
    assert set(learned.tokens) == {BYTES.token(byte) for byte in range(256)}
    assert BYTES.symbols_to_learn(size) == 256


def test_bytes_are_counted_from_symbol_counts():
    assert BYTES.count(["b", "<0x00>", "a"], {"a": 5, "b": 2}) == [2, 0, 5]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("A", True), ("<0x0A>", True), ("<0x41>", False), ("é", False), ("the", False), ("", False)],
)
def test_a_given_vocabulary_holds_bytes_as_they_are_written(text, expected):
    assert BYTES.is_token(text) is expected


def test_a_byte_that_a_given_vocabulary_lacks_is_unknown():
    given_bytes = BYTES.learn({}, 256)._replace(tokens=("e", "<0xC3>"), counts=(1, 0))
    ids = Preprocessor(CONFIG, given_bytes).encode(tf.constant(["eé"]))
    assert ids.to_list() == [[4, 5, 1]]


@given(st.lists(st.text(max_size=20), min_size=1, max_size=5))
@settings(max_examples=25, deadline=None)
def test_decoding_the_ids_gives_any_cleaned_text_back(preprocessor, texts):
    cleaned = clean(tf.constant(texts), CONFIG)
    ids = preprocessor.encode(tf.constant(texts))
    assert preprocessor.decode(ids).numpy().tolist() == cleaned.numpy().tolist()
    assert ids.row_lengths().numpy().tolist() == [len(text) for text in cleaned.numpy()]


@pytest.mark.parametrize("text", ["<0x0A>", "[PAD]", "[UNK]", "<", ""])
def test_text_that_reads_like_a_token_or_a_reserved_id_is_the_bytes_it_is_written_with(preprocessor, text):
    ids = preprocessor.encode(tf.constant([text]))
    assert ids.row_lengths().numpy().tolist() == [len(text)]
    assert all(number > 3 for number in ids.to_list()[0])
    assert preprocessor.decode(ids).numpy().tolist() == [text.encode()]


def test_a_model_may_write_what_is_no_utf_8(preprocessor):
    ids = preprocessor.encode(tf.constant(["é"]))[:, :1]
    assert preprocessor.decode(ids).numpy().tolist() == [b"\xc3"]


def test_a_continuation_follows_its_prompt_at_once():
    joined = BYTES.join(tf.constant(["Call", "", "a "]), tf.constant([" me", "x", ""]))
    assert joined.numpy().tolist() == [b"Call me", b"x", b"a "]
