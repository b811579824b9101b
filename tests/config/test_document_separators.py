import doctest

import pytest

from textgen.config import PrepareConfig, TextConfig
from textgen.config import document_separators as under_test
from textgen.config.document_separators import is_anywhere, pattern, separator
from textgen.errors import UserError


def test_the_examples_in_the_docstrings_hold():
    result = doctest.testmod(under_test)
    assert result.attempted and not result.failed


@pytest.mark.parametrize("value", ["", "\n\n", " ", r"\n"])
def test_a_blank_separator_names_the_format_of_paragraphs(value):
    with pytest.raises(UserError, match="which is blank. Use --format paragraphs"):
        separator(value)


def test_a_separator_is_within_a_line():
    with pytest.raises(UserError, match="must be within one line"):
        separator("a\nb")


def test_a_regular_expression_can_be_compiled():
    assert pattern("CHAPTER .*") == "CHAPTER .*"
    with pytest.raises(UserError, match="which is no regular expression"):
        pattern("(")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"document_separator": "%", "document_separator_regex": "x"}, "are both given"),
        ({"document_separator": "--", "separator_place": "anywhere"}, "whose end is like its start"),
    ],
)
def test_settings_that_do_not_fit_together_are_errors(values, message):
    with pytest.raises(UserError, match=message):
        PrepareConfig(text=TextConfig(), **values)


def test_the_place_can_be_given():
    assert is_anywhere("%", "anywhere") and not is_anywhere("[SEP]", "line")
