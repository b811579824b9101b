"""Finds and describes the files that paths, globs and folders name, and detects files that have changed since."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import PurePosixPath
from typing import NamedTuple

from pipelines.descriptions import MAX_NAMES, How, describe, say_notices, shown_names
from pipelines.listing import list_files
from textgen import files
from textgen.config import PrepareConfig
from textgen.console import printable, say
from textgen.corpus.encoding_choice import AUTO, FEW
from textgen.corpus.readers.base import InputFile, ReadOptions, SeparatorOptions, TableOptions
from textgen.dataset.storage.passed_over import PassedOver, count_reasons, shown, shown_accounts
from textgen.errors import UserError
from textgen.folder_walk import UNREADABLE

_THREADS = 16
"""Number of files that are opened at once; a remote store takes a while for each."""

_ABOUT_TAGS = ("html", "xml")
"""Notices about tags, which `--html strip` answers."""


class Inputs(NamedTuple):
    """The files of a corpus, and the files that were found with them and are not read.

    Attributes:
        files: the files to read, sorted by path; those of an archive in its own order.
        passed_over: the others, sorted by path.
        error: the error for a file that holds no text, where it is the only one.
    """

    files: list[InputFile]
    passed_over: list[PassedOver]
    error: UserError | None = None

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

    The start of each file is read before any work begins, to find its kind and whether it may be read. Files
    that may have another format than it seems are reported.

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
    for folder in listing.folders_left[:MAX_NAMES]:
        say(f"{shown(folder)} matches too, but its files do not; to read them, add {shown(folder)}.")
    with ThreadPoolExecutor(_THREADS) as pool:
        how = How(format, encoding, on_invalid)
        described = [each for found in pool.map(lambda found: describe(found, how), listing.files) for each in found]
    _say_encodings([each.file for each in described if each.file], encoding)
    say_notices(described, left_out=_ABOUT_TAGS if html == "strip" else ())
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
    others = f" (and {len(unreadable) - 1:,} more)" if unreadable[1:] else ""
    raise UserError(
        f"{shown(path)}{others} can't be read: {detail}. Nothing has been done yet. Allow this user to read it, or "
        "leave out and count what can't be read, with --on-unreadable skip."
    )


def say_passed_over(found: Inputs) -> None:
    """Prints what is passed over: a line per reason with the number of files and some of their names."""
    for reason, count in count_reasons(found.passed_over).items():
        paths = [each.path for each in found.passed_over if each.reason == reason]
        say(f"passed over {count:,} {reason}: {shown_names(paths)}")


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
        separator=SeparatorOptions(
            config.document_separator or "", config.separates_anywhere, config.document_separator_regex or ""
        ),
    )


def check_unchanged(file: InputFile) -> None:
    """Checks that an input file has the size and modification time that the dataset's inputs record.

    Raises:
        UserError: the file has changed or is missing.
    """
    path = stored_path(file)
    change = _change(file, files.stamp(path))
    if not change:
        return
    remedy = "Put it back as it was, its time too, or prepare a new dataset in another folder."
    if not files.is_remote(path) and not PurePosixPath(path).is_absolute() and files.stamp(path) is None:
        remedy = f"Its path is relative: run `textgen repair` where `textgen prepare` ran. {remedy}"
    raise UserError(f"{printable(path)} is not the file that the dataset was made from: {change}. {remedy}")


def check_unchanged_while_read(file: InputFile) -> None:
    """Checks that an input file still has the size and modification time that it had when the command began.

    Raises:
        UserError: the file has changed or is missing.
    """
    _require_unchanged(file, files.stamp(stored_path(file)))


def check_all(inputs: Iterable[InputFile], check: Callable[[InputFile], None]) -> None:
    """Checks many files at once, each archive once.

    Args:
        inputs: the files.
        check: `check_unchanged` or `check_unchanged_while_read`.

    Raises:
        UserError: a file has changed or is missing; the first in the order of the files.
    """
    with ThreadPoolExecutor(_THREADS) as pool:
        for _ in pool.map(check, _stored(inputs).values()):
            pass


def tags_while_read(inputs: Iterable[InputFile]) -> dict[str, str]:
    """Returns the tag of the version of each file that is stored, by its path; see `files.Version`.

    Args:
        inputs: the files.

    Raises:
        UserError: a file has changed since the command began, or is missing; the first in the order of the files.
    """
    stored = _stored(inputs)
    if any(files.is_remote(path) for path in stored):
        with ThreadPoolExecutor(_THREADS) as pool:
            versions = list(pool.map(files.version, stored))
    else:
        versions = [files.version(path) for path in stored]
    tags = {}
    for (path, file), version in zip(stored.items(), versions, strict=True):
        _require_unchanged(file, version and version.stamp)
        tags[path] = version.tag if version else ""
    return tags


def changed_while_read(path: str, change: str) -> UserError:
    """Returns the error for a file that has changed.

    Args:
        path: path or URL of the file.
        change: how it has changed.
    """
    return UserError(
        f"{printable(path)} has changed while it was read: {change}. The input must stay as it is until the command "
        "ends. Run the same command again: with the file as it was, its time too, it continues; `textgen prepare` "
        "also takes the file as it is now, and reads only what has changed again."
    )


def stored_path(file: InputFile) -> str:
    """Returns the path of the file that is stored: the archive for a file in one."""
    return file.member.archive if file.member else file.path


def _stored(inputs: Iterable[InputFile]) -> dict[str, InputFile]:
    """Returns one of the files for each path that is stored, in their order."""
    found: dict[str, InputFile] = {}
    for file in inputs:
        found.setdefault(stored_path(file), file)
    return found


def _require_unchanged(file: InputFile, found: files.Stamp | None) -> None:
    change = _change(file, found)
    if change:
        raise changed_while_read(stored_path(file), change)


def _change(file: InputFile, found: files.Stamp | None) -> str:
    """Returns a description of the change of a file; empty for a file with its recorded size and time."""
    was = files.Stamp(file.member.archive_size if file.member else file.size, file.modified)
    if found == was:
        return ""
    now = f"it has {_shown(found)}" if found else "it is not there now"
    return f"it had {_shown(was)}, and {now}"


def _shown(stamp: files.Stamp) -> str:
    written = datetime.fromtimestamp(stamp.modified, timezone.utc)
    return f"{stamp.size:,} bytes, written {written:%Y-%m-%d %H:%M:%S.%f} UTC"


def _say_encodings(found: Iterable[InputFile], encoding: str) -> None:
    """Prints the encodings in which files are read, other than the given one."""
    paths: dict[str, list[str]] = {}
    for file in found:
        if file.encoding != encoding and file.format != "parquet":
            paths.setdefault(file.encoding, []).append(file.path)
    for other, named in sorted(paths.items()):
        why = "as their content tells" if encoding == AUTO else "as their byte order marks tell"
        say(f"read as {other}, {why}: {shown_names(named)}")
