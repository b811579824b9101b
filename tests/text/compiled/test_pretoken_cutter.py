import numpy as np
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.text.tokenizers.nasty_text import PIECES, nasty_texts
from textgen.text.compiled.pretoken_cutter import PretokenCutter, known_kinds
from textgen.text.compiled.reused_arrays import ReusedArrays
from textgen.text.tokenizers.pretokens import character_kinds, split_pretokens

CUTTER = PretokenCutter(ReusedArrays())


def check(texts: list[str], cutter: PretokenCutter = CUTTER) -> None:
    """Checks that the pre-tokens are those of the graph."""
    encoded = [text.encode() for text in texts]
    text = np.frombuffer(b"".join(encoded), np.uint8)
    starts, sizes, lengths = cutter.cut(text, np.cumsum([0, *map(len, encoded)], dtype=np.int64))
    expected = split_pretokens(tf.constant(encoded, tf.string))
    spans = zip(starts.tolist(), (starts + sizes).tolist(), strict=True)
    assert [text[start:end].tobytes() for start, end in spans] == expected.values.numpy().tolist()
    assert lengths.tolist() == expected.row_lengths().numpy().tolist()


@given(st.lists(nasty_texts, max_size=6))
@settings(max_examples=200, deadline=None)
def test_the_pretokens_are_those_of_the_graph(texts: list[str]) -> None:
    check(texts)


def test_every_pair_of_neighbours_is_cut_as_by_the_graph() -> None:
    check([f"{a}{b}{c}" for a in PIECES for b in PIECES for c in ("", " x", "1", "\n", "'s")])


def test_every_character_is_of_the_kind_that_it_has_in_the_graph() -> None:
    characters = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    # Each after another of every kind; in few texts, since the graph is slow for many.
    texts = ["".join(f"a{c}1{c} {c}!{c}" for c in characters[i : i + 2000]) for i in range(0, len(characters), 2000)]
    check(texts[::4], PretokenCutter(ReusedArrays()))


def test_the_kinds_of_common_characters_are_those_of_the_graph() -> None:
    kinds = known_kinds()
    common = np.flatnonzero(kinds)
    assert kinds[common].tolist() == character_kinds([chr(code) for code in common]).tolist()
    assert all(kinds[ord(character)] for character in "aé’—…β中한я№€\u00a0ا 😀❤\ufe0f👍🏽\ufffd§\u00ad\uf0b7")
    assert not kinds[0x20000]


def test_no_texts_have_no_pretokens() -> None:
    check([])
    check(["", ""])
