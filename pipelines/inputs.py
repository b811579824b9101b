"""Finds the input files that paths, globs and folders name, and detects files that have changed since."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from pathlib import PurePosixPath

from textgen import files
from textgen.config import PrepareConfig
from textgen.corpus.compression import compression_of
from textgen.corpus.formats import format_of
from textgen.corpus.readers.base import InputFile, ReadOptions, TableOptions
from textgen.errors import UserError
from textgen.files import Stamp

_GLOB_TOKENS = re.compile(r"\*\*|\*|\?|\[(?:!|(?!!))(?:\][^\]]*|[^\]]+)\]|.", re.DOTALL)
"""`**`, `*`, `?`, a set such as `[a-c]` or `[!.]`, or any other character."""

_GLOBS = {"**": ".*", "*": r"[^/\\]*", "?": "."}


def find_inputs(patterns: Sequence[str], format: str, *, encoding: str = "utf-8") -> list[InputFile]:
    """Returns the files that paths, globs and folders name, without repetition and sorted by path.

    `*` matches within one folder, `**` across folders. A folder stands for all files in it and its subfolders, except
    those whose names begin with a dot or an underscore. Empty files are left out.

    Args:
        patterns: paths and globs, local or URLs.
        format: format of all files, or "auto" to detect it by the ending of each file name.
        encoding: encoding of all files, by its Python name.

    Raises:
        UserError: a pattern names no file, or a file has a format that cannot be read.
        OSError: a store cannot be listed.
    """
    found: dict[str, Stamp] = {}
    for pattern in patterns:
        matches = _matches(pattern)
        if not matches:
            raise UserError(f"no file matches {pattern!r}. Check the path; quote a pattern with * in it.")
        found.update(matches)
    return [
        InputFile(path, stamp.size, stamp.modified, format_of(path, format), compression_of(path), encoding)
        for path, stamp in sorted(found.items())
        if stamp.size
    ]


def read_options(config: PrepareConfig) -> ReadOptions:
    """Returns the settings of the readers."""
    tables = config.tables
    return ReadOptions(
        config.text_field,
        config.on_invalid,
        tables=TableOptions(
            delimiter=tables.delimiter or "",
            quoting=tables.quoting,
            escape=tables.escape,
            header=tables.header,
            skip_rows=tables.skip_rows,
            skip_blanks=tables.skip_initial_space,
            join=tables.join,
            max_row_bytes=tables.max_row_bytes,
        ),
    )


def check_unchanged(file: InputFile) -> None:
    """Checks that an input file has the size and modification time that the plan recorded.

    Raises:
        UserError: the file has changed or is missing.
    """
    was, found = Stamp(file.size, file.modified), files.stamp(file.path)
    if found == was:
        return
    now = f"it has {_shown(found)}" if found else "it is not there now"
    remedy = "Put it back as it was, its time too, or prepare the dataset anew, into another folder."
    if not found and not files.is_remote(file.path) and not PurePosixPath(file.path).is_absolute():
        remedy = f"Its path is relative: run `textgen repair` where `textgen prepare` ran. {remedy}"
    raise UserError(
        f"{file.path} is not the file that the dataset was made from: it had {_shown(was)}, and {now}. {remedy}"
    )


def _shown(stamp: Stamp) -> str:
    written = datetime.fromtimestamp(stamp.modified, timezone.utc)
    return f"{stamp.size:,} bytes, written {written:%Y-%m-%d %H:%M:%S.%f} UTC"


def _matches(pattern: str) -> dict[str, Stamp]:
    name = pattern.rstrip("/") or pattern
    return dict(_glob(name)) or dict(_not_hidden(_glob(files.join(name, "**"))))


def _glob(pattern: str) -> Iterator[tuple[str, Stamp]]:
    """Yields the path and stamp of every file that a pattern matches."""
    pattern = files.join(pattern)
    fixed = re.split(r"[\[*?]", pattern, maxsplit=1)[0]
    if fixed == pattern:
        stamp = files.stamp(pattern)
        yield from [(pattern, stamp)] if stamp else []
        return
    directory = fixed[: fixed.rfind("/") + 1]
    matches = re.compile(_regex(pattern), re.DOTALL).fullmatch
    # The root folder keeps its slash.
    yield from (found for found in files.walk(directory.rstrip("/") or directory) if matches(found[0]))


def _not_hidden(found: Iterator[tuple[str, Stamp]]) -> Iterator[tuple[str, Stamp]]:
    return ((path, stamp) for path, stamp in found if not PurePosixPath(path).name.startswith((".", "_")))


def _regex(pattern: str) -> str:
    """Returns the regular expression that is equivalent to a glob.

    >>> _regex("a/*.txt")
    'a/[^/\\\\\\\\]*\\\\.txt'
    """
    return "".join(_GLOBS.get(token) or _set(token) or re.escape(token) for token in _GLOB_TOKENS.findall(pattern))


def _set(token: str) -> str:
    """Returns the regular expression of a set of characters; empty for any other token."""
    if len(token) < 3:  # noqa: PLR2004 - The shortest set is `[a]`.
        return ""
    inner = token[1:-1].replace("\\", "\\\\")
    if inner.startswith("!"):
        return f"[^{inner[1:]}]"
    return f"[\\{inner}]" if inner.startswith("^") else f"[{inner}]"
