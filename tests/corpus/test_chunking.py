import doctest
import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.corpus import chunking as under_test
from textgen.corpus.chunking import find_chunk_end, split_into_chunks

texts = st.one_of(
    st.text(alphabet="ab \n", max_size=120),
    st.text(alphabet="a \n\té\u0301\u3042\u1100\u1161\u11a8\U0001f600", max_size=120),
    st.text(max_size=60),
).map(str.encode)
sizes = st.integers(4, 40)
WHITE_SPACE = b" \t\n\v\f\r"


@st.composite
def random_blocks(draw, text):
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=8)))
    return [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]


@given(texts, sizes, st.data())
@settings(max_examples=300, deadline=None)
def test_chunks_do_not_depend_on_the_blocks(text, size, data):
    made = list(split_into_chunks([text], chunk_bytes=size))
    assert list(split_into_chunks(data.draw(random_blocks(text)), chunk_bytes=size)) == made
    assert b"".join(made) == text
    assert all(0 < len(part) <= size for part in made)
    assert len(text) > size or len(made) <= 1


@given(texts, sizes)
@settings(max_examples=200, deadline=None)
def test_a_chunk_ends_before_white_space_if_there_is_some_after_a_word(text, size):
    made = list(split_into_chunks([text], chunk_bytes=size))
    for part, following in zip(made, made[1:], strict=False):
        at_white_space = following[0] in WHITE_SPACE and part[-1] not in WHITE_SPACE
        unbroken = not any(a not in WHITE_SPACE and b in WHITE_SPACE for a, b in zip(part, part[1:], strict=False))
        assert at_white_space or unbroken
        part.decode()
        following.decode()


def test_a_carriage_return_is_preferred_as_a_line_feed_is():
    text = b"ab " * 30 + b"ab%sa b"
    for line_end in (b"\n", b"\r", b"\r\n"):
        assert find_chunk_end(text % line_end, chunk_bytes=96) == 92


@given(texts, sizes, st.sampled_from(["NFC", "NFKC"]))
@settings(max_examples=200, deadline=None)
def test_normalization_composes_nothing_across_chunks(text, size, form):
    made = [part.decode() for part in split_into_chunks([text], chunk_bytes=size)]
    # A run of marks longer than the place is looked for in is cut somewhere.
    if not any(unicodedata.combining(part[0]) or "\u1160" <= part[0] <= "\u11ff" for part in made[1:]):
        normalized = "".join(unicodedata.normalize(form, part) for part in made)
        assert normalized == unicodedata.normalize(form, text.decode())


@pytest.mark.parametrize(
    ("text", "size", "end"),
    [
        (b"one two three", 8, 7),
        (b"one two three", 7, 7),
        (b"one two three", 6, 3),
        (b"one  \t\n two", 8, 3),
        (b" one two", 4, 4),
        (b" one two", 5, 4),
        (b"        one", 4, 4),
        (b" unbroken", 6, 6),
        (b"one\rtwo", 5, 3),
        ("é\u3042é\u3042".encode(), 4, 2),
        ("é\u3042é\u3042".encode(), 5, 5),
    ],
)
def test_find_chunk_end_returns_the_expected_offset(text, size, end):
    assert find_chunk_end(text, chunk_bytes=size) == end
    assert find_chunk_end(b"xy " + text, start=3, chunk_bytes=size) == end + 3


def test_a_line_end_near_the_end_goes_before_a_later_space():
    text = b"a" * 150 + b" \r\n" + b"b" * 5 + b" " + b"c" * 50
    assert find_chunk_end(text, chunk_bytes=160) == 150
    assert find_chunk_end(text, chunk_bytes=165) == 158


def test_white_space_that_begins_far_before_its_line_end_is_not_preferred():
    text = b"a" * 100 + b" " * 58 + b"\n" + b"b" * 100
    assert find_chunk_end(text[:156] + b"b " + text[158:], chunk_bytes=160) == 157
    assert find_chunk_end(text, chunk_bytes=160) == 100


@pytest.mark.parametrize(
    ("before", "joining"),
    [("e", "\u0301"), ("\u1100", "\u1161"), ("\uac00", "\u11a8"), ("\uff76", "\uff9e"), ("\u3131", "\u314f")],
)
def test_an_unbroken_text_is_cut_before_no_character_that_joins_the_one_before(before, joining):
    text = "a" * 150 + before + joining + "b" * 50
    for size in range(150, 160):
        first, second = (part.decode() for part in list(split_into_chunks([text.encode()], chunk_bytes=size))[:2])
        assert not second.startswith(joining)
        halves = unicodedata.normalize("NFKC", first) + unicodedata.normalize("NFKC", second)
        assert unicodedata.normalize("NFKC", text).startswith(halves)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("\u06cc\u200c", "\u062e"),
        ("\u0dca\u200d", "\u0dbb"),
        ("\U0001f469\u200d", "\U0001f680"),
        ("\u2764\ufe0f\u200d", "\U0001f525"),
        ("\U0001f44d", "\U0001f3fd"),
        ("\u1780\u200b", "\u1781"),
    ],
)
def test_an_unbroken_text_is_cut_beside_no_joiner_or_selector(before, after):
    text = "a" * 400 + before + after + "b" * 50
    for size in range(400, 400 + len((before + after).encode())):
        first, second = (part.decode() for part in list(split_into_chunks([text.encode()], chunk_bytes=size))[:2])
        assert first.endswith("a")
        assert second.startswith(("a", before + after))


def test_a_chunk_does_not_end_with_a_space_that_is_not_of_ascii():
    text = ("a" * 400 + "\u3000" + "b" * 50).encode()
    assert find_chunk_end(text, chunk_bytes=403) == 400


def test_a_run_of_marks_that_is_too_long_is_cut_between_characters():
    text = ("e" + "\u0301" * 200).encode()
    assert find_chunk_end(text, chunk_bytes=160) == 159


def test_every_character_that_composes_with_one_before_it_is_known():
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        first, _, second = unicodedata.decomposition(character).partition(" ")
        if unicodedata.combining(character):
            assert under_test._joins(character), f"U+{code:04X}"
        if second and not first.startswith("<") and character == unicodedata.normalize("NFC", character):
            assert under_test._joins(chr(int(second, 16))), f"U+{code:04X}"


def test_the_examples_in_the_docstrings_hold():
    result = doctest.testmod(under_test)
    assert result.attempted
    assert not result.failed
