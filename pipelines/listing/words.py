"""Finds out what a path or glob of the user names: a file, a folder, or a pattern below a folder."""

import os
import re
from typing import NamedTuple

from pipelines.listing.globs import Glob, split
from pipelines.listing.own_folders import is_within
from textgen import files
from textgen.errors import UserError, require
from textgen.files import is_remote
from textgen.folder_walk import BROKEN_LINK, FILE, FOLDER, SPECIAL, Entry, entry_of
from textgen.remote_files import is_http

STDIN = "/dev/stdin"
_OF_THIS_PROCESS = re.compile(r"/dev/(?:stdin|fd/\d+)|/proc/(?:self|\d+)/fd/\d+")
_URL_WITH_ONE_SLASH = re.compile(r"[\w+.-]+:/(?!/)")


class Word(NamedTuple):
    """File or folder that a path or glob names.

    Attributes:
        root: path or URL of the folder.
        glob: pattern below it; None for all files of the folder.
        file: the file, where the word is the name of one.
    """

    root: str
    glob: Glob | None = None
    file: Entry | None = None


def resolve(word: str, output: str | None) -> Word:
    """Returns what a path or glob names.

    Args:
        word: path, URL or glob.
        output: folder of the new dataset; None if there is none.

    Raises:
        UserError: the word is a pipe, a broken link or a URL without a driver, or the output folder holds the input.
        OSError: a store cannot be asked.
    """
    require(bool(word.strip()), f"{word!r} names no file. Name a file, a folder or a glob; `.` is this folder.")
    path = files.join(files.expand_home(word))
    found = _named(path)
    if found is None and word == "-":
        found = _named(STDIN)
    if found is not None and found.kind == SPECIAL:
        raise UserError(_pipe(word))
    if found is not None and found.kind == BROKEN_LINK:
        raise UserError(f"{word} is a link {found.detail}, where there is no file. Name the file itself.")
    if found is not None and found.kind != FOLDER:
        _check_outside(word, path, output)
        return Word("", file=found)
    if is_http(path):
        raise UserError(f"there is no file {word}. Check the URL; of a web server each file is named by itself.")
    root, pattern = (path, "") if found else split(path, files.exists)
    _check_outside(word, root, output)
    if not found and not pattern and _URL_WITH_ONE_SLASH.match(word):
        raise UserError(
            f"no file matches {word!r}. A URL has two slashes after its scheme, which pathlib.Path reduces to one: "
            "give it as a string."
        )
    return Word(root.rstrip("/") or root, Glob(pattern) if pattern else None)


def _named(path: str) -> Entry | None:
    """Returns the file or folder of this very name, whatever characters are in it; of URLs files only."""
    if is_remote(path):
        stamp = files.stamp(path)
        return Entry("", path, FILE, stamp) if stamp else None
    found = entry_of(path) if path else None
    if found and found.kind == FILE and _OF_THIS_PROCESS.fullmatch(path):
        # Other processes have another standard input.
        real = os.path.realpath(path)
        return entry_of(real) or found._replace(kind=SPECIAL)
    return found


def _check_outside(word: str, path: str, output: str | None) -> None:
    require(
        output is None or not is_within(path, output),
        f"the output folder {output} holds the input {word}, and would be mixed with it. "
        "Name a folder with --output that holds no input.",
    )


def _pipe(word: str) -> str:
    return (
        f"{word} is a pipe or a device, which can be read only once. A preparation reads its input several times, by "
        "several workers, and again when it is continued or repaired. Save it in a file first, as in "
        "`zcat corpus.gz > corpus.txt`, and name that file."
    )
