import itertools
import unicodedata

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.text.cleaning.repeats import limit_repeats


def cut(*texts, longest, spared=""):
    return [text.decode() for text in limit_repeats(tf.constant(texts), longest=longest, spared=spared).numpy()]


@pytest.mark.parametrize(
    ("text", "longest", "expected"),
    [
        ("soooooo", 3, "sooo"),
        ("sooo", 3, "sooo"),
        ("aabb", 1, "ab"),
        ("ééééé!!!!", 2, "éé!!"),
        ("日日日日", 3, "日日日"),
        ("a" * 20 + "b" * 12, 12, "a" * 12 + "b" * 12),
        ("", 3, ""),
    ],
)
def test_a_long_run_of_one_character_is_shortened(text, longest, expected):
    assert cut(text, longest=longest) == [expected]


def test_runs_of_white_space_and_digits_remain():
    for text in ("a      b\n\n\n\n", "1000000", "é   १११११"):
        assert cut(text, longest=2) == [text]


def test_runs_of_spared_letters_remain():
    assert cut("xxurl aa é", "xxxx", longest=1, spared="x") == ["xxurl a é", "xxxx"]


def test_a_run_does_not_span_texts():
    assert cut("aaa", "aaa", "", "éé", "éé", longest=3) == ["aaa", "aaa", "", "éé", "éé"]


@given(st.lists(st.text(alphabet="aé! 7\n", max_size=20), min_size=1, max_size=5), st.integers(1, 10))
@settings(max_examples=50, deadline=None)
def test_shortening_agrees_with_counting(texts, longest):
    def expected(text):
        runs = ((character, len(list(run))) for character, run in itertools.groupby(text))
        free = {"Zs", "Cc", "Nd"}
        return "".join(c * (n if unicodedata.category(c) in free else min(n, longest)) for c, n in runs)

    assert cut(*texts, longest=longest) == [expected(text) for text in texts]
