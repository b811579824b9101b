import pytest
import tensorflow as tf

from textgen.text.cleaning.punctuation import strip_punctuation


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("don't", "dont"),
        ("don’t", "dont"),
        ("rock'n'roll", "rocknroll"),
        ("a,b", "a b"),
        ("a , b", "a   b"),
        ("a--b…", "a b "),
        ("$5+1=6", " 5 1 6"),
        ("snake_case", "snake case"),
        ("“Hi,” she said.", " Hi  she said "),
        ("naïve", "naïve"),
        ("१२३", "१२३"),
    ],
)
def test_apostrophes_are_removed_and_other_marks_become_a_space(text, expected):
    assert strip_punctuation(tf.constant([text]))[0].numpy().decode() == expected
