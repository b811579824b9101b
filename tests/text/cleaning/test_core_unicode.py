import unicodedata

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.text.cleaning.core_unicode import _CODE_POINTS, core_forms
from textgen.text.cleaning.unicode_forms import TENSORFLOW_TEXT_FORMS

FORMS = ("nfc", "nfkc", "folded_nfkc")
MARKS = [chr(point) for point in range(0x300, 0x370)]
# Letters that compose with marks, in several ways; parts of Hangul; letters of scripts whose vowels compose.
LETTERS = [*"aeiouAEIOUsSςσfΣ", *"\u1100\u1161\u11a8\uac00\uac01", *"\u09c7\u09be\u09d7\u0b47\u0b3e\u1025\u102e"]


def _same(texts: list[str]) -> None:
    tensor = tf.constant(texts, tf.string)
    for form in FORMS:
        found = getattr(core_forms(), form)(tensor).numpy().tolist()
        expected = getattr(TENSORFLOW_TEXT_FORMS, form)(tensor).numpy().tolist()
        if found != expected:
            wrong = next(i for i, both in enumerate(zip(found, expected, strict=True)) if both[0] != both[1])
            pytest.fail(f"{form} of {texts[wrong]!a}: {found[wrong].decode()!a} != {expected[wrong].decode()!a}")


def test_every_character_and_every_one_with_a_mark_after_it():
    characters = [chr(point) for point in _CODE_POINTS if unicodedata.category(chr(point)) != "Cn"]
    _same(characters)
    _same([character + "\u0301" for character in characters[:20_000]])


def test_code_points_beyond_the_tables_do_not_change():
    beyond = np.setdiff1d(np.arange(0xE000, 0x110000), _CODE_POINTS)[::7]
    _same([chr(point) for point in beyond])


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.text(st.sampled_from(LETTERS + MARKS) | st.characters(exclude_categories=["Cs", "Cn"])), max_size=30)
)
def test_texts_of_letters_and_marks(texts: list[str]):
    _same(texts)
