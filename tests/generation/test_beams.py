import itertools

import numpy as np
import pytest
import tensorflow as tf

from tests.generation.test_writer import CHAR
from tests.made_networks import LastIdNetwork
from textgen.config import EOS, GenerationConfig
from textgen.errors import UserError
from textgen.generation.writer import Continuation, Writer
from textgen.text.preprocessor import Preprocessor
from textgen.text.vocabulary import Vocabulary

SIZE = 8
TABLE = np.random.default_rng(5).normal(size=(SIZE, SIZE)).astype(np.float32) * 2


@pytest.fixture(scope="module")
def writer() -> Writer:
    network = LastIdNetwork(4, lambda last: tf.gather(TABLE, last))
    return Writer(network, Preprocessor(CHAR, Vocabulary(tuple("abcd"), (1,) * 4)), boundaries=True)


def _search(writer: Writer, samples: int = 1, **settings) -> list[Continuation]:
    config = GenerationConfig(**{"tokens": 4, "echo": False, "beams": 200, **settings})
    return writer.write(["a"], config, samples=samples)


def _by_hand(tokens: int, penalty: float, *, may_end: bool) -> list[tuple[str, float]]:
    """All texts by falling score, from the probabilities of what is allowed."""
    allowed = [4, 5, 6, 7, *([EOS] if may_end else [])]
    scored = {}
    for ids in itertools.product(allowed, repeat=tokens):
        ids = ids[: ids.index(EOS) + 1] if EOS in ids else ids
        total, last = 0.0, 4
        for token in ids:
            total += TABLE[last, token] - np.log(np.exp(TABLE[last, allowed]).sum())
            last = token
        text = "".join("abcd"[token - 4] for token in ids if token != EOS)
        scored[text, ids[-1] == EOS] = total / max(len(text), 1) ** penalty
    return sorted(((text, score) for (text, _), score in scored.items()), key=lambda one: -one[1])


@pytest.mark.parametrize("penalty", [0.0, 1.0, 3.0])
@pytest.mark.parametrize("may_end", [False, True])
def test_with_enough_beams_the_best_of_all_texts_are_found(writer: Writer, penalty: float, may_end: bool):
    if may_end and penalty > 1:
        pytest.skip("a longer text can then become better than all that were kept")
    found = _search(writer, samples=5, length_penalty=penalty, may_end=may_end)
    expected = _by_hand(4, penalty, may_end=may_end)
    # Texts with the same pairs of tokens are equally probable.
    scores = {(text, round(score, 4)) for text, score in expected if score >= expected[4][1] - 1e-4}
    assert len({one.text for one in found}) == len({*found}) == 5
    assert {one.text for one in found} <= {text for text, _ in scores}
    assert found[0].text in {text for text, score in scores if score == max(value for _, value in scores)}


def test_more_beams_find_no_worse_text_and_one_is_not_greedy(writer: Writer):
    totals = [sum(_search(writer, tokens=6, beams=beams)[0].log_probabilities) for beams in (2, 4, 40)]
    assert totals == sorted(totals)


def test_settings_hold_for_beams_too(writer: Writer):
    assert all("b" not in one.text for one in _search(writer, samples=3, ban="b"))
    for one in _search(writer, samples=9, no_repeat_ngram=1, tokens=9):
        assert len(set(one.text)) == len(one.text) and "a" not in one.text
    assert {one.reason for one in _search(writer, samples=9, no_repeat_ngram=1, tokens=9)} == {"end"}
    stopped = _search(writer, samples=9, stop="c", tokens=6)
    assert any(one.reason == "stop" for one in stopped)
    assert all("c" not in one.text for one in stopped)
    (echoed,) = writer.write(["ab"], GenerationConfig(tokens=3, beams=3))
    assert (
        echoed.text.startswith("ab")
        and "".join(writer.stream("ab", GenerationConfig(tokens=3, beams=3))) == echoed.text
    )


def test_there_are_no_more_texts_than_beams(writer: Writer):
    with pytest.raises(UserError, match="samples is 3 and beams 2; a search has as many texts as beams"):
        _search(writer, samples=3, beams=2)
