import pytest

from textgen.config import TablesConfig
from textgen.errors import UserError


@pytest.mark.parametrize(
    ("given", "delimiter"),
    [
        ("tab", "\t"), ("\\t", "\t"), ("\t", "\t"), ("semicolon", ";"), ("|", "|"), ("pipe", "|"), ("§", "§"),
        ("\\x01", "\x01"), ("\\u00a7", "§"), ("space", " "), (None, None),
    ],
)  # fmt: skip
def test_a_delimiter_has_a_name_or_a_code(given, delimiter):
    assert TablesConfig(delimiter=given).delimiter == delimiter


@pytest.mark.parametrize("given", ["", "::", '"', "\n", "\0", "\\x00", "tabs"])
def test_a_delimiter_is_one_character(given):
    with pytest.raises(UserError, match="it must be one character, and no quotation mark or line end"):
        TablesConfig(delimiter=given)


def test_an_escape_character_may_be_none():
    assert TablesConfig().escape is None
    assert [TablesConfig(escape=given).escape for given in ("none", "", "backslash", "\\")] == ["", "", "\\", "\\"]


@pytest.mark.parametrize("given", ['"', "é", "ab", " ", ",", ";", "|", "\t"])
def test_an_escape_character_is_one_mark(given):
    with pytest.raises(UserError, match="it must be one ASCII mark"):
        TablesConfig(escape=given)


def test_escape_and_delimiter_differ():
    with pytest.raises(UserError, match="escape and delimiter are both '/'; they must differ"):
        TablesConfig(delimiter="/", escape="/")
