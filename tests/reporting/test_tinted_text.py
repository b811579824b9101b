import dataclasses
import math

import numpy as np
import pytest

from tests.conftest import CHAR
from tests.reporting.reading import Page
from textgen.config import TextConfig
from textgen.reporting.held_out_scores import ScoredDocument
from textgen.reporting.tinted_text import legend, tinted
from textgen.text.preprocessor import Preprocessor
from textgen.text.vocabulary import Vocabulary


def _document(ids: list[int], log_probabilities: list[float]) -> ScoredDocument:
    count = len(ids)
    return ScoredDocument(np.array(ids), np.array(log_probabilities), np.zeros(count), np.zeros(count, bool))


@pytest.fixture(scope="module")
def words() -> Preprocessor:
    return Preprocessor(TextConfig(), Vocabulary(("<b>", "whale", ","), (1, 1, 1)))


def test_each_token_has_its_text_its_tint_and_its_probability(words: Preprocessor):
    page = Page(tinted(_document([4, 1, 6, 5], [-0.1, -20.0, -3.0, math.nan]), words))
    assert page.text_of("mark") == ["<b>", " [UNK]", ",", " whale"]
    assert [mark["class"] for mark in page.named("mark")] == ["t0", "t5", "t2", "t0"]
    titles = [mark["title"] for mark in page.named("mark")]
    assert titles[1] == "probability 2.06e-09, 20.00 nats"
    assert titles[3] == "the first token has no probability"
    assert "".join(page.text_of("p")) == "Least likely: ' [UNK]' 2.1e-09, ',' 0.05, '<b>' 0.9"


def test_bytes_of_one_character_are_shown_where_it_is_whole():
    letters = Preprocessor(
        dataclasses.replace(CHAR, tokenizer="byte"), Vocabulary(("<0xC3>", "<0xA9>", "a"), (1, 1, 1))
    )
    page = Page(tinted(_document([6, 4, 5, 6], [-1.0] * 4), letters))
    assert page.text_of("mark") == ["a", "é", "a"]
    assert len(page.named("mark")) == 4


def test_a_long_text_is_cut(words: Preprocessor):
    page = Page(tinted(_document([5] * 500, [-1.0] * 500), words))
    assert len(page.named("mark")) == 240
    assert ("div", "…") in page.texts


def test_the_tints_are_explained():
    page = Page(legend())
    assert [mark["class"] for mark in page.named("mark")] == [f"t{i}" for i in range(6)]
