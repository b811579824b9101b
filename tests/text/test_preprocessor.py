import unicodedata

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.config import TextConfig
from textgen.text.preprocessor import Analyzer, Preprocessor
from textgen.text.vocabulary import Vocabulary

WORDS = Vocabulary(("the", "whale", "’", ".", "don't"), (5, 4, 3, 2, 1))
CHARS = Vocabulary(("e", " ", "a", "é", "\n"), (5, 4, 3, 2, 1))

CONFIGS = {
    "word": TextConfig(),
    "word, marks kept": TextConfig(punctuation="keep", case="keep"),
    "word, unknown dropped": TextConfig(unknown="drop", punctuation="strip"),
    "char": TextConfig(tokenizer="char", case="keep", whitespace="keep", punctuation="keep"),
    "char, unknown dropped": TextConfig(tokenizer="char", punctuation="keep", unknown="drop"),
}

TEXTS = ["The WHALE’s tale.\r\n", "", "don't", "xyz", "é ea\u0301\n", "  The\u00a0whale . "]


@pytest.fixture(scope="module")
def preprocessors():
    return {
        name: Preprocessor(config, CHARS if config.tokenizer == "char" else WORDS) for name, config in CONFIGS.items()
    }


@pytest.fixture(scope="module")
def words(preprocessors):
    return preprocessors["word"]


def rows(tokens):
    """What `tokens` returns, as the list of ids of each text."""
    return tf.RaggedTensor.from_row_lengths(tokens.flat, tokens.lengths).to_list()


def test_ids_are_worked_out_by_hand(words):
    ids = words.encode(tf.constant(["The  Whale.", "a don't", ""]))
    assert ids.to_list() == [[4, 5, 7], [1, 8], []]
    assert ids.dtype == tf.int32


@pytest.mark.parametrize("name", ["word", "word, unknown dropped", "char"])
def test_every_route_gives_the_same_ids(preprocessors, name):
    preprocessor = preprocessors[name]
    texts = tf.constant(TEXTS)
    eager = preprocessor.encode(texts).to_list()
    graph = tf.function(preprocessor.encode)(texts).to_list()
    mapped = [
        row
        for batch in tf.data.Dataset.from_tensor_slices(TEXTS).batch(4).map(preprocessor.encode)
        for row in batch.to_list()
    ]
    one_by_one = [preprocessor.encode(tf.constant([text])).to_list()[0] for text in TEXTS]
    assert graph == mapped == one_by_one == rows(preprocessor.tokens(texts)) == eager
    assert any(eager)


def invalid(token):
    return token.decode(errors="replace").encode() != token


@given(st.lists(st.text(max_size=30), min_size=1, max_size=5), st.sampled_from(sorted(CONFIGS)))
@settings(max_examples=60, deadline=None)
def test_tokens_and_encode_agree_on_any_text(preprocessors, texts, name):
    preprocessor = preprocessors[name]
    tokens = preprocessor.tokens(tf.constant(texts))
    assert rows(tokens) == preprocessor.encode(tf.constant(texts)).to_list()
    assert tokens.characters.numpy().tolist() == [len(text.decode()) for text in tokens.cleaned.numpy()]
    assert (tokens.flat.dtype, tokens.lengths.dtype, tokens.characters.dtype) == (tf.int32, tf.int64, tf.int32)


@pytest.mark.parametrize("name", CONFIGS)
def test_cleaned_text_has_the_ids_of_the_raw_text(preprocessors, name):
    tokens = preprocessors[name].tokens(tf.constant(TEXTS))
    assert preprocessors[name].encode(tokens.cleaned).to_list() == rows(tokens)


def test_symbols_are_the_tokens_before_they_are_looked_up():
    analyzer = Analyzer(TextConfig())
    tokens = analyzer.symbols(tf.constant(["The whale.", "", "Don't"]))
    assert tokens.flat.numpy().tolist() == [b"the", b"whale", b".", b"don't"]
    assert tokens.lengths.numpy().tolist() == [3, 0, 1]
    assert tokens.cleaned.numpy().tolist() == [b"the whale.", b"", b"don't"]
    assert tokens.characters.numpy().tolist() == [10, 0, 5]


def test_symbols_of_characters_are_code_points():
    analyzer = Analyzer(TextConfig(tokenizer="char", punctuation="keep"))
    tokens = analyzer.symbols(tf.constant(["Aé"]))
    assert tokens.flat.numpy().tolist() == [97, 0xE9]


@pytest.mark.parametrize("whitespace", ["collapse", "keep"])
@pytest.mark.parametrize("punctuation", ["keep", "separate", "strip"])
def test_no_character_is_cut_in_two(whitespace, punctuation):
    analyzer = Analyzer(TextConfig(whitespace=whitespace, punctuation=punctuation))
    # Lo, the letters without case, is most of Unicode and nothing that a rule here touches.
    skipped = ("Cn", "Co", "Cs", "Lo")
    characters = [chr(c) for c in range(0x110000) if unicodedata.category(chr(c)) not in skipped]
    tokens = analyzer.symbols(tf.constant([f"a{character}b" for character in characters]))
    assert [token for token in tokens.flat.numpy() if invalid(token)] == []


@pytest.mark.parametrize("punctuation", ["keep", "separate", "strip"])
def test_a_line_separator_parts_words_where_white_space_is_kept(punctuation):
    analyzer = Analyzer(TextConfig(whitespace="keep", punctuation=punctuation))
    assert analyzer.symbols(tf.constant(["a\u2028b"])).flat.numpy().tolist() == [b"a", b"b"]


def test_unknown_tokens_keep_their_place_or_are_dropped(preprocessors):
    texts = tf.constant(["the white whale", "white", ""])
    assert preprocessors["word"].encode(texts).to_list() == [[4, 1, 5], [1], []]
    assert preprocessors["word, unknown dropped"].encode(texts).to_list() == [[4, 5], [], []]


def test_a_text_of_unknown_words_alone_has_no_tokens_where_they_are_dropped(preprocessors):
    tokens = preprocessors["word, unknown dropped"].tokens(tf.constant(["white ship", "whale"]))
    assert tokens.lengths.numpy().tolist() == [0, 1]
    assert tokens.flat.numpy().tolist() == [5]


def test_a_batch_of_no_texts_has_no_tokens(words):
    tokens = words.tokens(tf.constant([], tf.string))
    assert tokens.lengths.shape == tokens.flat.shape == (0,)


def test_reserved_ids_but_unknown_have_no_text(words):
    ids = tf.ragged.constant([[2, 4, 1, 5, 7, 3], [0, 0], [], [2, 3, 0]], tf.int32)
    assert words.decode(ids).numpy().tolist() == [b"the [UNK] whale.", b"", b"", b""]


@given(st.lists(st.integers(0, 3), max_size=4), st.lists(st.integers(4, 8), max_size=6), st.integers(0, 6))
@settings(max_examples=40, deadline=None)
def test_padding_and_boundaries_anywhere_change_no_text(words, reserved, ids, place):
    reserved = [number for number in reserved if number != 1]
    mixed = ids[:place] + reserved + ids[place:]
    plain, marked = (words.decode(tf.ragged.constant([row], tf.int32, ragged_rank=1)) for row in (ids, mixed))
    assert plain.numpy() == marked.numpy()


def test_decoding_in_a_graph_gives_the_same_text(words):
    ids = tf.ragged.constant([[2, 4, 5, 7], [8]], tf.int32)
    assert tf.function(words.decode)(ids).numpy().tolist() == words.decode(ids).numpy().tolist()


def test_a_saved_module_gives_the_same_ids(words, tmp_path):
    words_module = tf.Module()
    words_module.preprocessor = words
    words_module.serve = tf.function(
        lambda texts: words.encode(texts), input_signature=[tf.TensorSpec([None], tf.string)]
    )
    tf.saved_model.save(words_module, tmp_path / "saved")
    loaded = tf.saved_model.load(tmp_path / "saved")
    texts = tf.constant(TEXTS)
    assert loaded.serve(texts).to_list() == words.encode(texts).to_list()
