import dataclasses

import pytest

from textgen.config import PrepareConfig, TextConfig
from textgen.dataset.storage.manifest import SplitCounts
from textgen.dataset.storage.warnings import Figures, warnings

TRAIN = SplitCounts(documents=100, characters=5000, tokens=1000, unknown=20)


CONFIG = PrepareConfig(text=TextConfig())


def figures(config=CONFIG, **changes):
    values = {"splits": {"train": TRAIN}, "documents": {"train": 90, "validation": 5, "test": 5}, "vocabulary": 8000}
    return Figures(config=config, **{**values, **changes})


def splits(**counts):
    return {"splits": {"train": dataclasses.replace(TRAIN, **counts)}}


def test_an_ordinary_dataset_has_no_warnings():
    assert warnings(figures()) == []
    assert warnings(figures(splits={}, documents={})) == []
    assert warnings(figures(**splits(unknown=100))) == []


def test_many_unknown_tokens_are_told_with_the_sizes_that_help():
    assert warnings(figures(**splits(unknown=234), vocabulary_sizes={"5": 31204, "1": 92010})) == [
        "23.4% of the train split's tokens are unknown; the vocabulary has 8,000, and --vocabulary-size 31204 leaves "
        "5% and --vocabulary-size 92010 leaves 1% unknown."
    ]


def test_many_unknown_tokens_of_a_given_vocabulary_are_told():
    config = PrepareConfig(text=TextConfig(), given_vocabulary="0" * 64)
    (warning,) = warnings(figures(config, **splits(unknown=234), vocabulary_sizes={"5": 31204}))
    assert warning.endswith("unknown; without --vocabulary, --vocabulary-size 31204 leaves 5% unknown.")


def test_many_unknown_tokens_without_sizes_are_told():
    (warning,) = warnings(figures(**splits(unknown=234)))
    assert warning.endswith("are unknown: use a larger --vocabulary-size, or another --tokenizer.")


def test_many_unknown_tokens_of_a_held_out_split_are_told():
    held_out = {"train": TRAIN, "test": SplitCounts(documents=5, characters=500, tokens=100, unknown=15)}
    (warning,) = warnings(figures(splits=held_out, vocabulary_sizes={"5": 9}))
    assert warning.startswith("15.0% of the test split's tokens are unknown, since the training text")


@pytest.mark.parametrize(
    ("counts", "found"),
    [
        ({"tokens": 110, "unknown": 2}, "a document has 1.1 tokens on average"),
        ({"tokens": 200}, "a token has 25 characters"),
    ],
)
def test_text_without_spaces_is_told(counts, found):
    (warning,) = warnings(figures(**splits(**counts)))
    assert warning.startswith(found)
    assert "Use --tokenizer char, bpe, wordpiece or sentencepiece" in warning
    char = PrepareConfig(text=TextConfig(tokenizer="char", punctuation="keep"))
    assert warnings(figures(char, **splits(**counts))) == []


def test_a_share_that_equal_documents_change_is_told():
    skewed = {"documents": {"train": 610, "validation": 370, "test": 20}, "equal_documents": 337}
    assert warnings(figures(**skewed)) == [
        "the validation split has 37.0% of the documents instead of 5%, since 337 equal documents belong to one "
        "split. Use --duplicates drop to keep one.",
        "the test split has 2.0% of the documents instead of 5%, since 337 equal documents belong to one "
        "split. Use --duplicates drop to keep one.",
    ]
    for config in (
        PrepareConfig(text=TextConfig(), split_by="tail"),
        PrepareConfig(text=TextConfig(), validation_percent=0, test_percent=0),
    ):
        assert warnings(figures(config, **skewed)) == []


def test_a_share_that_chance_explains_is_not_told():
    assert warnings(figures(documents={"train": 17, "validation": 3, "test": 0}, equal_documents=2)) == []
    assert warnings(figures(documents={"train": 610, "validation": 370, "test": 20}, equal_documents=1)) == []


def test_unused_tokens_of_a_given_vocabulary_are_told():
    config = PrepareConfig(text=TextConfig(), given_vocabulary="0" * 64)
    (warning,) = warnings(figures(config, unused=("The", "Sea", "A", "B")))
    assert warning.startswith(
        "4 of the 8,000 tokens of the given vocabulary never occur in the training text, such as 'The', 'Sea', 'A'."
    )
    assert warnings(figures(unused=("The",))) == []
