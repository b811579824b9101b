import string

import pytest

from tests.generation.test_writer import CHAR, count
from tests.made_networks import LastIdNetwork
from textgen.config import GenerationConfig
from textgen.generation.interactive import HELP, Session, run
from textgen.generation.writer import Writer
from textgen.text.preprocessor import Preprocessor
from textgen.text.vocabulary import Vocabulary

LETTERS = tuple(string.ascii_lowercase)


@pytest.fixture(scope="module")
def writer() -> Writer:
    return Writer(LastIdNetwork(5, count), Preprocessor(CHAR, Vocabulary(LETTERS, (1,) * 26)), boundaries=True)


def _texts(writer: Writer, *lines: str, **settings) -> list[str]:
    """The first line that is shown at first and after each line of input."""
    session = Session(writer, "a", GenerationConfig(**{"temperature": 0, **settings}), top=3)
    return [shown.split("\n")[0] for shown in run(session, [f"{line}\n" for line in lines])]


def test_the_likeliest_tokens_are_shown_with_their_probabilities(writer: Writer):
    session = Session(writer, "a", GenerationConfig(temperature=0), top=3)
    found = session.candidates()
    assert [one.token for one in found] == ["b", "c", "d"]
    probabilities = {token.token: token.probability for token in writer.next_tokens("a", top=3)}
    assert {one.token: one.probability for one in found} == pytest.approx(probabilities, rel=1e-5)
    (shown,) = run(session, [])
    assert shown.split("\n")[1:] == [f"  {i}  {p:7.2%}  '{t}'" for i, (t, p) in enumerate(probabilities.items(), 1)]


def test_a_token_is_chosen_the_model_goes_on_and_steps_are_taken_back(writer: Writer):
    assert _texts(writer, "2", "", "+4", "u", "u", "u", "1") == ["a", "ac", "acd", "acdefgh", "acd", "ac", "a", "ab"]
    assert _texts(writer, "=xyz", "+2", "u", "u") == ["a", "axyz", "axyzab", "axyz", "a"]
    assert _texts(writer, "q", "1") == ["a"]


def test_the_same_steps_write_the_same_text_and_later_ones_other_tokens(writer: Writer):
    first = _texts(writer, "+9", "u", "+9", temperature=5)
    assert first[1] == first[3] != first[2]
    many = _texts(writer, *[""] * 12, temperature=1e9)
    assert len(set(many[-1])) > 4


@pytest.mark.parametrize("line", ["4", "0", "hello", "+0", "+x", "-1", "²"])
def test_what_is_no_choice_changes_nothing_and_is_answered_with_the_help(writer: Writer, line: str):
    _, answer, again = _texts(writer, line, "1")
    assert answer == f"{line!r} is no choice; {HELP}."
    assert again == "ab"
    assert _texts(writer, "u")[1] == "there is nothing to undo."


def test_what_stands_for_no_text_is_not_chosen(writer: Writer):
    session = Session(writer, "a", GenerationConfig(temperature=0), top=30)
    numbers = {one.token: i for i, one in enumerate(session.candidates(), 1)}
    shown = list(run(session, [f"{numbers['[EOS]']}\n"]))
    assert shown[1].startswith("[EOS] stands for no text. Choose another token")
