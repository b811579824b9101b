import unicodedata

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.config import TextConfig
from textgen.text.cleaning import clean
from textgen.text.filters.cleaned_texts import CleanedTexts
from textgen.text.filters.mostly_not_letters import MostlyNotLetters


def measured(*texts):
    cleaned = tf.constant(texts)
    documents = CleanedTexts(cleaned, tf.strings.length(cleaned, "UTF8_CHAR"), tf.zeros([len(texts)], tf.int64))
    return MostlyNotLetters(50).measure(documents).numpy()


@pytest.mark.parametrize(
    ("text", "letters", "characters"),
    [
        ("ab 12", 2, 4),
        ("a-b\n\t c!", 3, 5),
        ("étude e\u0301", 7, 7),
        ("日本 1.", 2, 4),
        ("", 0, 0),
        (" \n", 0, 0),
    ],
)
def test_letters_and_characters_except_white_space_are_counted(text, letters, characters):
    assert measured(text).tolist() == [[letters, characters]]


def test_documents_of_a_batch_are_counted_independently():
    assert measured("a b", "", "é 1", " ").tolist() == [[2, 2], [0, 0], [1, 2], [0, 0]]


def test_a_document_with_too_few_percent_letters_is_dropped():
    statistics = measured("ab12", "ab123", "", "12")
    assert MostlyNotLetters(50).drops(statistics).tolist() == [False, True, False, True]


# Python and RE2 may know different versions of Unicode, which agree on older characters.
old_texts = st.text(st.characters(max_codepoint=0x30FF, exclude_categories=["Cn", "Co", "Cs"]))


@given(st.lists(old_texts, min_size=1, max_size=5), st.sampled_from(["collapse", "keep"]))
@settings(max_examples=30, deadline=None)
def test_counting_agrees_with_python(texts, whitespace):
    cleaned = [text.decode() for text in clean(tf.constant(texts), TextConfig(whitespace=whitespace)).numpy()]
    expected = [
        [sum(unicodedata.category(c)[0] in "LM" for c in text), sum(c not in " \n\t" for c in text)]
        for text in cleaned
    ]
    assert measured(*cleaned).tolist() == expected
