"""The errors that users see, and finding one again where a framework has wrapped it."""

import re

_WRAPPED = re.compile(r"UserError: (.*?)(?: \[while running|\s*\n|$)")


class UserError(ValueError):
    """Bad input, told in full by its message: what was found, what the rule is, what to do."""


class Interrupted(Exception):  # noqa: N818 - It is no error.
    """A signal asked to stop, and all that was done is saved.

    Attributes:
        signal: its number.
    """

    def __init__(self, message: str, *, signal: int):
        super().__init__(message)
        self.signal = signal


def require(condition: bool, message: str) -> None:
    """Raises UserError(message) unless the condition holds."""
    if not condition:
        raise UserError(message)


def user_error(error: BaseException) -> UserError | None:
    """The UserError that an exception is, or that it tells of.

    Beam and tf.data report what their workers raise as an error of their own, with the worker's traceback as text.
    """
    if isinstance(error, UserError):
        return error
    found = _WRAPPED.findall(str(error))
    return UserError(found[-1]) if found else None


def one_line(error: BaseException) -> str:
    """Returns an exception's message on one line, without a final full stop, to stand inside a sentence.

    >>> one_line(OSError("Corrupt data.\\n  at byte 4.\\n"))
    'Corrupt data. at byte 4'
    """
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
