import pytest
import tensorflow as tf

from textgen.text.cleaning.numbers import mask_numbers, zero_digits


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1,234.56", "0,000.00"), ("mp3 in १९४७", "mp0 in 0000"), ("x² ½ Ⅷ", "x² ½ Ⅷ"), ("", "")],
)
def test_every_decimal_digit_becomes_zero(text, expected):
    assert zero_digits(tf.constant([text]))[0].numpy().decode() == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$1,234.56", "$xxnumber"),
        ("1 2 3", "xxnumber xxnumber xxnumber"),
        ("10-20, 5%.", "xxnumber-xxnumber, xxnumber%."),
        ("12:30, 3.", "xxnumber:xxnumber, xxnumber."),
        (".5 1,a", ".xxnumber xxnumber,a"),
        ("१९४७", "xxnumber"),
        ("3rd mp3 v1.5 1,234kg 5\u0301 x² 日5", "3rd mp3 v1.5 1,234kg 5\u0301 x² 日5"),
        ("xxnumber", "xxnumber"),
        ("", ""),
    ],
)
def test_numbers_outside_words_are_masked(text, expected):
    assert mask_numbers(tf.constant([text]))[0].numpy().decode() == expected
