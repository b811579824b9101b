import math

import pytest

from textgen.config.checks import require_at_least, require_choice, require_finite
from textgen.errors import UserError


def test_a_choice_is_one_of_those_named():
    require_choice("colour", "red", ("red", "blue"))
    with pytest.raises(UserError, match=r"^colour is 'green'; it must be one of: red, blue\.$"):
        require_choice("colour", "green", ("red", "blue"))


@pytest.mark.parametrize("value", [0.9, -math.inf, math.nan])
def test_a_number_is_at_least_the_least_one(value: float):
    require_at_least("size", 1, 1)
    with pytest.raises(UserError, match=rf"^size is {value}; it must be at least 1\. Use 1\.$"):
        require_at_least("size", value, 1, "Use 1.")


def test_a_finite_number_has_an_end():
    require_finite("size", 0, 0)
    with pytest.raises(UserError, match=r"^size is inf; it must be finite\.$"):
        require_finite("size", math.inf, 0)
