"""Finds and describes the files that paths, globs and folders name, and detects files that have changed since."""

from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import PurePosixPath
from typing import NamedTuple

from pipelines.listing import FoundFile, list_files
from textgen import files
from textgen.config import PrepareConfig
from textgen.console import say
from textgen.corpus.detection import NOTICES, NotTextError, detect, read_head
from textgen.corpus.encoding_choice import AUTO, FEW
from textgen.corpus.readers.base import InputFile, ReadOptions, TableOptions
from textgen.dataset.storage.passed_over import PassedOver, count_reasons, shown, shown_accounts
from textgen.errors import UserError
from textgen.files import Stamp
from textgen.folder_walk import UNREADABLE

_THREADS = 16
"""Number of files that are opened at once; a remote store takes a while for each."""

_ABOUT_TAGS = ("html", "xml")

_NAMES = 3
"""Number of files that a message names for each reason."""


class Inputs(NamedTuple):
    """The files of a corpus, and the files that were found with them and are not read.

    Attributes:
        files: the files to read, sorted by path.
        passed_over: the others, sorted by path.
        error: the error for a file that holds no text, where it is the only one.
    """

    files: list[InputFile]
    passed_over: list[PassedOver]
    error: NotTextError | None = None

    def summary(self) -> str:
        """Returns the accounts: files found = files read + files passed over, by reason."""
        return shown_accounts(len(self.files), count_reasons(self.passed_over))


def find_inputs(
    words: Sequence[str],
    format: str,
    *,
    encoding: str = "utf-8",
    on_invalid: str = FEW,
    html: str = "keep",
    output: str | None = None,
) -> Inputs:
    """Returns the files that paths, globs and folders name, and all that is passed over; see `list_files`.

    The start of each file is read, which tells what it is, and whether it may be read, before any work begins. Files
    that may not be what they are taken for are told.

    Args:
        words: paths and globs, local or URLs.
        format: format of all files, or "auto" to detect it by the content and the ending of each file.
        encoding: encoding of all files, by its Python name; or "auto" to detect it by the content of each file.
        on_invalid: treatment of invalid bytes; see `ReadOptions`.
        html: treatment of HTML tags, as in `TextConfig`.
        output: folder of the new dataset, from which nothing is read; None if there is none.

    Raises:
        UserError: a word names no file, the output folder holds the input, or a file does not have the given format.
        OSError: a store cannot be listed.
    """
    listing = list_files(words, output=output)
    for folder in listing.folders_left[:_NAMES]:
        say(f"{shown(folder)} matches too, but its files do not; to read them, add {shown(folder)}.")
    with ThreadPoolExecutor(_THREADS) as pool:
        described = list(pool.map(lambda found: _describe(found, format, encoding, on_invalid), listing.files))
    _say_encodings([each.file for each in described if each.file], encoding)
    _say_notices(described, left_out=_ABOUT_TAGS if html == "strip" else ())
    passed_over = listing.passed_over + [each.passed_over for each in described if each.passed_over]
    error = described[0].error if len(described) == 1 else None
    return Inputs([each.file for each in described if each.file], sorted(passed_over), error)


def require_readable(passed_over: Sequence[PassedOver], on_unreadable: str) -> None:
    """Checks that every file and folder may be read.

    Args:
        passed_over: what is not read.
        on_unreadable: "fail", or "skip" to allow it.

    Raises:
        UserError: one may not be read.
    """
    unreadable = [each for each in passed_over if each.reason == UNREADABLE]
    if not unreadable or on_unreadable == "skip":
        return
    path, _, detail = unreadable[0]
    others = f", nor {len(unreadable) - 1:,} others" if unreadable[1:] else ""
    raise UserError(
        f"{shown(path)} can't be read: {detail}{others}. Nothing has been done yet. Allow this user to read it, or "
        "leave out and count what can't be read, with --on-unreadable skip."
    )


def say_passed_over(found: Inputs) -> None:
    """Prints what is passed over: a line per reason with the number of files and some of their names."""
    for reason, count in count_reasons(found.passed_over).items():
        paths = [each.path for each in found.passed_over if each.reason == reason]
        say(f"passed over {count:,} {reason}: {_names(paths)}")


def read_options(config: PrepareConfig) -> ReadOptions:
    """Returns the settings of the readers."""
    tables = config.tables
    return ReadOptions(
        config.text_field,
        config.on_invalid,
        split_field=config.split_field,
        group_field=config.group_field,
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


class _Described(NamedTuple):
    """A file, as its start tells it.

    Attributes:
        file: the file with all that readers must know of it; None if it is passed over.
        passed_over: the reason why it is passed over.
        error: the error for a file that holds no text.
        notices: names of the `NOTICES` that apply.
    """

    file: InputFile | None
    passed_over: PassedOver | None = None
    error: NotTextError | None = None
    notices: tuple[str, ...] = ()


def _describe(found: FoundFile, format: str, encoding: str, on_invalid: str) -> _Described:
    path, stamp = found
    try:
        head = read_head(path, files.read_head)
        detected = detect(path, head, format=format, encoding=encoding, on_invalid=on_invalid)
    except OSError as error:
        return _Described(None, PassedOver(path, UNREADABLE, error.strerror or str(error)))
    except NotTextError as error:
        return _Described(None, PassedOver(path, error.reason), error)
    file = InputFile(path, stamp.size, stamp.modified, detected.format, head.compression, detected.encoding)
    return _Described(file, notices=detected.notices)


def _say_notices(described: Iterable[_Described], *, left_out: Collection[str]) -> None:
    """Prints a line per notice with the number of files and some of their names."""
    paths: dict[str, list[str]] = {}
    for each in described:
        for notice in set(each.notices).difference(left_out):
            paths.setdefault(notice, []).append(each.file.path if each.file else "")
    for notice, found in paths.items():
        say(f"{_names(found)}{' each' * (len(found) > 1)} {NOTICES[notice]}.")


def _say_encodings(found: Iterable[InputFile], encoding: str) -> None:
    """Prints the encodings in which files are read, other than the given one."""
    paths: dict[str, list[str]] = {}
    for file in found:
        if file.encoding != encoding and file.format != "parquet":
            paths.setdefault(file.encoding, []).append(file.path)
    for other, named in sorted(paths.items()):
        why = "as their content tells" if encoding == AUTO else "as their byte order marks tell"
        say(f"read as {other}, {why}: {_names(named)}")


def _names(paths: Sequence[str]) -> str:
    """Returns the first names of a list, and the number of the others."""
    others = f" and {len(paths) - _NAMES:,} others" if len(paths) > _NAMES else ""
    return ", ".join(map(shown, paths[:_NAMES])) + others
