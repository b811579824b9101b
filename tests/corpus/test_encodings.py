import doctest
import encodings.aliases

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.corpus import encodings as under_test
from textgen.corpus.encodings import (
    blocks_to_utf8,
    decoded,
    decoded_blocks,
    is_ascii_compatible,
    is_part_of_others,
    is_valid_utf8,
    to_utf8,
    utf8,
    valid_utf8,
)

MULTIBYTE = ["big5", "big5hkscs", "cp932", "cp949", "euc_jp", "euc_kr", "gb18030", "gbk", "johab", "shift_jis"]
DECODED = ["utf-8", "cp1252", "iso8859-1", "ascii", "utf-16-be", "utf-16-le", "utf-32-le", "iso2022_jp", *MULTIBYTE]


@given(st.text())
def test_valid_text_is_the_very_same_object(text):
    raw = text.encode()
    assert valid_utf8(raw).text is raw
    assert is_valid_utf8(raw)
    assert to_utf8(raw, "utf-8") is raw


@pytest.mark.parametrize(
    ("raw", "replaced"),
    [
        (b"caf\xe9", "caf\ufffd"),
        (b"\x85", "\ufffd"),
        (b"\xe2\x80", "\ufffd"),
        (b"a\xff\xfeb", "a\ufffd\ufffdb"),
        (b"\xed\xa0\x80", "\ufffd\ufffd\ufffd"),
    ],
)
def test_each_invalid_sequence_becomes_a_replacement_character(raw, replaced):
    assert valid_utf8(raw).text.decode() == replaced
    assert not is_valid_utf8(raw)


@given(st.binary())
def test_text_with_replacements_is_valid_and_stays(raw):
    once = valid_utf8(raw)
    marks = once.text.count(b"\xef\xbf\xbd") - raw.count(b"\xef\xbf\xbd")
    assert (once.characters, once.replaced) == (len(once.text.decode()), marks)
    again = valid_utf8(once.text)
    assert again.text is once.text
    assert (again.characters, again.replaced) == (once.characters, 0)


def test_a_replacement_character_in_the_text_is_not_counted():
    assert valid_utf8("a\ufffd".encode() + b"\xff") == ("a\ufffd\ufffd".encode(), 3, 1)


@given(st.binary(), st.sampled_from(DECODED))
def test_bytes_that_an_encoding_does_not_allow_are_replaced_as_python_replaces_them(raw, encoding):
    assert valid_utf8(to_utf8(raw, encoding)).text.decode() == raw.decode(encoding, "replace")


@given(st.data(), st.sampled_from(DECODED))
@settings(max_examples=300)
def test_text_in_blocks_means_what_it_means_whole(data, encoding):
    raw = data.draw(st.text(max_size=20).map(lambda text: text.encode(encoding, "ignore")) | st.binary(max_size=20))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=6)))
    blocks = [raw[start:end] for start, end in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    texts = list(blocks_to_utf8(blocks, encoding))
    whole = valid_utf8(to_utf8(raw, encoding))
    parts = [valid_utf8(text) for text in texts]
    assert b"".join(part.text for part in parts) == whole.text
    assert sum(part.characters for part in parts) == whole.characters
    assert sum(part.replaced for part in parts) == whole.replaced
    assert all(is_valid_utf8(text) for text in texts) == is_valid_utf8(to_utf8(raw, encoding))


@pytest.mark.parametrize("raw", [b"one\x1b$abcdefghijZ", b"\x1b[1mone\x1b[0m\x1b", b"\x1b\x1b\x1b\x1b$B\x1b"])
def test_an_escape_sequence_may_span_many_blocks(raw):
    blocks = (raw[i : i + 1] for i in range(len(raw)))
    assert "".join(decoded_blocks(blocks, "iso2022_jp")) == decoded(raw, "iso2022_jp")


@pytest.mark.parametrize(
    ("mark", "encoding", "is_part"),
    [
        ("|", "shift_jis", True),
        ("\\", "cp932", True),
        ("|", "gbk", True),
        (",", "gbk", False),
        ("|", "euc_jp", False),
        ("|", "utf-8", False),
        ("|", "cp1252", False),
    ],
)
def test_marks_that_are_part_of_other_characters_are_known(mark, encoding, is_part):
    assert is_part_of_others(mark, encoding) is is_part


@pytest.mark.parametrize(
    ("text", "raw"), [("\ud800", b"\xff"), ("a\ud83d\udcffb", b"a\xff\xffb"), ("é", b"\xc3\xa9")]
)
def test_a_lone_surrogate_is_an_invalid_byte(text, raw):
    assert utf8(text) == raw


def test_an_invalid_byte_is_a_lone_surrogate():
    assert decoded(b"a\xffb\xe2\x80", "utf-8") == "a\udcffb\udcff"


def text_encodings():
    for name in sorted(set(encodings.aliases.aliases.values())):
        try:
            " ".encode(name)
        except LookupError:
            continue
        yield name


@pytest.mark.parametrize("encoding", filter(is_ascii_compatible, text_encodings()))
def test_delimiters_are_part_of_no_character_in_a_compatible_encoding(encoding):
    for first in range(0x80, 0x100):
        for mark in b' \t\n\v\f\r",':
            text = bytes([first, mark, mark]).decode(encoding, "replace")
            assert text.endswith(chr(mark))


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "ascii", "cp1252", "iso8859-15", "koi8-r", *MULTIBYTE[:3]]
)
def test_ascii_compatible_encodings_are_recognized(encoding):
    assert is_ascii_compatible(encoding)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32", "utf-7", "hz", "iso2022_jp", "cp500", "cp037"])
def test_other_encodings_are_not_ascii_compatible(encoding):
    assert not is_ascii_compatible(encoding)


def test_the_examples_in_the_docstrings_hold():
    result = doctest.testmod(under_test)
    assert result.attempted
    assert not result.failed
