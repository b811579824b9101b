"""Finds and describes the files that paths, globs and folders name, and detects files that have changed since."""

import functools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import PurePosixPath
from typing import NamedTuple

from pipelines.listing import FoundFile, list_files
from textgen import files
from textgen.config import PrepareConfig
from textgen.console import say
from textgen.corpus.compression import compression_of
from textgen.corpus.formats import format_of
from textgen.corpus.readers.base import InputFile, ReadOptions, TableOptions
from textgen.dataset.storage.passed_over import PassedOver, count_reasons, shown, shown_accounts
from textgen.errors import UserError
from textgen.files import Stamp
from textgen.folder_walk import UNREADABLE

_THREADS = 16
"""Number of files that are opened at once; a remote store takes a while for each."""

_HEAD_BYTES = 1 << 16

_NAMES = 3
"""Number of files that a message names for each reason."""


class Inputs(NamedTuple):
    """The files of a corpus, and the files that were found with them and are not read.

    Attributes:
        files: the files to read, sorted by path.
        passed_over: the others, sorted by path.
    """

    files: list[InputFile]
    passed_over: list[PassedOver]

    def summary(self) -> str:
        """Returns the accounts: files found = files read + files passed over, by reason."""
        return shown_accounts(len(self.files), count_reasons(self.passed_over))


def find_inputs(words: Sequence[str], format: str, *, encoding: str = "utf-8", output: str | None = None) -> Inputs:
    """Returns the files that paths, globs and folders name, and all that is passed over; see `list_files`.

    The start of each file is read, so that an unreadable one is noticed before any work begins.

    Args:
        words: paths and globs, local or URLs.
        format: format of all files, or "auto" to detect it by the ending of each file name.
        encoding: encoding of all files, by its Python name.
        output: folder of the new dataset, from which nothing is read; None if there is none.

    Raises:
        UserError: a word names no file, the output folder holds the input, or a file has a format that cannot be
            read.
        OSError: a store cannot be listed.
    """
    listing = list_files(words, output=output)
    for folder in listing.folders_left[:_NAMES]:
        say(f"{shown(folder)} matches too, but its files do not; to read them, add {shown(folder)}.")
    with ThreadPoolExecutor(_THREADS) as pool:
        described = list(pool.map(functools.partial(_describe, format=format, encoding=encoding), listing.files))
    passed_over = listing.passed_over + [each for each in described if isinstance(each, PassedOver)]
    return Inputs([each for each in described if isinstance(each, InputFile)], sorted(passed_over))


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
        paths = [shown(each.path) for each in found.passed_over if each.reason == reason]
        names = ", ".join(paths[:_NAMES]) + (f" and {count - _NAMES:,} others" if count > _NAMES else "")
        say(f"passed over {count:,} {reason}: {names}")


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


def _describe(found: FoundFile, *, format: str, encoding: str) -> InputFile | PassedOver:
    """Returns a file with all that readers must know of it, or the reason why it is passed over."""
    path, stamp = found
    try:
        files.read_head(path, _HEAD_BYTES)
    except OSError as error:
        return PassedOver(path, UNREADABLE, error.strerror or str(error))
    return InputFile(path, stamp.size, stamp.modified, format_of(path, format), compression_of(path), encoding)
