import doctest

import pytest

from textgen.corpus import faults
from textgen.corpus.faults import told


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError("No."), "No"),
        (ValueError("one\n two\n"), "one two"),
        (EOFError(), "EOFError"),
        (ValueError("3.5"), "3.5"),
    ],
)
def test_a_message_is_part_of_a_sentence(error, message):
    assert told(error) == message


def test_the_examples_in_the_docstrings_hold():
    result = doctest.testmod(faults)
    assert result.attempted
    assert not result.failed
