import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.config import PAD
from textgen.generation import stops

TEXTS = tf.constant(["", "a", "ab", "é", "a b", "longer token"])


def _decode(prompts: tf.Tensor, ids: tf.Tensor) -> tf.Tensor:
    return tf.strings.reduce_join(tf.gather(TEXTS, ids), axis=1)


def _cuts(ids: list[int], wanted: list[str]) -> list[int]:
    """What is cut from the end after each token."""
    encoded = tf.constant([[text.encode() for text in wanted]])
    state = stops.begin(tf.constant(["prompt"]), encoded)
    found = []
    for number in ids:
        state, cuts = stops.find_stops(state, tf.constant([number]), encoded, _decode)
        found.append(int(cuts[0]))
    return found


def test_a_stop_string_is_found_where_it_ends_in_a_token_or_inside_it():
    assert _cuts([1, 2, 4], ["b"]) == [0, 1, 1]
    assert _cuts([5], ["r tok"]) == [len("r token")]
    # It begins in the first token, and ends before the end of the third.
    assert _cuts([2, 2, 5], ["bablong"]) == [0, 0, len("bablonger token")]
    assert _cuts([3, 1], ["éa", ""]) == [0, 3]


def test_what_ended_in_an_earlier_token_is_not_found_again():
    assert _cuts([2, 1, 1], ["ab"]) == [2, 0, 0]


def test_the_longest_cut_is_taken():
    assert _cuts([2, 2], ["b", "bab", "x"]) == [1, 3]


@settings(max_examples=50, deadline=None)
@given(
    ids=st.lists(st.integers(1, 5), min_size=1, max_size=12),
    wanted=st.lists(st.text("ab é lt", min_size=1, max_size=6), min_size=1, max_size=3),
)
def test_stop_strings_are_found_as_in_the_whole_text(ids: list[int], wanted: list[str]):
    pieces = [TEXTS[i].numpy() for i in ids]
    for i, cut in enumerate(_cuts(ids, wanted)):
        text, before = b"".join(pieces[: i + 1]), len(b"".join(pieces[:i]))
        starts = [
            start
            for one in map(str.encode, wanted)
            for start in range(len(text))
            if text.startswith(one, start) and start + len(one) > before
        ]
        assert cut == (len(text) - min(starts) if starts else 0)


def test_without_stop_strings_nothing_is_kept():
    state = stops.begin(tf.constant(["a", ""]), tf.constant([[b""], [b""]]))
    assert state.ids.shape == (2, 0)
    assert state.prompts.numpy().tolist() == [b"a", b""]
    assert stops.begin(tf.constant(["a"]), tf.constant([["abc"]])).ids.numpy().tolist() == [[PAD] * 11]


def test_the_last_character_of_a_text_is_whole():
    found = stops.last_characters(tf.constant(["", "a", "ab\n", "whale é", "🐋"]))
    assert [text.decode() for text in found.numpy()] == ["", "a", "\n", "é", "🐋"]
