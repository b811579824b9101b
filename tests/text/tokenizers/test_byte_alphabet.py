import pytest
from tokenizers.pre_tokenizers import ByteLevel

from textgen.text.tokenizers.byte_alphabet import ALPHABET, is_written, to_bytes, to_characters


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"The!", "The!"), (b" the", "Ġthe"), (b"\n", "Ċ"), ("é".encode(), "Ã©"), (b"\x00\xad\xff", "ĀŃÿ"),
        (b"\x7f\xa0", "ġł"), (b"", ""),
    ],
)  # fmt: skip
def test_bytes_are_written_as_visible_characters(content, expected):
    assert to_characters(content) == expected
    assert to_bytes(expected) == content


def test_the_characters_are_those_of_hugging_face_in_the_order_of_their_code_points():
    assert set(ALPHABET) == set(ByteLevel.alphabet())
    assert list(ALPHABET) == sorted(ALPHABET)
    assert to_bytes(to_characters(bytes(range(256)))) == bytes(range(256))


@pytest.mark.parametrize(
    ("text", "expected"), [("Ġthe", True), ("a b", False), ("", False), ("\n", False), ("日", False)]
)
def test_a_written_text_has_characters_of_the_alphabet_alone(text, expected):
    assert is_written(text) is expected
