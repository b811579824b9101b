import hashlib
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.config import TEXT_DEFAULTS, TOKENIZER_FILE, VOCABULARY_FILE, TextConfig
from textgen.errors import UserError
from textgen.text import preprocessor as preprocessors_module
from textgen.text.preprocessor import Analyzer, Preprocessor
from textgen.text.tokenizers.byte_alphabet import ALPHABET
from textgen.text.vocabulary import Vocabulary

WORDS = Vocabulary(("the", "whale", "’", ".", "don't"), (5, 4, 3, 2, 1))
CHARS = Vocabulary(("e", " ", "a", "é", "\n"), (5, 4, 3, 2, 1))
BYTES = Vocabulary(("e", "<0x20>", "a", "<0xC3>", "<0xA9>"), (5, 4, 3, 2, 1))
PIECES = Vocabulary(("the", "wh", "##ale", ".", "##.", "é"), (6, 5, 4, 3, 2, 1))
SUBWORDS = Vocabulary((*ALPHABET, "he", "Ġw", "Ġwh", "the"), (1,) * 260)

CONFIGS = {
    "word": TextConfig(),
    "word, marks kept": TextConfig(punctuation="keep", case="keep"),
    "word, unknown dropped": TextConfig(unknown="drop", punctuation="strip"),
    "char": TextConfig(tokenizer="char", case="keep", whitespace="keep", punctuation="keep"),
    "char, unknown dropped": TextConfig(tokenizer="char", punctuation="keep", unknown="drop"),
    "byte": TextConfig(tokenizer="byte", **TEXT_DEFAULTS["byte"]),
    "wordpiece": TextConfig(tokenizer="wordpiece", **TEXT_DEFAULTS["wordpiece"]),
    "bpe": TextConfig(tokenizer="bpe", **TEXT_DEFAULTS["bpe"]),
    "bpe, unchanged": TextConfig(tokenizer="bpe", **{**TEXT_DEFAULTS["bpe"], "normalization": "none"}),
    "wordpiece, unknown dropped": TextConfig(tokenizer="wordpiece", punctuation="keep", unknown="drop"),
}
VOCABULARIES = {"word": WORDS, "char": CHARS, "byte": BYTES, "wordpiece": PIECES, "bpe": SUBWORDS}

MODEL = (Path(__file__).parents[1] / "data" / "pieces.model").read_bytes()
SENTENCEPIECE = TextConfig(
    tokenizer="sentencepiece", punctuation="keep", tokenizer_model=hashlib.sha256(MODEL).hexdigest()
)

TEXTS = ["The WHALE’s tale.\r\n", "", "don't", "xyz", "é ea\u0301\n", "  The\u00a0whale . "]


@pytest.fixture(scope="module")
def preprocessors():
    return {name: Preprocessor(config, VOCABULARIES[config.tokenizer]) for name, config in CONFIGS.items()}


@pytest.fixture(scope="module")
def words(preprocessors):
    return preprocessors["word"]


def analyzed(analyzer, texts, continued=None):
    """Of texts none of which goes on from another, unless it is said."""
    return analyzer.tokenize(texts, continued or [False] * len(texts))


def symbols(tokens):
    """The symbols of each text."""
    flat = tf.gather(tokens.symbols, tokens.indices)
    return tf.RaggedTensor.from_row_lengths(flat, tokens.lengths).to_list()


def looked_up(preprocessor, tokens):
    """The ids of each text, each symbol looked up once."""
    ids = preprocessor.ids(tokens.symbols).to_list()
    places = tf.RaggedTensor.from_row_lengths(tokens.indices, tokens.lengths).to_list()
    return [[number for place in row for number in ids[place]] for row in places]


def test_ids_are_worked_out_by_hand(words):
    ids = words.encode(tf.constant(["The  Whale.", "a don't", ""]))
    assert ids.to_list() == [[4, 5, 7], [1, 8], []]
    assert ids.dtype == tf.int32


@pytest.mark.parametrize("name", CONFIGS)
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
    assert graph == mapped == one_by_one == looked_up(preprocessor, analyzed(preprocessor, TEXTS)) == eager
    assert any(eager)


def invalid(token):
    return token.decode(errors="replace").encode() != token


@given(st.lists(st.text(max_size=30), min_size=1, max_size=5), st.sampled_from(sorted(CONFIGS)))
@settings(max_examples=30, deadline=None)
def test_analyze_and_encode_agree_on_any_text(preprocessors, texts, name):
    preprocessor = preprocessors[name]
    tokens = analyzed(preprocessor, texts)
    assert looked_up(preprocessor, tokens) == preprocessor.encode(tf.constant(texts)).to_list()
    assert tokens.characters.tolist() == [len(text.decode()) for text in tokens.cleaned]
    assert len(set(tokens.symbols.tolist())) == len(tokens.symbols)
    assert (tokens.indices.dtype, tokens.lengths.dtype, tokens.characters.dtype) == (np.int32, np.int64, np.int32)


@pytest.mark.parametrize("name", CONFIGS)
def test_ids_are_of_32_bits_and_decode_to_text(preprocessors, name):
    ids = preprocessors[name].encode(tf.constant(["é the whale .", ""]))
    assert (ids.dtype, ids.shape.rank, ids.ragged_rank) == (tf.int32, 2, 1)
    assert preprocessors[name].ids(analyzed(preprocessors[name], ["the"]).symbols).dtype == tf.int32
    assert preprocessors[name].decode(ids).numpy()[1] == b""


@pytest.mark.parametrize("name", CONFIGS)
def test_cleaned_text_has_the_ids_of_the_raw_text(preprocessors, name):
    tokens = analyzed(preprocessors[name], TEXTS)
    assert preprocessors[name].encode(tokens.cleaned).to_list() == looked_up(preprocessors[name], tokens)


def test_symbols_are_the_tokens_before_lookup():
    analyzer = Analyzer(TextConfig())
    tokens = analyzed(analyzer, ["The whale.", "", "Don't the"])
    assert tokens.symbols.tolist() == [b"the", b"whale", b".", b"don't"]
    assert tokens.indices.tolist() == [0, 1, 2, 3, 0]
    assert tokens.lengths.tolist() == [3, 0, 2]
    assert tokens.cleaned.tolist() == [b"the whale.", b"", b"don't the"]
    assert tokens.characters.tolist() == [10, 0, 9]


def test_symbols_of_characters_are_code_points():
    analyzer = Analyzer(TextConfig(tokenizer="char", punctuation="keep"))
    assert symbols(analyzed(analyzer, ["Aé"])) == [[97, 0xE9]]


@pytest.mark.parametrize("name", [name for name in CONFIGS if "word" in name])
def test_the_chunks_of_a_text_have_the_words_of_the_whole(preprocessors, name):
    whole = analyzed(preprocessors[name], ["The whale .  A tale"])
    parts = analyzed(preprocessors[name], ["The whale", " .  A", " tale"], [False, True, True])
    assert sum(symbols(parts), []) == symbols(whole)[0]
    assert b"".join(parts.cleaned) == whole.cleaned[0]


@pytest.mark.parametrize("name", ["char", "byte", "bpe"])
def test_the_chunks_of_a_text_have_the_characters_of_the_whole(preprocessors, name):
    whole = analyzed(preprocessors[name], ["é a\n  e"])
    parts = analyzed(preprocessors[name], ["é", " a", "\n  e"], [False, True, True])
    assert sum(symbols(parts), []) == symbols(whole)[0]


@pytest.mark.parametrize("whitespace", ["collapse", "keep"])
@pytest.mark.parametrize("punctuation", ["keep", "separate", "strip"])
def test_no_character_is_split(whitespace, punctuation):
    analyzer = Analyzer(TextConfig(whitespace=whitespace, punctuation=punctuation))
    # Lo, the letters without case, is most of Unicode and nothing that a rule here touches.
    skipped = ("Cn", "Co", "Cs", "Lo")
    characters = [chr(c) for c in range(0x110000) if unicodedata.category(chr(c)) not in skipped]
    tokens = analyzed(analyzer, [f"a{character}b" for character in characters])
    assert [token for token in tokens.symbols if invalid(token)] == []


@pytest.mark.parametrize("punctuation", ["keep", "separate", "strip"])
def test_a_line_separator_separates_words_if_white_space_is_kept(punctuation):
    analyzer = Analyzer(TextConfig(whitespace="keep", punctuation=punctuation))
    assert symbols(analyzed(analyzer, ["a\u2028b"])) == [[b"a", b"b"]]


def test_unknown_tokens_have_an_id_or_are_dropped(preprocessors):
    texts = tf.constant(["the white whale", "white", ""])
    assert preprocessors["word"].encode(texts).to_list() == [[4, 1, 5], [1], []]
    assert preprocessors["word, unknown dropped"].encode(texts).to_list() == [[4, 5], [], []]
    assert preprocessors["wordpiece"].encode(texts).to_list() == [[4, 1, 5, 6], [1], []]
    assert preprocessors["wordpiece, unknown dropped"].encode(texts).to_list() == [[4, 5, 6], [], []]


def test_a_text_of_only_unknown_words_has_no_tokens_if_they_are_dropped(preprocessors):
    preprocessor = preprocessors["word, unknown dropped"]
    tokens = analyzed(preprocessor, ["white ship", "whale"])
    assert tokens.lengths.tolist() == [2, 1]
    assert preprocessor.ids(tokens.symbols).to_list() == [[], [], [5]]


@pytest.mark.parametrize("name", CONFIGS)
def test_a_batch_of_no_texts_has_no_tokens(preprocessors, name):
    tokens = analyzed(preprocessors[name], [])
    assert tokens.lengths.shape == tokens.indices.shape == tokens.symbols.shape == (0,)
    assert preprocessors[name].ids(tokens.symbols).to_list() == []
    assert preprocessors[name].encode(tf.constant([], tf.string)).to_list() == []


def test_reserved_ids_except_unknown_have_no_text(words):
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


@pytest.mark.parametrize("name", ["word", "wordpiece", "bpe"])
def test_a_saved_module_gives_the_same_ids(preprocessors, name, tmp_path):
    preprocessor = preprocessors[name]
    module = tf.Module()
    module.preprocessor = preprocessor
    module.serve = tf.function(
        lambda texts: preprocessor.encode(texts), input_signature=[tf.TensorSpec([None], tf.string)]
    )
    tf.saved_model.save(module, tmp_path / "saved")
    loaded = tf.saved_model.load(tmp_path / "saved")
    texts = tf.constant(TEXTS)
    assert loaded.serve(texts).to_list() == preprocessor.encode(texts).to_list()


def test_load_reads_the_vocabulary(tmp_path):
    (tmp_path / VOCABULARY_FILE).write_bytes(WORDS.to_bytes())
    loaded = preprocessors_module.load(tmp_path, TextConfig())
    assert loaded.vocabulary == WORDS
    assert loaded.encode(tf.constant(["The whale."])).to_list() == [[4, 5, 7]]


def test_load_reads_the_tokenizer_model(tmp_path):
    (tmp_path / TOKENIZER_FILE).write_bytes(MODEL)
    (tmp_path / VOCABULARY_FILE).write_bytes(Vocabulary(("▁the", "a"), (2, 1)).to_bytes())
    loaded = preprocessors_module.load(tmp_path, SENTENCEPIECE)
    assert loaded.encode(tf.constant(["the a"])).to_list() == [[4, 1]]


@pytest.mark.parametrize("content", [None, b"", MODEL[:-1], b"another"])
def test_a_model_that_is_missing_or_changed_is_an_error_that_names_it(tmp_path, content):
    (tmp_path / VOCABULARY_FILE).write_bytes(WORDS.to_bytes())
    if content is not None:
        (tmp_path / TOKENIZER_FILE).write_bytes(content)
    with pytest.raises(
        UserError, match=rf"{tmp_path}/tokenizer\.model is missing or changed; .*Copy that file there"
    ):
        preprocessors_module.load(tmp_path, SENTENCEPIECE)


def test_load_without_a_vocabulary_is_an_error(tmp_path):
    with pytest.raises(UserError, match=r"has no vocabulary\.jsonl"):
        preprocessors_module.load(tmp_path, TextConfig())


@pytest.mark.parametrize(("tokenizer", "token"), [("char", "ab"), ("char", ""), ("byte", "é"), ("byte", "<0x41>")])
def test_a_vocabulary_of_another_tokenizer_is_an_error(tokenizer, token):
    config = TextConfig(**TEXT_DEFAULTS[tokenizer], tokenizer=tokenizer)
    with pytest.raises(UserError, match=rf"vocabulary\.jsonl has .*, which is no token of the {tokenizer} tokenizer"):
        Preprocessor(config, Vocabulary(("a", token), (2, 1)))
