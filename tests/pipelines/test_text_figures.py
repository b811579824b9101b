import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.text_figures import add_histograms, histogram, most_frequent_digests, vocabulary_sizes
from textgen.config import TEXT_DEFAULTS, PrepareConfig, TextConfig

WORDS = PrepareConfig(text=TextConfig())


def test_a_histogram_counts_counts():
    assert histogram(pa.chunked_array([[5, 1, 1], [2, 1]])) == {1: 3, 2: 1, 5: 1}
    assert add_histograms([{1: 3, 5: 1}, {}, {1: 2}]) == {1: 5, 5: 1}


def test_the_most_frequent_of_repeated_documents_are_found():
    digests = np.array([[1] * 16, [2] * 16, [1] * 16, [3] * 16, [1] * 16, [2] * 16], np.uint8)
    assert most_frequent_digests(digests) == {"01" * 16: 3, "02" * 16: 2}
    assert most_frequent_digests(digests[:0]) == {}


def test_the_sizes_leave_5_and_1_percent_unknown():
    # 100 tokens: 60, then 4 words of 8, then 8 words of 1.
    assert vocabulary_sizes({60: 1, 8: 4, 1: 8}, WORDS) == {"5": 8, "1": 12}
    assert vocabulary_sizes({}, WORDS) == {}


def test_a_percentage_that_the_unknown_word_exceeds_has_no_size():
    # 100 tokens, of which 4 are the unknown word.
    assert vocabulary_sizes({90: 1, 4: 1, 1: 6}, WORDS, unknown=4) == {"5": 6}


@pytest.mark.parametrize("tokenizer", ["byte", "wordpiece"])
def test_symbols_that_are_no_tokens_have_no_sizes(tokenizer):
    config = PrepareConfig(text=TextConfig(tokenizer=tokenizer, **TEXT_DEFAULTS[tokenizer]))
    assert vocabulary_sizes({60: 1}, config) == {}


@given(st.lists(st.integers(1, 30), min_size=1, max_size=40))
@settings(max_examples=60, deadline=None)
def test_a_size_is_the_smallest_that_suffices(counts):
    ranked = sorted(counts, reverse=True)
    for percent, size in vocabulary_sizes(histogram(pa.chunked_array([counts])), WORDS).items():
        assert sum(ranked[size:]) * 100 <= int(percent) * sum(counts) < sum(ranked[size - 1 :]) * 100
