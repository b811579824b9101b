from hypothesis import given
from hypothesis import strategies as st

from textgen.generation.streaming import TextStream


def test_what_may_become_a_stop_string_is_held_back():
    stream = TextStream(["END", "\n\n"])
    assert [stream.add(piece) for piece in (b"a", b"E", b"N", b"x", b"\n", b"b")] == ["a", "", "", "ENx", "", "\nb"]
    assert stream.add(b"E") == ""
    assert stream.end() == "E"


def test_a_stop_string_and_what_follows_it_is_never_shown():
    stream = TextStream(["END"])
    assert stream.add(b"aEN") == "a"
    assert stream.end(b"D.", cut=4) == ""


def test_a_character_is_shown_when_it_is_whole():
    stream = TextStream()
    assert [stream.add(bytes([byte])) for byte in "é🐋".encode()] == ["", "é", "", "", "", "🐋"]
    assert stream.add(b"\xc3") == ""
    assert stream.end() == "\ufffd"


@given(
    pieces=st.lists(st.text("abé\n", max_size=5)),
    stops=st.lists(st.text("abé\n", min_size=1, max_size=3), max_size=3),
)
def test_all_of_a_text_without_stop_strings_is_shown_in_order(pieces: list[str], stops: list[str]):
    text = "".join(pieces)
    stream, shown = TextStream(stops), ""
    for piece in pieces:
        shown += stream.add(piece.encode())
        assert text.startswith(shown)
    assert shown + stream.end() == text
