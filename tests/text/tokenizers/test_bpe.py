import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from tests.text.tokenizers.nasty_text import has_new_letters, nasty_texts
from textgen.config import TEXT_DEFAULTS, TextConfig
from textgen.text.cleaning import clean
from textgen.text.preprocessor import Preprocessor
from textgen.text.tokenizers import make_tokenizer
from textgen.text.tokenizers.bpe import BpeTokenizer
from textgen.text.tokenizers.byte_alphabet import ALPHABET
from textgen.text.tokenizers.tokenizer_json import write_json
from textgen.text.vocabulary import Vocabulary

CONFIG = TextConfig(tokenizer="bpe", **TEXT_DEFAULTS["bpe"])
UNCHANGED = TextConfig(tokenizer="bpe", **{**TEXT_DEFAULTS["bpe"], "normalization": "none"})
BPE = BpeTokenizer()
COUNTS = {"It": 2, "'s": 3, "Ġthe": 9, "Ġwhale": 4, "whales": 3, "ĊĊ": 3, "Ã©": 3}
LEARNED = BPE.learn(COUNTS, 280)


@pytest.fixture(scope="module")
def preprocessor():
    return Preprocessor(CONFIG, LEARNED)


@pytest.fixture(scope="module")
def unchanged():
    return Preprocessor(UNCHANGED, LEARNED)


def test_the_config_names_the_tokenizer():
    assert isinstance(make_tokenizer(CONFIG), BpeTokenizer)


def test_a_symbol_is_a_pretoken():
    symbols = BPE.tokenize(tf.constant(["It's new", ""]))
    assert symbols.to_list() == [[b"It", b"'s", b" new"], []]
    assert symbols.dtype == BPE.symbol_dtype
    assert BPE.token(b" new\n") == "ĠnewĊ"


def test_a_vocabulary_is_the_bytes_and_the_merges_in_order():
    assert LEARNED.tokens[:256] == ALPHABET
    # "he" and "th" and "Ġt" occur nine times each; "he" has the lowest ids, and "the" then comes before "Ġt".
    assert LEARNED.tokens[256:259] == ("he", "the", "Ġthe")
    assert dict(zip(LEARNED.tokens, LEARNED.counts, strict=True))["Ġthe"] == 9
    assert LEARNED.size == len(LEARNED.tokens) + 4


def test_tokens_are_counted_from_the_counts_of_pretokens():
    assert BPE.count(LEARNED.tokens, COUNTS) == list(LEARNED.counts)
    assert BPE.count(ALPHABET, {"aab": 3}) == [{"a": 6, "b": 3}.get(byte, 0) for byte in ALPHABET]
    assert BPE.count(ALPHABET, {}) == [0] * 256


def test_counts_are_of_64_bits():
    assert max(BPE.count(ALPHABET, {"aa": 1 << 40})) == 1 << 41
    assert max(BPE.learn({"ab": 1 << 40}, 257).counts) == 1 << 40


def test_merges_are_learned_from_more_pretokens():
    assert [BPE.symbols_to_learn(size) for size in (300, 50_000)] == [100_000, 500_000]


@pytest.mark.parametrize(("text", "expected"), [("Ġthe", True), (" the", False), ("日", False), ("", False)])
def test_a_given_vocabulary_is_written_in_the_alphabet_of_bytes(text, expected):
    assert BPE.is_token(text) is expected


@given(st.lists(nasty_texts, min_size=1, max_size=5))
@settings(max_examples=25, deadline=None)
def test_decoding_the_ids_gives_the_cleaned_text_back(preprocessor, texts):
    ids = preprocessor.encode(tf.constant(texts))
    assert preprocessor.decode(ids).numpy().tolist() == clean(tf.constant(texts), CONFIG).numpy().tolist()
    assert all(i > 3 for i in ids.flat_values.numpy())


@given(st.lists(nasty_texts, min_size=1, max_size=5))
@settings(max_examples=50, deadline=None)
def test_without_normalization_decoding_gives_every_byte_back(unchanged, texts):
    assert unchanged.decode(unchanged.encode(tf.constant(texts))).numpy().tolist() == [
        text.encode() for text in texts
    ]


@given(nasty_texts)
@settings(max_examples=50, deadline=None)
def test_hugging_face_gives_the_same_ids(unchanged, text):
    loaded = Tokenizer.from_str(write_json(LEARNED.tokens).decode())
    loaded.encode_special_tokens = True
    if not has_new_letters(text):
        assert loaded.encode(text).ids == unchanged.encode(tf.constant([text])).to_list()[0]


@pytest.mark.parametrize("text", ["[PAD]", "[BOS]", "<0x0A>", "Ġthe", ""])
def test_text_that_reads_like_a_token_or_a_reserved_id_is_text(preprocessor, text):
    ids = preprocessor.encode(tf.constant([text]))
    assert all(i > 3 for i in ids.to_list()[0])
    assert preprocessor.decode(ids).numpy().tolist() == [text.encode()]


def test_a_model_may_write_what_is_no_utf_8(preprocessor):
    ids = Preprocessor(CONFIG, Vocabulary(ALPHABET, (0,) * 256)).encode(tf.constant(["é"]))[:, :1]
    assert Preprocessor(CONFIG, Vocabulary(ALPHABET, (0,) * 256)).decode(ids).numpy().tolist() == [b"\xc3"]


def test_a_continuation_follows_its_prompt_at_once():
    joined = BPE.join(tf.constant(["Call", "", "a "]), tf.constant([" me", "x", ""]))
    assert joined.numpy().tolist() == [b"Call me", b"x", b"a "]


def test_the_encoder_gives_the_ids_of_the_table():
    symbols = [b" the", b"whales", b"\n\n", b" "]
    ids, lengths = BPE.encoder(LEARNED).encode(symbols)
    table = BPE.table(LEARNED).ids(tf.constant(symbols))
    assert (ids.tolist(), lengths.tolist()) == (table.values.numpy().tolist(), table.row_lengths().numpy().tolist())
