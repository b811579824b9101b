"""The rules that many settings share."""

import math

from textgen.errors import require


def require_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Raises UserError unless the value is one of the choices."""
    require(value in choices, f"{name} is {value!r}; it must be one of: {', '.join(choices)}.")


def require_at_least(name: str, value: float, least: float, remedy: str = "") -> None:
    """Raises UserError unless the value is that much; NaN is not."""
    require(
        not math.isnan(value) and value >= least,
        f"{name} is {value}; it must be at least {least}. {remedy}".rstrip(),
    )


def require_finite(name: str, value: float, least: float, remedy: str = "") -> None:
    """Raises UserError unless the value is a finite number that is at least that much."""
    require_at_least(name, value, least, remedy)
    require(math.isfinite(value), f"{name} is {value}; it must be finite.")
