import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.config import VOCABULARY_FILE, VocabularyRecord
from textgen.errors import UserError
from textgen.text.vocabulary import Vocabulary, load, load_own, most_frequent, parse, parse_user_vocabulary

counts = st.dictionaries(st.text(max_size=6), st.integers(1, 50), max_size=20)


def test_tokens_are_sorted_by_falling_count_and_ties_by_their_text():
    found = most_frequent({"b": 2, "a": 2, "the": 9, "é": 2, "B": 2, "z": 3}, 10)
    assert found == Vocabulary(("the", "z", "B", "a", "b", "é"), (9, 3, 2, 2, 2, 2))


def test_a_vocabulary_is_cut_to_its_size_through_a_tie():
    assert most_frequent([("b", 1), ("c", 5), ("a", 1)], 2) == Vocabulary(("c", "a"), (5, 1))


def test_fewer_tokens_than_wanted_are_all_kept():
    assert most_frequent({"a": 1}, 100).tokens == ("a",)


@given(counts, st.integers(1, 20), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_the_order_in_which_tokens_were_counted_changes_nothing(found, size, random):
    shuffled = list(found.items())
    random.shuffle(shuffled)
    made = most_frequent(found, size)
    assert most_frequent(shuffled, size) == made
    assert len(made.tokens) == min(size, len(found))
    assert list(made.counts) == sorted(found.values(), reverse=True)[:size]


def test_ids_start_at_four_in_the_order_of_frequency():
    learned = most_frequent({"a": 1, "the": 9}, 10)
    assert learned.size == 6
    assert learned.texts == ("[PAD]", "[UNK]", "[BOS]", "[EOS]", "the", "a")


def test_the_file_holds_a_json_list_a_line():
    learned = Vocabulary(("the", "\n", 'say "', "\u2028", "é", "\\"), (9, 8, 7, 6, 5, 4))
    assert learned.to_bytes() == (
        b'["the", 9]\n["\\n", 8]\n["say \\"", 7]\n["\xe2\x80\xa8", 6]\n["\xc3\xa9", 5]\n["\\\\", 4]\n'
    )


def test_the_fingerprint_is_the_sha256_of_the_file():
    learned = Vocabulary(("the", "a"), (9, 1))
    assert learned.fingerprint() == hashlib.sha256(b'["the", 9]\n["a", 1]\n').hexdigest()
    assert learned.fingerprint() != Vocabulary(("the", "a"), (9, 2)).fingerprint()
    assert learned.tokens_fingerprint() == Vocabulary(("the", "a"), (9, 2)).tokens_fingerprint()
    assert learned.tokens_fingerprint() != Vocabulary(("a", "the"), (9, 2)).tokens_fingerprint()


@given(counts)
@settings(max_examples=100, deadline=None)
def test_any_token_is_restored_from_the_file(found):
    learned = most_frequent(found, 100)
    if learned.tokens:
        assert parse(learned.to_bytes()) == learned


@pytest.mark.parametrize("token", ["\n", "\r\n", "\x85", "\u2028", "\u2029", '"', "\\", "[PAD]", " ", ""])
def test_tokens_of_line_ends_and_json_syntax_are_restored_from_the_file(token):
    learned = Vocabulary((token, "b"), (2, 1))
    assert parse(learned.to_bytes()) == learned


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", r"it has no tokens"),
        (b"the 9\n", r"line 1: it is not JSON"),
        (b'["the", 9', r"line 1: it is not JSON"),
        (b'["the", 9]\n["the"]\n', r"line 2: it is a list of 1; it must be a list of 2 values"),
        (b'["the", "often"]\n', r"line 1: count is 'often'; it must be a whole number"),
        (b'["the", -1]\n', r"line 1: count is -1; it must be a whole number"),
        (b"9\n", r"line 1: it is 9; it must be a list"),
        (b"\xff", r"line 1: it is not UTF-8"),
        (b'["a", 1]\n["b", 1]\n["a", 1]\n', r"row 3 has the token 'a', as row 1 has; tokens must differ"),
    ],
)
def test_a_damaged_file_is_an_error_that_names_the_line_and_the_rule(content, found):
    with pytest.raises(
        UserError,
        match=rf"is damaged: {found}.*\. Each line must be a JSON list of a token and its count\. Delete it",
    ):
        parse(content)


def test_a_vocabulary_of_another_size_than_the_record_is_refused():
    content = Vocabulary(("the", "a"), (2, 1)).to_bytes()
    assert parse(content, size=6).tokens == ("the", "a")
    for size in (5, 7):
        with pytest.raises(UserError, match=rf"its number of lines is 2; it must be {size - 4}"):
            parse(content, size=size)


def test_the_vocabulary_of_a_dataset_must_be_that_of_its_manifest(tmp_path):
    learned = Vocabulary(("the", "a"), (9, 1))
    (tmp_path / VOCABULARY_FILE).write_bytes(learned.to_bytes())
    record = VocabularyRecord(6, learned.fingerprint(), learned.tokens_fingerprint())
    assert load_own(tmp_path, record) == learned
    for wrong in (record._replace(sha256="0" * 64), record._replace(tokens_sha256="0" * 64)):
        with pytest.raises(UserError, match=r"has a vocabulary that is not its own: .*Run `textgen verify"):
            load_own(tmp_path, wrong)
    with pytest.raises(UserError, match="its number of lines is 2; it must be 3"):
        load_own(tmp_path, record._replace(size=7))


def test_the_vocabulary_is_loaded_from_the_folder_of_a_dataset(tmp_path):
    learned = Vocabulary(("the", "a"), (9, 1))
    (tmp_path / VOCABULARY_FILE).write_bytes(learned.to_bytes())
    assert load(tmp_path) == learned


def test_a_folder_without_a_vocabulary_is_an_error_that_names_it(tmp_path):
    with pytest.raises(UserError, match=rf"{tmp_path} has no vocabulary\.jsonl; .*Give another folder\."):
        load(tmp_path)


def test_an_error_about_a_damaged_file_names_its_folder(tmp_path):
    (tmp_path / VOCABULARY_FILE).write_bytes(b"the 9\n")
    with pytest.raises(UserError, match=str(tmp_path)):
        load(tmp_path)


@pytest.mark.parametrize(
    "content",
    [b"the\na\n", b"the\r\na\r\n", b"\n\nthe\n\na", b"\xef\xbb\xbfthe\na\n"],
    ids=["lines", "lines of Windows", "empty lines", "a byte order mark"],
)
def test_a_given_vocabulary_has_one_token_per_line_and_no_counts(content):
    assert parse_user_vocabulary(content, "words.txt") == Vocabulary(("the", "a"), (0, 0))


def test_lines_of_a_given_vocabulary_are_not_stripped():
    assert parse_user_vocabulary("é\u2028\n [PAD]\n".encode(), "words.txt").tokens == ("é\u2028", " [PAD]")


def test_a_given_vocabulary_may_be_that_of_a_dataset():
    learned = Vocabulary(("a", "the", "\n"), (2, 9, 1))
    assert parse_user_vocabulary(learned.to_bytes(), "x/vocabulary.jsonl") == learned
    assert parse_user_vocabulary(b"\xef\xbb\xbf" + learned.to_bytes(), "x/vocabulary.jsonl") == learned


@given(counts)
@settings(max_examples=60, deadline=None)
def test_the_vocabulary_of_any_dataset_can_be_given(found):
    learned = most_frequent(found, 100)
    if learned.tokens:
        assert parse_user_vocabulary(learned.to_bytes(), "vocabulary.jsonl") == learned


@pytest.mark.parametrize(
    ("path", "content", "message"),
    [
        (
            "w.txt",
            b"\xff\n",
            r"w\.txt is not UTF-8 text\. Give the vocabulary\.jsonl .*, or a text file with one token",
        ),
        ("w.txt", b"", r"w\.txt has no tokens\. Write one per line"),
        ("w.txt", b"\n\r\n", r"w\.txt has no tokens"),
        ("w.txt", b"the\na\nthe\n", r"w\.txt has the token 'the' more than once; .*Keep one of them\."),
        (
            "w.jsonl",
            b"the\n",
            r"w\.jsonl is not a vocabulary: line 1: .*Give the vocabulary\.jsonl of a dataset, or a \.txt",
        ),
        ("w.jsonl", b"\xff", r"w\.jsonl is not a vocabulary"),
        ("w.jsonl", b"", r"w\.jsonl is not a vocabulary"),
        ("w.jsonl", b'["a", 1]\n["a", 1]\n', r"w\.jsonl is not a vocabulary: row 2 has the token 'a'"),
    ],
)
def test_a_given_vocabulary_that_can_not_be_read_is_named_with_what_to_give(path, content, message):
    with pytest.raises(UserError, match=message):
        parse_user_vocabulary(content, path)


def test_a_token_is_taken_out_and_unused_ones_are_found():
    words = Vocabulary(("the", "<unk>", "sea"), (5, 3, 0))
    assert words.without("<unk>") == Vocabulary(("the", "sea"), (5, 0))
    assert words.without("whale") == words
    assert words.unused() == ("sea",)
