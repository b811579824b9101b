import pytest
import tensorflow as tf

from textgen.text.cleaning.placeholders import mask_words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ab", "xxw"),
        ("ab ab ab", "xxw xxw xxw"),
        ("ab,ab", "xxw,xxw"),
        ("(ab)", "(xxw)"),
        ("abc cab ab1 éab abé ab\u0301", "abc cab ab1 éab abé ab\u0301"),
        ("ab_ab", "xxw_xxw"),
        ("", ""),
    ],
)
def test_a_match_is_masked_unless_it_is_part_of_a_longer_word(text, expected):
    assert mask_words(tf.constant([text]), "ab", "xxw")[0].numpy().decode() == expected
