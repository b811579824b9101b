import pytest

from textgen.config import MemoryConfig
from textgen.errors import UserError


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tokens": -1}, "memory is -1; it must be at least 0."),
        ({"sharpness": 0.0}, "memory sharpness is 0.0; it must be a finite number above 0."),
        ({"sharpness": float("nan")}, "memory sharpness is nan"),
        ({"sharpness": float("inf")}, "memory sharpness is inf"),
        ({"share": 0.0}, "memory share is 0.0; it must be above 0 and below 1."),
        ({"share": 1.0}, "memory share is 1.0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, float], message: str):
    with pytest.raises(UserError) as refused:
        MemoryConfig(**settings)
    assert str(refused.value).startswith(message)
