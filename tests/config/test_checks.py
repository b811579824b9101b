import pytest

from textgen.config.checks import require_choice
from textgen.errors import UserError


def test_a_choice_must_be_one_of_those_named():
    require_choice("colour", "red", ("red", "blue"))
    with pytest.raises(UserError, match=r"^colour is 'green'; it must be one of: red, blue\.$"):
        require_choice("colour", "green", ("red", "blue"))
