import random

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.config import TEXT_DEFAULTS, UNK, TextConfig
from textgen.text.cleaning import clean
from textgen.text.preprocessor import Preprocessor
from textgen.text.tokenizers import make_tokenizer
from textgen.text.tokenizers.piece_table import PieceTable
from textgen.text.tokenizers.wordpiece import WordpieceTokenizer
from textgen.text.vocabulary import Vocabulary

CONFIG = TextConfig(tokenizer="wordpiece", **TEXT_DEFAULTS["wordpiece"])
PIECES = WordpieceTokenizer()
ALPHABET = "ab#[]UNKP é日😀'.\n"
LETTERS = sorted({character for character in ALPHABET.lower() if not character.isspace()})
# Every character of the alphabet, alone and as a piece, and what may be taken for something else.
KNOWN = Vocabulary((*LETTERS, *(f"##{letter}" for letter in LETTERS), "ab", "##ab", "##unk", "[unk]"), (1,) * 30)


@pytest.fixture(scope="module")
def preprocessor():
    return Preprocessor(CONFIG, KNOWN)


def pieces(vocabulary, word):
    (ids,) = PieceTable(vocabulary).ids(tf.constant([word])).to_list()
    return [vocabulary.texts[i] for i in ids]


def words(size, seed=0):
    """Counts of random words, the later ones the rarer."""
    chance = random.Random(seed)
    return {"".join(chance.choices("abcdefgh", k=chance.randint(1, 9))): size - i for i in range(size)}


def test_the_config_names_the_tokenizer():
    assert isinstance(make_tokenizer(CONFIG), WordpieceTokenizer)


def test_a_symbol_is_what_white_space_parts():
    symbols = PIECES.tokenize(tf.constant(["whales! don't", ""]))
    assert symbols.to_list() == [[b"whales!", b"don't"], []]
    assert symbols.dtype == PIECES.symbol_dtype
    assert PIECES.token("é!".encode()) == "é!"


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("ab", ["ab"]),
        ("abab", ["ab", "##ab"]),
        ("aab", ["a", "##ab"]),
        ("a", ["a"]),
        # Words that look like pieces, like reserved ids, and like both.
        ("##ab", ["#", "###", "##ab"]),
        ("##", ["#", "###"]),
        ("#", ["#"]),
        ("###", ["#", "###", "###"]),
        ("a##ab", ["a", "###", "###", "##ab"]),
        ("[unk]", ["[unk]"]),
        ("[UNK]", ["[UNK]"]),
        ("[p]", ["[", "##p", "##]"]),
        # A word with a character that has no piece is unknown as a whole, once.
        ("x", ["[UNK]"]),
        ("axb", ["[UNK]"]),
        ("abx", ["[UNK]"]),
        ("##x", ["[UNK]"]),
        ("xyz", ["[UNK]"]),
        ("", []),
    ],
)
def test_the_longest_piece_is_found_first(word, expected):
    assert pieces(KNOWN, word) == expected


@pytest.mark.parametrize("word", ["[PAD]", "[BOS]", "[EOS]"])
def test_no_word_is_taken_for_a_reserved_id(word):
    assert pieces(KNOWN, word) == ["[UNK]"]


def test_a_word_that_is_written_as_a_reserved_id_may_be_a_token():
    vocabulary = Vocabulary(("[PAD]", "[UNK]", "a"), (1, 1, 1))
    assert PieceTable(vocabulary).ids(tf.constant(["[PAD]", "[UNK]", "a", "b"])).to_list() == [[4], [5], [6], [1]]
    assert PIECES.detokenize(texts_of(vocabulary, [4, 6, 5])).numpy().tolist() == [b"[PAD] a [UNK]"]


def test_two_marks_alone_are_a_word_and_not_a_suffix():
    vocabulary = Vocabulary(("##", "###", "#", "a"), (1, 1, 1, 1))
    assert pieces(vocabulary, "##") == ["##"]
    assert pieces(vocabulary, "a##") == ["a", "###", "###"]
    assert PIECES.detokenize(texts_of(vocabulary, [7, 4, 5, 6])).numpy().tolist() == [b"a ### #"]


def test_a_long_word_has_its_pieces():
    assert pieces(KNOWN, "ab" * 50_000) == ["ab"] + ["##ab"] * 49_999


def test_no_words_have_no_pieces():
    assert PieceTable(KNOWN).ids(tf.constant([], tf.string)).to_list() == []


def test_ids_are_of_32_bits():
    assert PieceTable(KNOWN).ids(tf.constant(["ab"])).dtype == tf.int32


@given(st.lists(st.text(alphabet=ALPHABET, max_size=20), min_size=1, max_size=5))
@settings(max_examples=25, deadline=None)
def test_decoding_the_ids_gives_the_cleaned_text_back(preprocessor, texts):
    ids = preprocessor.encode(tf.constant(texts))
    assert UNK not in ids.flat_values.numpy()
    assert preprocessor.decode(ids).numpy().tolist() == clean(tf.constant(texts), CONFIG).numpy().tolist()


def test_a_text_that_begins_in_the_midst_of_a_word_is_joined_from_there():
    ids = [KNOWN.texts.index(piece) for piece in ("##ab", "##a", "b", "##b")]
    assert PIECES.detokenize(texts_of(KNOWN, ids)).numpy().tolist() == [b"aba bb"]


def texts_of(vocabulary, *rows):
    return PieceTable(vocabulary).texts(tf.ragged.constant(rows, tf.int32, ragged_rank=1))


def test_a_continuation_is_a_space_away():
    joined = PIECES.join(tf.constant(["Call", "Call ", "", "Call"]), tf.constant(["me", "me", "me", ""]))
    assert joined.numpy().tolist() == [b"Call me", b"Call me", b"me", b"Call"]


def test_a_vocabulary_is_learned_by_hand():
    learned = PIECES.learn({"ab": 9, "abab": 5, "ab!": 3}, 8)
    # Six are the characters. That leaves two, which are the two parts that begin words.
    assert learned == Vocabulary(("ab", "abab", "##!", "!", "##a", "##b", "a", "b"), (12, 5, 3, 0, 0, 0, 0, 0))


def test_characters_are_kept_before_longer_pieces():
    assert PIECES.learn({"ab": 9, "abab": 5, "ab!": 3}, 6).tokens == ("##b", "a", "##a", "##!", "!", "b")
    assert PIECES.learn({"ab": 9, "abab": 5, "ab!": 3}, 2) == Vocabulary(("##b", "a"), (9, 9))


def test_a_vocabulary_is_in_the_order_of_its_counts_and_ties_go_by_text():
    learned = PIECES.learn(words(200), 60)
    pairs = list(zip(learned.tokens, learned.counts, strict=True))
    assert pairs == sorted(pairs, key=lambda pair: (-pair[1], pair[0]))
    assert list(learned.counts) == PIECES.count(learned.tokens, words(200))


@given(
    st.dictionaries(
        st.text(alphabet="abcé#.日", min_size=1, max_size=24), st.integers(1, 50), min_size=1, max_size=30
    )
)
@settings(max_examples=60, deadline=None)
def test_a_vocabulary_is_of_its_size_at_the_most_and_its_characters_go_first(counts):
    characters = {character for word in counts for character in word}
    for size in (1, 8, 16, 40):
        learned = PIECES.learn(counts, size)
        assert 0 < len(learned.tokens) <= size
        assert len(set(learned.tokens)) == len(learned.tokens)
        held = {token for token in learned.tokens if len(token.removeprefix("##") or token) == 1}
        if size >= 2 * len(characters):
            assert held == characters | {f"##{character}" for character in characters}
        elif size > len(characters):
            assert len(held) == size


def test_a_vocabulary_is_filled_if_there_is_enough_to_learn():
    assert [len(PIECES.learn(words(400), size).tokens) for size in (20, 50, 100, 300)] == [20, 50, 100, 300]


def test_frequent_words_are_pieces_and_rare_ones_are_split():
    learned = PIECES.learn({**words(300), "head": 5000, "headed": 1}, 100)
    assert pieces(learned, "head") == ["head"]
    assert pieces(learned, "headed")[0] == "head"


def test_a_mark_is_a_piece_and_the_word_after_it_is_whole():
    learned = PIECES.learn({"stop!": 50, "stop": 40, "(stop)": 30}, 40)
    assert pieces(learned, "(stop)!") == ["(", "##stop", "##)", "##!"]
    assert {"!", "##!", "(", "##(", ")", "##)"} <= set(learned.tokens)


def test_the_characters_of_a_script_without_spaces_are_learned_too():
    sentence = "日本語の文は空白で区切られていないので長い"
    learned = PIECES.learn({sentence: 3}, 100)
    assert UNK not in PieceTable(learned).ids(tf.constant([sentence, sentence[::-1]])).flat_values.numpy()


def test_the_order_in_which_words_were_counted_changes_nothing():
    counts = words(300)
    shuffled = list(counts.items())
    random.Random(1).shuffle(shuffled)
    assert PIECES.learn(dict(shuffled), 120) == PIECES.learn(counts, 120)


def test_pieces_are_counted_from_word_counts():
    counts = {"abab": 3, "ab": 2, "abx": 7}
    assert PIECES.count(["ab", "##ab", "a"], counts) == [5, 3, 0]
    assert PIECES.count(["ab"], {}) == [0]


def test_pieces_are_learned_from_more_words():
    assert PIECES.symbols_to_learn(30) == 300


@pytest.mark.parametrize(
    ("text", "expected"), [("##s", True), ("whale", True), ("[unused1]", True), ("", False), ("the 9", False)]
)
def test_a_given_vocabulary_holds_words_and_pieces(text, expected):
    assert PIECES.is_token(text) is expected
