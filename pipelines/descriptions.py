"""Describes the files that a listing found: what each is by its first bytes, or why it is not read."""

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from pipelines.listing import EMPTY, HIDDEN, FoundFile
from pipelines.listing.globs import is_hidden
from textgen import files, store_retries
from textgen.console import say
from textgen.corpus.archives import Found, read_members
from textgen.corpus.detection import HEAD_BYTES, NOTICES, Head, NotTextError, detect, head_of, read_head
from textgen.corpus.readers.base import InputFile
from textgen.dataset.storage.passed_over import PassedOver, shown
from textgen.folder_walk import UNREADABLE

_ARCHIVES: Mapping[str, str] = {"zip archive": "zip", "tar archive": "tar"}
"""Kinds of archives whose files are read, by the name of their kind."""

_PARQUET = "not text (Parquet in an archive)"


MAX_NAMES = 3
"""Number of files that a message names for each reason."""


class How(NamedTuple):
    """Settings by which files are described; see `find_inputs`."""

    format: str
    encoding: str
    on_invalid: str


class Described(NamedTuple):
    """A file, as its start shows it.

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


def describe(found: FoundFile, how: How) -> list[Described]:
    """Returns the description of a file, or those of the files in it if it is a zip or tar archive.

    Raises:
        UserError: the file does not have the given format, or is a damaged archive.
        OSError: a store does not answer.
    """
    path, stamp = found
    try:
        head = read_head(path, files.read_head)
    except OSError as error:
        # The file may be as it should be, so it is not left out.
        if store_retries.is_passing(error):
            raise
        return [Described(None, PassedOver(path, UNREADABLE, error.strerror or str(error)))]
    file = InputFile(path, stamp.size, stamp.modified, "", head.compression)
    described = _described(file, head, how)
    archive = _ARCHIVES.get(described.error.kind.name if described.error else "")
    if archive is None or (archive == "zip" and head.compression):
        return [described]
    members = read_members(file, archive, files.open_file, start_bytes=HEAD_BYTES)
    by_name: dict[str, Described] = {}
    for member in members:
        # A file that comes again replaces the one before, as in an archive to which it was appended.
        by_name.pop(member.name, None)
        by_name[member.name] = _described_member(file, member, how)
    return list(by_name.values()) or [Described(None, PassedOver(path, EMPTY))]


def _described(file: InputFile, head: Head, how: How) -> Described:
    try:
        detected = detect(file.path, head, format=how.format, encoding=how.encoding, on_invalid=how.on_invalid)
    except NotTextError as error:
        return Described(None, PassedOver(file.path, error.reason), error)
    file = dataclasses.replace(file, format=detected.format, compression=head.compression, encoding=detected.encoding)
    return Described(file, notices=detected.notices)


def _described_member(archive: InputFile, found: Found, how: How) -> Described:
    """Returns the description of a file in an archive, to which the rules of a folder apply."""
    path, member = f"{archive.path}/{found.name}", found.member
    if any(map(is_hidden, PurePosixPath(found.name).parts)):
        return Described(None, PassedOver(path, HIDDEN))
    if found.fault or not member.content_size:
        return Described(None, PassedOver(path, found.fault or EMPTY))
    head = head_of(path, found.start, is_whole=len(found.start) == member.content_size)
    described = _described(InputFile(path, member.size, archive.modified, "", member=member), head, how)
    if described.file and described.file.format == "parquet":
        return Described(None, PassedOver(path, _PARQUET))
    return described


def say_notices(described: Iterable[Described], *, left_out: Collection[str]) -> None:
    """Prints a line per notice with the number of files and some of their names."""
    paths: dict[str, list[str]] = {}
    for each in described:
        for notice in set(each.notices).difference(left_out):
            paths.setdefault(notice, []).append(each.file.path if each.file else "")
    for notice, found in paths.items():
        say(f"{shown_names(found)}{' each' * (len(found) > 1)} {NOTICES[notice]}.")


def shown_names(paths: Sequence[str]) -> str:
    """Returns the first names of a list, and the number of the others."""
    others = f" and {len(paths) - MAX_NAMES:,} others" if len(paths) > MAX_NAMES else ""
    return ", ".join(map(shown, paths[:MAX_NAMES])) + others
