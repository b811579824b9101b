import numpy as np
import pytest

from tests.conftest import CHAR
from textgen.config import BOS, EOS, TextConfig
from textgen.dataset.storage.records import RestoredIds
from textgen.text.preprocessor import Preprocessor
from textgen.text.vocabulary import Vocabulary
from textgen.training.text_quality.known_words import WordSearch

LETTERS = tuple("abcdefghij kl'.")


@pytest.fixture(scope="module")
def characters() -> Preprocessor:
    return Preprocessor(CHAR, Vocabulary(LETTERS, (1,) * len(LETTERS)))


def _ids(text: str) -> np.ndarray:
    """Ids of a text; `?` is unknown."""
    return np.array([1 if letter == "?" else 4 + LETTERS.index(letter) for letter in text], np.int64)


def _block(*documents: str) -> RestoredIds:
    parts = [np.concatenate([[BOS], _ids(document), [EOS]]) for document in documents]
    ends = np.cumsum([len(part) for part in parts])
    return RestoredIds(np.concatenate(parts), np.append(0, ends[:-1]))


def test_words_are_looked_up_in_the_decoded_training_text(characters: Preprocessor):
    # The first and the last word of each text may be parts of words.
    texts = ["be a bad bad. cab ca", "k?l k"], ["a ja'k jack a"], [". ", "bad"]
    search = WordSearch([[_ids(text) for text in some] for some in texts], characters)
    assert not search.is_done
    search.read(_block("bad fed.", "a ja'k"))
    # Of a, bad, bad, cab, the unknown character and l.
    assert search.share(0) == 3 / 6
    assert search.share(1) == 1 / 2
    assert search.share(2) is None


@pytest.mark.parametrize("cut", range(1, 16))
def test_a_word_that_two_blocks_share_is_whole_and_its_parts_are_no_words(characters: Preprocessor, cut: int):
    whole = _block("abba abed dead")
    parts = "k a b d e ab ed bed abe dea ead ad k"
    search = WordSearch([[_ids("k abed k")], [_ids(parts)]], characters)
    search.read(RestoredIds(whole.ids[:cut], whole.starts))
    search.read(RestoredIds(whole.ids[cut:], whole.starts[:0]))
    assert search.share(0) == 1
    assert search.share(1) == 0


def test_no_more_is_read_when_all_words_are_found(characters: Preprocessor):
    search = WordSearch([[_ids("k bad k")]], characters)
    search.read(_block("a bad cab"))
    assert search.is_done


def test_where_tokens_are_words_the_vocabulary_tells():
    words = Preprocessor(TextConfig(), Vocabulary(("the", "whale", "ship", "."), (5, 3, 0, 2)))
    search = WordSearch([[np.array([4, 5, 6, 1, 7])]], words)
    assert search.is_done
    # The ship does not occur in the training text, and the unknown token is a word too.
    assert search.share(0) == 2 / 4
