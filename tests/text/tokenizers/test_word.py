import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.config import TextConfig
from textgen.errors import UserError
from textgen.text.cleaning import clean
from textgen.text.tokenizers import make_tokenizer
from textgen.text.tokenizers.word import WordTokenizer
from textgen.text.vocabulary import Vocabulary

APART = WordTokenizer(separate_marks=True)
LINES = WordTokenizer(separate_marks=True, line_ends=True)
GREEK = WordTokenizer(separate_marks=True, folded=True)
TOGETHER = WordTokenizer(separate_marks=False)


def tokens(tokenizer, text):
    return [token.decode() for token in tokenizer.tokenize(tf.constant([text])).to_list()[0]]


def detokenized(tokenizer, *words):
    return tokenizer.detokenize(tf.ragged.constant([words], tf.string))[0].numpy().decode()


def joined(tokenizer, prompt, continuation):
    return tokenizer.join(tf.constant([prompt]), tf.constant([continuation]))[0].numpy().decode()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("don't stop!", ["don't", "stop", "!"]),
        ("rock'n'roll", ["rock'n'roll"]),
        ("it’s", ["it’s"]),
        ("'tis", ["'", "tis"]),
        ("’tis", ["’", "tis"]),
        ("dogs'", ["dogs", "'"]),
        ("the dogs' tails", ["the", "dogs", "'", "tails"]),
        ("the dogs'.", ["the", "dogs", "'", "."]),
        ("'a' 'b'", ["'", "a", "'", "'", "b", "'"]),
        ("('tis)", ["(", "'", "tis", ")"]),
        ("a—b", ["a", "—", "b"]),
        ("a -- b", ["a", "-", "-", "b"]),
        ("“hi,” she said", ["“", "hi", ",", "”", "she", "said"]),
        ("‘hi’", ["‘", "hi", "’"]),
        ("U.S.", ["U", ".", "S", "."]),
        ("3.5%", ["3", ".", "5", "%"]),
        ("$5", ["$", "5"]),
        ("snake_case", ["snake", "_", "case"]),
        ("?!", ["?", "!"]),
        ("naïve e\u0301tude", ["naïve", "e\u0301tude"]),
        ("日本語、です。", ["日本語", "、", "です", "。"]),
        ("line\nnext\tone", ["line", "next", "one"]),
        ("dogs'\ncats", ["dogs", "'", "cats"]),
        ("", []),
        (" \n", []),
        ("'", ["'"]),
        ("«می\u200cخواهم»", ["«", "می\u200cخواهم", "»"]),
        ("ශ්\u200dරී අවን්\u200d", ["ශ්\u200dරී", "අවን්\u200d"]),
        ("ខ្ញុំ\u200bស្រឡាញ់។", ["ខ្ញុំ", "ស្រឡាញ់", "។"]),
        ("hi👩\u200d🚀!👩🏽\u200d💻", ["hi", "👩\u200d🚀", "!", "👩🏽\u200d💻"]),
        ("❤\ufe0f❤\ufe0f\u200d🔥🏳\ufe0f\u200d🌈", ["❤\ufe0f", "❤\ufe0f\u200d🔥", "🏳\ufe0f\u200d🌈"]),
        ("1\ufe0f\u20e3 葛\U000e0100城", ["1\ufe0f\u20e3", "葛\U000e0100城"]),
        ("🏴\U000e0067\U000e0062\U000e007f!", ["🏴\U000e0067\U000e0062\U000e007f", "!"]),
        ("👍🏽 ≠ ❤", ["👍", "🏽", "≠", "❤"]),
    ],
)
def test_marks_are_separated_except_apostrophes_within_words(text, expected):
    assert tokens(APART, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("don't stop!", ["don't", "stop!"]),
        ("“hi,” she—said", ["“hi,”", "she—said"]),
        ("a\tb  c\nd", ["a", "b", "c", "d"]),
        ("", []),
    ],
)
def test_without_separate_marks_words_are_split_only_at_white_space(text, expected):
    assert tokens(TOGETHER, text) == expected


def test_a_batch_has_one_row_per_text():
    rows = APART.tokenize(tf.constant(["a b", "", "c."]))
    assert rows.to_list() == [[b"a", b"b"], [], [b"c", b"."]]
    assert rows.dtype == APART.symbol_dtype


@pytest.mark.parametrize(
    ("punctuation", "expected"),
    [("separate", ["a", "."]), ("keep", ["a."]), ("strip", ["a."])],
)
def test_the_settings_decide_whether_marks_are_separated(punctuation, expected):
    assert tokens(make_tokenizer(TextConfig(punctuation=punctuation)), "a.") == expected


@given(st.lists(st.text(), min_size=1, max_size=5))
@settings(max_examples=60, deadline=None)
def test_separating_marks_loses_no_visible_character(texts):
    cleaned = clean(tf.constant(texts), TextConfig())
    apart, together = APART.tokenize(cleaned), TOGETHER.tokenize(cleaned)
    assert [b"".join(row) for row in apart.to_list()] == [b"".join(row) for row in together.to_list()]


@given(st.lists(st.text(alphabet="ab'’ .\n", max_size=8), min_size=1, max_size=8))
@settings(max_examples=60, deadline=None)
def test_tokenizing_a_token_gives_the_token(texts):
    rows = APART.tokenize(tf.constant(texts))
    assert APART.tokenize(tf.strings.reduce_join(rows, axis=-1, separator=" ")).to_list() == rows.to_list()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["stop", ",", "he", "said", "."], "stop, he said."),
        (["(", "a", ")", "[", "b", "]", "{", "c", "}"], "(a) [b] {c}"),
        (["“", "hi", ",", "”", "she", "said"], "“hi,” she said"),
        (["‘", "tis", "’"], "‘tis’"),
        (["what", "?", "!"], "what?!"),
        (["5", "%", ";", "6", ":"], "5%; 6:"),
        (["a", "—", "b"], "a — b"),
        (['"', "a", '"'], '" a "'),
        (["dogs", "'", "tails"], "dogs ' tails"),
        (["don't"], "don't"),
        ([], ""),
        (["."], "."),
    ],
)
def test_joined_words_have_no_space_before_closing_marks(words, expected):
    assert detokenized(APART, *words) == expected


def test_without_separate_marks_joined_words_keep_every_space():
    assert detokenized(TOGETHER, "a", ",", "b.") == "a , b."


@pytest.mark.parametrize(
    ("prompt", "continuation", "expected"),
    [
        ("Call", "me", "Call me"),
        ("Call ", "me", "Call me"),
        ("Call\n", "me", "Call\nme"),
        ("two\nlines", "here", "two\nlines here"),
        ("", "me", "me"),
        ("Call", "", "Call"),
        ("", "", ""),
        ("Call", ", he", "Call, he"),
        ("Call", "”", "Call”"),
        ("Call", "(me", "Call (me"),
        ("Call", "— me", "Call — me"),
    ],
)
def test_a_continuation_follows_a_space_except_before_closing_marks(prompt, continuation, expected):
    assert joined(APART, prompt, continuation) == expected


def test_a_closing_mark_is_a_word_like_others_where_marks_are_not_apart():
    assert joined(TOGETHER, "a", ", b") == "a , b"
    assert joined(TOGETHER, "a ", "b") == "a b"


def test_prompts_of_a_batch_are_joined_each_with_its_own_continuation():
    made = APART.join(tf.constant(["a", "b ", ""]), tf.constant(["x", "y", "z"]))
    assert made.numpy().tolist() == [b"a x", b"b y", b"z"]


def test_the_token_of_a_symbol_is_the_word():
    assert APART.token("é".encode()) == "é"


def test_the_most_frequent_words_are_learned_and_ties_go_by_text():
    learned = APART.learn({"sea": 2, "mast": 2, "whale": 9, "oar": 1}, 3)
    assert learned == Vocabulary(("whale", "mast", "sea"), (9, 2, 2))
    assert APART.symbols_to_learn(3) == 3


def test_words_are_counted_from_symbol_counts():
    assert APART.count(["sea", "oar"], {"whale": 5, "sea": 2}) == [2, 0]


@pytest.mark.parametrize(
    ("text", "expected"), [("sea", True), ("don't!", True), ("", False), ("the 9", False), (" a", False)]
)
def test_a_given_vocabulary_holds_only_single_words(text, expected):
    assert APART.is_token(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a b\nc", ["a", "b", "\n", "c"]),
        ("a\n\n\nb\n", ["a", "\n", "\n", "\n", "b", "\n"]),
        ("dogs'\n'tis\t(a)", ["dogs", "'", "\n", "'", "tis", "(", "a", ")"]),
        ("", []),
    ],
)
def test_a_line_end_may_be_a_token(text, expected):
    assert tokens(LINES, text) == expected
    assert not APART.is_token("\n")
    assert LINES.is_token("\n")


def test_line_end_tokens_become_line_ends_again():
    assert detokenized(LINES, "a", ".", "\n", "\n", "(", "b", ")", "\n") == "a.\n\n(b)\n"
    assert joined(LINES, "a", "\nb") == "a\nb"
    assert joined(LINES, "a\n", "b") == "a\nb"


@pytest.mark.parametrize("word", ["<unk>", "[UNK]", "@@UNKNOWN@@", "unk", "-"])
def test_the_unknown_word_stays_whole_and_has_no_id_of_its_own(word):
    tokenizer = make_tokenizer(TextConfig(unknown_word=word))
    folded = word.lower()
    assert tokens(tokenizer, f"the {folded}, said ({folded})") == ["the", folded, ",", "said", "(", folded, ")"]
    learned = tokenizer.learn({"the": 5, folded: 9, "said": 3, "sea": 1}, 2)
    assert learned == Vocabulary(("the", "said"), (5, 3))
    assert tokenizer.symbols_to_learn(2) == 3
    assert not tokenizer.is_token(folded)
    table = tokenizer.table(learned)
    ids = table.ids(tf.constant(["the", folded, "whale"]))
    assert ids.to_list() == [[4], [1], [1]]
    assert table.texts(ids).to_list() == [[b"the"], [folded.encode()], [folded.encode()]]


@pytest.mark.parametrize(
    ("settings", "becomes"),
    [({"unknown_word": "<unk>", "html": "strip"}, "''"), ({"unknown_word": "not known"}, "'not known'")],
)
def test_an_unknown_word_that_cleaning_does_not_leave_one_word_is_an_error(settings, becomes):
    with pytest.raises(UserError, match=f"of which cleaning makes {becomes}; it must remain one word"):
        make_tokenizer(TextConfig(**settings))


def test_folded_greek_words_get_their_final_sigma_back():
    cleaned = clean(tf.constant(["Ο ΟΔΥΣΣΕΑΣ, ΌΣΟΣ σ' όσους; ΣΑΣ"]), TextConfig())
    words = GREEK.tokenize(cleaned)
    assert words.values.numpy()[1].decode() == "οδυσσεασ"
    assert GREEK.detokenize(words)[0].numpy().decode() == "ο οδυσσεας, όσος σ ' όσους; σας"
    again = clean(GREEK.detokenize(words), TextConfig())
    assert GREEK.tokenize(again).to_list() == words.to_list()
