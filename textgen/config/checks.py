"""Rules that settings share with other arguments."""

import codecs

from textgen.errors import UserError, require


def require_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Checks that a value is one of the choices.

    Raises:
        UserError: it is not.
    """
    require(value in choices, f"{name} is {value!r}; it must be one of: {', '.join(choices)}.")


def text_encoding(name: str) -> str:
    """Returns Python's canonical name of a text encoding, or "auto".

    Raises:
        UserError: Python does not know the encoding.
    """
    if name == "auto":
        return name
    try:
        found = codecs.lookup(name).name
        # Some codecs do not encode text, as hex.
        " ".encode(found)
    except (LookupError, ValueError):
        # A ValueError for a name with a character that no name has, such as NUL.
        raise UserError(
            f"encoding is {name!r}, which Python does not know. Use a name such as utf-8, cp1252 or utf-16, or auto."
        ) from None
    return found
