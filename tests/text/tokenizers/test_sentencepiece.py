"""The models were trained by sentencepiece 0.2.3 on the first 20 chapters of examples/moby_dick.

`pieces.model` falls back to bytes; in `pieces_unknown.model` nothing does, [UNK] is its third piece, `<sep>` is a
symbol of the user's, and no space is put before a text. Neither normalizes.
"""

from pathlib import Path

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.config import TEXT_DEFAULTS, TextConfig
from textgen.errors import UserError
from textgen.text.cleaning import clean
from textgen.text.preprocessor import Preprocessor
from textgen.text.tokenizers import make_tokenizer
from textgen.text.tokenizers.sentencepiece import SentencepieceTokenizer

DATA = Path(__file__).parents[2] / "data"
MODEL, UNKNOWN_MODEL = ((DATA / name).read_bytes() for name in ("pieces.model", "pieces_unknown.model"))
CONFIG = TextConfig(tokenizer="sentencepiece", **TEXT_DEFAULTS["sentencepiece"])


@pytest.fixture(scope="module")
def tokenizer():
    return SentencepieceTokenizer(MODEL)


@pytest.fixture(scope="module")
def preprocessor(tokenizer):
    return Preprocessor(CONFIG, tokenizer.learn({}, 8000), model=MODEL)


@pytest.fixture(scope="module")
def unknowing():
    return Preprocessor(CONFIG, SentencepieceTokenizer(UNKNOWN_MODEL).learn({}, 8000), model=UNKNOWN_MODEL)


def pieces(preprocessor, text):
    (ids,) = preprocessor.encode(tf.constant([text])).to_list()
    return [preprocessor.vocabulary.texts[i] for i in ids]


def test_the_config_names_the_tokenizer():
    assert isinstance(make_tokenizer(CONFIG, MODEL), SentencepieceTokenizer)


def test_a_symbol_is_the_models_id_of_a_piece(tokenizer):
    symbols = tokenizer.tokenize(tf.constant(["the sea!", ""]))
    assert [[tokenizer.token(i) for i in row] for row in symbols.to_list()] == [["▁the", "▁s", "e", "a", "!"], []]
    assert symbols.dtype == tokenizer.symbol_dtype


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("é", ["▁", "<0xC3>", "<0xA9>"]),
        # What reads like a piece that is none of text is written with the bytes it has.
        ("<s>", ["▁", "<0x3C>", "s", "<0x3E>"]),
        ("<0x0A>", ["▁", "<0x3C>", "<0x30>", "x", "<0x30>", "A", "<0x3E>"]),
        ("", []),
    ],
)
def test_a_text_is_cut_into_pieces_and_what_has_none_into_bytes(preprocessor, text, expected):
    assert pieces(preprocessor, text) == expected
    assert preprocessor.decode(preprocessor.encode(tf.constant([text]))).numpy().tolist() == [text.encode()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("日本", ["[UNK]"]),
        ("a日s", ["a", "[UNK]", "s"]),
        ("<sep>a", ["<sep>", "a"]),
        ("[UNK]", ["[UNK]", "N", "K", "[UNK]"]),
    ],
)
def test_characters_without_a_piece_are_unknown_each_run_of_them_once(unknowing, text, expected):
    assert pieces(unknowing, text) == expected


def test_all_pieces_of_text_are_learned_by_falling_count_and_ties_go_by_text(tokenizer):
    learned = tokenizer.learn({"▁the": 2, "s": 5, "a": 2, "<unk>": 9}, 10)
    assert (learned.tokens[:3], learned.counts[:4]) == (("s", "a", "▁the"), (5, 2, 2, 0))
    assert not {"<unk>", "<s>", "</s>"} & set(learned.tokens)
    assert {f"<0x{byte:02X}>" for byte in range(256)} | {"▁"} <= set(learned.tokens)
    assert len(learned.tokens) == 400 - 3
    assert list(learned.tokens[3:]) == sorted(learned.tokens[3:])
    assert tokenizer.symbols_to_learn(10) == 400


def test_the_pieces_without_text_of_another_model_are_left_out_too(unknowing):
    assert not {"<pad>", "<unk>", "</s>"} & set(unknowing.vocabulary.tokens)
    assert {"<sep>", "▁"} <= set(unknowing.vocabulary.tokens)


def test_pieces_are_counted_from_symbol_counts(tokenizer):
    assert tokenizer.count(["s", "x", "a"], {"a": 5, "s": 2}) == [2, 0, 5]


@pytest.mark.parametrize(
    ("text", "expected"), [("▁the", True), ("<0x0A>", True), ("<s>", False), ("<unk>", False), ("whale-ship", False)]
)
def test_a_given_vocabulary_holds_only_pieces_of_text(tokenizer, text, expected):
    assert tokenizer.is_token(text) is expected


# The model takes its mark for a space, and what it puts in front of a text for none of it.
@given(st.lists(st.text(st.characters(exclude_characters="▁", exclude_categories=["Cs"]), max_size=20), min_size=1))
@settings(max_examples=25, deadline=None)
def test_decoding_the_ids_gives_any_cleaned_text_back(preprocessor, texts):
    cleaned = clean(tf.constant(texts), CONFIG)
    decoded = preprocessor.decode(preprocessor.encode(tf.constant(texts)))
    assert decoded.numpy().tolist() == cleaned.numpy().tolist()


@given(st.lists(st.text("acehst. ,\n", max_size=20), min_size=1))
@settings(max_examples=25, deadline=None)
def test_a_model_that_adds_no_space_gives_known_text_back_too(unknowing, texts):
    cleaned = clean(tf.constant(texts), CONFIG)
    decoded = unknowing.decode(unknowing.encode(tf.constant(texts)))
    assert decoded.numpy().tolist() == cleaned.numpy().tolist()


def test_the_models_mark_comes_back_as_a_space(preprocessor):
    ids = preprocessor.encode(tf.constant(["the▁sea"]))
    assert preprocessor.decode(ids).numpy().tolist() == [b"the sea"]


def test_a_model_may_write_what_is_no_utf_8(preprocessor):
    ids = preprocessor.encode(tf.constant(["é"]))[:, :2]
    assert preprocessor.decode(ids).numpy().tolist() == [b"\xc3"]


def test_a_continuation_is_a_space_away(tokenizer):
    joined = tokenizer.join(tf.constant(["Call", "Call ", "", "Call"]), tf.constant(["me", "me", "me", ""]))
    assert joined.numpy().tolist() == [b"Call me", b"Call me", b"me", b"Call"]


def test_a_saved_module_gives_the_same_ids_and_text(preprocessor, tmp_path):
    module = tf.Module()
    module.preprocessor = preprocessor
    module.ids = tf.function(preprocessor.encode, input_signature=[tf.TensorSpec([None], tf.string)])
    module.again = tf.function(
        lambda texts: preprocessor.decode(preprocessor.encode(texts)),
        input_signature=[tf.TensorSpec([None], tf.string)],
    )
    tf.saved_model.save(module, tmp_path / "saved")
    loaded = tf.saved_model.load(tmp_path / "saved")
    texts = tf.constant(["The whale’s tale.", "", "é 日"])
    assert loaded.ids(texts).to_list() == preprocessor.encode(texts).to_list()
    assert loaded.again(texts).numpy().tolist() == texts.numpy().tolist()


@pytest.mark.parametrize("content", [b"", b"no model", MODEL[:1000], b"\n\x00"])
def test_a_damaged_model_is_an_error_that_says_what_to_give(content):
    with pytest.raises(UserError, match=r"the tokenizer model is damaged, .*Give the \.model file"):
        SentencepieceTokenizer(content)
