"""Rules that settings share with other arguments."""

from textgen.errors import require


def require_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Checks that a value is one of the choices.

    Raises:
        UserError: it is not.
    """
    require(value in choices, f"{name} is {value!r}; it must be one of: {', '.join(choices)}.")
