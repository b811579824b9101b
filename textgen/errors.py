"""Defines the errors shown to users, and recovers them from exceptions of frameworks that wrapped them."""

import re

from textgen.console import printable

_WHILE = " [while running "
"""Beam adds this, and the name of a step, to the message of an exception."""

_MESSAGE_CHARACTERS = 2_000

_WRAPPED = r"\b(?:{names}): (.*?)(?: \[while running|\s*\n|$)"


class UserError(ValueError):
    """Invalid input; the message says what was found, what the rule is and what to do, in one printable line.

    Of a long message, as when it shows a value that a stranger wrote into a file, the middle is left out.
    """

    def __init__(self, message: str):
        super().__init__(_shortened(printable(message)))


class Interrupted(Exception):  # noqa: N818 - It is not an error.
    """A signal asked the process to stop; all completed work is saved.

    Attributes:
        signal: the signal's number.
    """

    def __init__(self, message: str, *, signal: int):
        super().__init__(message)
        self.signal = signal


class Terminated(KeyboardInterrupt):
    """SIGTERM asked the process to stop, as Ctrl-C does by a KeyboardInterrupt."""


def require(condition: bool, message: str) -> None:
    """Checks a condition.

    Raises:
        UserError: the condition is false; with `message`.
    """
    if not condition:
        raise UserError(message)


def _shortened(message: str) -> str:
    if len(message) <= _MESSAGE_CHARACTERS:
        return message
    half = _MESSAGE_CHARACTERS // 2 - 2
    return f"{message[:half]} … {message[-half:]}"


def user_error(error: BaseException) -> UserError | None:
    """Returns the UserError that an exception is or contains in its message, or None.

    Beam and tf.data report an exception of a worker as one of their own, with the worker's traceback as text.
    """
    if isinstance(error, UserError):
        message = str(error)
        return UserError(message.partition(_WHILE)[0]) if _WHILE in message else error
    found = re.findall(_WRAPPED.format(names="|".join(_names(UserError))), str(error))
    return UserError(found[-1]) if found else None


def _names(kind: type) -> list[str]:
    """Returns the names of a class and of its subclasses, as they stand in tracebacks."""
    return [kind.__name__, *(name for each in kind.__subclasses__() for name in _names(each))]


def one_line(error: BaseException) -> str:
    """Returns an exception's message as one printable line without a final full stop, for use inside a sentence.

    >>> one_line(OSError("Corrupt data.\\n  at byte 4.\\n"))
    'Corrupt data. at byte 4'
    """
    line = " ".join(str(error).split())
    return printable(line).rstrip(".") or type(error).__name__
