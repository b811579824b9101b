"""Lists the files that paths, globs and folders name, and all that is passed over, with the reasons."""

import dataclasses
import os
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pipelines.listing.globs import Glob
from pipelines.listing.search import HIDDEN as HIDDEN
from pipelines.listing.search import OWN, Hit, search
from pipelines.listing.words import Word, resolve
from textgen.dataset.storage.passed_over import PassedOver
from textgen.errors import require
from textgen.file_versions import Stamp
from textgen.files import is_remote
from textgen.folder_walk import AGAIN, FILE, Entry

EMPTY = "empty"
EVERYTHING = Glob("**")


class FoundFile(NamedTuple):
    """A file to read, with its size and time."""

    path: str
    stamp: Stamp


@dataclasses.dataclass
class Listing:
    """Result of a search for input files; every file that is found is either in `files` or in `passed_over`.

    Attributes:
        files: the files to read, sorted by path.
        passed_over: the files that are not read, sorted by path.
        folders_left: folders that a glob matches beside files, and whose files it does not match.
    """

    files: list[FoundFile]
    passed_over: list[PassedOver]
    folders_left: list[str]


def list_files(words: Iterable[str], *, output: str | None = None) -> Listing:
    """Returns the files that paths, globs and folders name, each once, and all that is passed over.

    A path names the file or folder that is there, whatever characters are in its name. Otherwise `*`, `?` and `[…]`
    match within one name, `**` any number of folders, also none, and `{a,b}` either. A folder stands for all files
    below it. Where a glob matches folders and no file, each of these stands for its files.

    Args:
        words: paths and globs, local or URLs.
        output: folder of the new dataset, from which nothing is read; None if there is none.

    Raises:
        UserError: a word names no file, a pipe, or a URL without a driver, or the output folder holds the input.
        OSError: a store cannot be listed.
    """
    hits: dict[str, Hit] = {}
    left: list[str] = []
    for word in words:
        found, folders = _find(resolve(word, output), output)
        require(bool(found), f"no file matches {word!r}. Check the path; quote a pattern with * in it.")
        left += folders
        for hit in found:
            key = hit.entry.path if is_remote(hit.entry.path) else os.path.abspath(hit.entry.path)  # noqa: PTH100
            # A file that is named by itself is read even if a folder passes it over.
            if key not in hits or (hits[key].reason and not hit.reason):
                hits[key] = hit
    return _sorted_out(hits.values(), left)


def _find(word: Word, output: str | None) -> tuple[list[Hit], list[str]]:
    """Returns what a word names, and the folders that it matches beside files."""
    if word.file:
        return [Hit(word.file, _fault(word.file), "")], []
    hits, folders = search(word.root, word.glob or EVERYTHING, is_named=word.glob is None, output=output)
    hits = [hit if hit.reason else hit._replace(reason=_fault(hit.entry)) for hit in hits]
    if any(hit.reason not in (HIDDEN, OWN) for hit in hits):
        return hits, folders
    for folder in folders:
        hits += _find(Word(folder), output)[0]
    return hits, []


def _fault(entry: Entry) -> str:
    """Returns the reason why an entry cannot be read; empty if it can."""
    if entry.kind == FILE:
        return "" if entry.stamp.size else EMPTY
    return entry.kind


def _sorted_out(hits: Iterable[Hit], left: Sequence[str]) -> Listing:
    listing = Listing([], [], list(left))
    names: dict[tuple[int, int], str] = {}
    for entry, reason, detail in sorted(hits, key=_path):
        first = names.setdefault(entry.identity, entry.path) if entry.identity and not reason else entry.path
        if first != entry.path:
            listing.passed_over.append(PassedOver(entry.path, AGAIN, f"as {first}"))
        elif reason:
            listing.passed_over.append(PassedOver(entry.path, reason, detail or entry.detail))
        else:
            listing.files.append(FoundFile(entry.path, entry.stamp))
    return listing


def _path(hit: Hit) -> str:
    return hit.entry.path
