import doctest

import pytest

from textgen.corpus import encoding_detection as under_test
from textgen.corpus.encoding_detection import (
    encoding_of_mark,
    invalid_bytes,
    is_decoded_twice,
    likely_encoding,
    wide_encoding,
)

RUSSIAN = "Все счастливые семьи похожи друг на друга, каждая несчастливая семья несчастлива по-своему.\n"
ENGLISH = "The café on the corner was closed, and so we went on to the next one. She didn’t know.\n"
FRENCH = "Tous les êtres humains naissent libres et égaux en dignité et en droits.\n"
POLISH = "Wszyscy ludzie rodzą się wolni i równi pod względem swej godności i swych praw.\n"
JAPANESE = "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。\n"
CHINESE = "人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心，并应以兄弟关系的精神相对待。\n"
TAIWANESE = "人人生而自由，在尊嚴和權利上一律平等。他們賦有理性和良心，並應以兄弟關係的精神互相對待。\n"
KOREAN = "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다.\n"
GREEK = "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα.\n"
CZECH = "Řeka teče přes údolí a žluťoučký kůň úpěl ďábelské ódy.\n"
HEBREW = "שלום עולם, זהו טקסט בעברית עם כמה מילים נוספות.\n"
TEXTS = (RUSSIAN, ENGLISH, FRENCH, POLISH, JAPANESE, CHINESE, TAIWANESE, KOREAN, GREEK)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_a_byte_order_mark_names_the_encoding(encoding):
    for text in TEXTS:
        assert encoding_of_mark(text.encode(encoding)) == encoding
    assert encoding_of_mark(b"\xfe\xff" + "text".encode("utf-16-be")) == "utf-16"
    assert encoding_of_mark(b"\0\0\xfe\xff" + "text".encode("utf-32-be")) == "utf-32"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("times", [1, 50])
def test_wide_text_without_a_mark_is_told_by_its_nuls(encoding, times):
    for text in TEXTS:
        assert wide_encoding((text * times).encode(encoding)) == encoding


@pytest.mark.parametrize(
    "content",
    [
        b"plain text\n",
        "café".encode(),
        b"name\0value\0other name\0",
        bytes(range(256)) * 20,
        b"key\0\0\0\5value\0\0\0\7" * 20,
        b"text with one \0 in it",
    ],
)
def test_other_bytes_are_no_wide_text(content):
    assert wide_encoding(content) == ""


@pytest.mark.parametrize(
    ("text", "encodings"),
    [
        (RUSSIAN, ("koi8-r", "cp1251", "cp866", "iso8859-5")),
        (ENGLISH, ("cp1252",)),
        (FRENCH, ("latin-1", "iso8859-15", "cp1252")),
        (POLISH, ("cp1250", "iso8859-2")),
        (JAPANESE, ("shift_jis", "euc_jp", "iso2022_jp")),
        (CHINESE, ("gb18030", "gbk")),
        (TAIWANESE, ("big5",)),
        (KOREAN, ("euc_kr", "iso2022_kr")),
        (GREEK, ("iso8859-7", "cp1253")),
        (CZECH, ("cp1250", "iso8859-2")),
        (HEBREW, ("cp1255", "iso8859-8")),
    ],
)
@pytest.mark.parametrize("times", [1, 200])
def test_the_likely_encoding_decodes_the_text(text, encodings, times):
    for encoding in encodings:
        raw = (text * times).encode(encoding, "ignore")
        assert raw.decode(likely_encoding(raw)) == raw.decode(encoding), encoding


def test_a_few_accents_in_a_long_text_are_enough():
    raw = (b"An ordinary line of a text in English.\n" * 500 + ENGLISH.encode("cp1252")) * 2
    assert likely_encoding(raw) == "cp1252"


def test_bytes_without_an_encoding_have_none():
    assert likely_encoding(b"plain") == likely_encoding(b"") == ""


def test_invalid_bytes_are_counted_by_character():
    assert invalid_bytes("Все\ufffd".encode("koi8-r", "ignore"), "utf-8").share == 1
    assert invalid_bytes("known \ufffd".encode(), "utf-8").replaced == 0
    cut = "café".encode()[:-1]
    assert invalid_bytes(cut, "utf-8", is_whole=False).replaced == 0
    assert invalid_bytes(cut, "utf-8").replaced == 1


@pytest.mark.parametrize("text", [RUSSIAN, FRENCH, POLISH, GREEK])
def test_text_that_was_decoded_twice_is_told(text):
    # Programs decode the bytes that cp1252 does not define as control characters.
    decoded = (bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in text.encode())
    assert is_decoded_twice("".join(decoded).encode())
    assert not is_decoded_twice(text.encode())


def test_the_examples_in_the_docstrings_hold():
    result = doctest.testmod(under_test)
    assert result.attempted
    assert not result.failed
