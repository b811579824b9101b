"""Chooses the encoding in which a file is read, by the given one and the file's start."""

import codecs

from textgen.corpus.encoding_detection import (
    Invalid,
    encoding_of_mark,
    encoding_remedy,
    escape_encoding,
    invalid_bytes,
    likely_encoding,
    wide_encoding,
)
from textgen.corpus.encodings import is_ascii_compatible
from textgen.errors import UserError

AUTO = "auto"
"""Given encoding of files whose encodings are detected."""

FEW = "replace-few"
"""Value of `on_invalid` with which more than `MAX_REPLACED` invalid characters of a file are an error."""

MAX_REPLACED = 0.05
FLAGGED_REPLACED = 0.001
"""Shares of a file's characters: above the first one, invalid ones are an error; above the second, a warning."""


def choose_encoding(path: str, head: bytes, *, is_whole: bool, encoding: str, on_invalid: str) -> str:
    """Returns the encoding of a text file, by its Python name.

    This is the given one, unless a byte order mark of UTF-16 or UTF-32 names another. For "auto", it is detected.

    Args:
        path: path of the file, for messages.
        head: start of the file, decompressed.
        is_whole: whether `head` is all of the file.
        encoding: the given encoding, or "auto".
        on_invalid: treatment of invalid bytes; see `ReadOptions`.

    Raises:
        UserError: the start is text in another encoding.
    """
    is_ascii = encoding == AUTO or is_ascii_compatible(encoding)
    marked = encoding_of_mark(head)
    if marked and is_ascii and (encoding == AUTO or marked != "utf-8"):
        return marked
    if encoding == AUTO:
        return _detected(head, is_whole=is_whole)
    if is_ascii:
        _check_no_wide_text(path, head, encoding)
    elif encoding.startswith(("utf-16", "utf-32")) and head.isascii() and b"\0" not in head and not marked:
        raise UserError(
            f"{path} is ASCII text, but is to be read as {encoding}. Leave --encoding out, or use --encoding auto."
        )
    found = invalid_bytes(head, encoding, is_whole=is_whole)
    if on_invalid == FEW and found.share > MAX_REPLACED:
        raise UserError(invalid_text(path, found, head, encoding, where="" if is_whole else " at its start"))
    return encoding


def invalid_text(path: str, found: Invalid, head: bytes, encoding: str, *, where: str = "") -> str:
    """Returns the message for a file with more invalid characters than are replaced unasked.

    Args:
        path: path of the file.
        found: number of its invalid characters.
        head: start of the file, by which the likely encoding is named.
        encoding: encoding in which it is read.
        where: part of the file that was examined, as " at its start"; empty for all of it.
    """
    is_utf8 = encoding != "utf-8" and not invalid_bytes(head, "utf-8", is_whole=False).replaced
    remedy = "It is valid UTF-8: use --encoding utf-8." if is_utf8 else encoding_remedy(head)
    return (
        f"{path} is not valid {encoding}: {found.share:.1%} of its characters{where} ({found.replaced:,} of "
        f"{found.characters:,}) would be replaced by U+FFFD, and more than {MAX_REPLACED:.0%} are not replaced "
        f"unless --on-invalid replace is given. {remedy}"
    )


def _detected(head: bytes, *, is_whole: bool) -> str:
    """Returns the likely encoding; UTF-8 if few bytes are invalid in it, or if no encoding fits."""
    special = wide_encoding(head) or escape_encoding(head)
    if special:
        return _python_name(special)
    found = invalid_bytes(head, "utf-8", is_whole=is_whole)
    # Of text that is mostly UTF-8, most characters outside ASCII are valid.
    valid = sum(not character.isascii() for character in head.decode(errors="ignore"))
    if valid >= found.replaced:
        return "utf-8"
    return _python_name(likely_encoding(head) or "utf-8")


def _python_name(encoding: str) -> str:
    return codecs.lookup(encoding).name


def _check_no_wide_text(path: str, head: bytes, encoding: str) -> None:
    """Raises UserError for text whose bytes are valid in an ASCII-compatible encoding, but mean other characters."""
    wide = wide_encoding(head)
    if wide:
        raise UserError(
            f"{path} has NUL bytes in the places in which text in {wide} has them, but is to be read as {encoding}. "
            f"Use --encoding {wide}, or --encoding auto."
        )
    escaped = escape_encoding(head) if encoding == "utf-8" else ""
    if escaped:
        raise UserError(
            f"{path} has the escape sequences of text in {escaped}, but is to be read as {encoding}. "
            f"Use --encoding {escaped}, or --encoding auto."
        )
