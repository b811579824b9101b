"""Checks of document separators."""

import re

from textgen.errors import UserError, require

_ESCAPES = re.compile(r"(?:\\(?:[fnrtv0]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}))+")
_LINE_ENDS = re.compile(r"\r\n?|\n")


def separator(value: str) -> str:
    r"""Returns a separator without the line ends around it; `\f` and other escapes stand for their characters.

    >>> separator("<|endoftext|>"), separator("\n%\n"), separator(r"\f") == "\f"
    ('<|endoftext|>', '%', True)

    Raises:
        UserError: the separator is blank, or has a line end in it.
    """
    text = value.encode().decode("unicode_escape") if _ESCAPES.fullmatch(value) else value
    found = text.strip("\r\n")
    require(
        bool(found.strip(" \t\r\n")),
        f"document separator is {value!r}, which is blank. Use --format paragraphs to separate documents at blank "
        "lines, or --format lines at line ends.",
    )
    require(
        not _LINE_ENDS.search(found),
        f"document separator is {value!r}; it must be within one line. Use --document-separator-regex for the start "
        "of a line.",
    )
    return found


def pattern(value: str) -> str:
    """Returns a regular expression that can be compiled.

    Raises:
        UserError: it can't be.
    """
    try:
        re.compile(value)
    except (re.error, RecursionError, OverflowError) as error:
        raise UserError(
            f"document separator regex is {value!r}, which is no regular expression of Python: {error}. Correct it; "
            "a backslash before a mark takes it as text."
        ) from None
    return value


def is_anywhere(text: str, place: str) -> bool:
    """Returns whether a separator separates documents within lines too, given the setting `separator_place`.

    >>> [is_anywhere(text, "auto") for text in ("<|endoftext|>", "[SEP]", "%", "THE END")]
    [True, True, False, False]
    """
    if place != "auto":
        return place == "anywhere"
    in_brackets = len(text) > 2 and text[0] + text[-1] in ("<>", "[]", "{}")  # noqa: PLR2004 - And a letter.
    return in_brackets or not text.isprintable()


def check_separators(text: str | None, regex: str | None, place: str) -> None:
    """Checks that the settings of separators fit together.

    Raises:
        UserError: they do not.
    """
    require(
        not (text and regex),
        "--document-separator and --document-separator-regex are both given; documents have one kind of separator. "
        "Leave one of them out.",
    )
    if text and is_anywhere(text, place):
        require(
            not any(text.startswith(text[i:]) for i in range(1, len(text))),
            f"document separator is {text!r}, whose end is like its start; anywhere in a text it would not be clear "
            "where one ends. Use --separator-place line, or another separator.",
        )
