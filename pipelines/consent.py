"""Has the user agree to the input files that a dataset names before any of them is opened.

A stranger may have written the names, so that a repair would read any file that the user can read.
"""

import bisect
import itertools
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePath

from pipelines.descriptions import How, describe, shown_names
from pipelines.listing import list_files
from pipelines.plan import Plan
from textgen import files
from textgen.console import say
from textgen.corpus.readers.base import InputFile
from textgen.dataset.storage.manifest import INPUTS_FILE
from textgen.dataset.storage.passed_over import shown
from textgen.errors import UserError, require

_MAX_FOLDERS = 10


def require_consent(
    plan: Plan,
    directory: str,
    *,
    given: Sequence[str] = (),
    yes: bool = False,
    ask: Callable[[str], bool] | None = None,
) -> None:
    """Checks that the user agrees to the input files of a dataset; shows them unless they are given again.

    No input file is opened or looked at, but those that are given.

    Args:
        plan: the plan of the dataset.
        directory: path or URL of the dataset's folder.
        given: files, folders and globs that the user names as the inputs; empty for none.
        yes: whether the user agrees to any file.
        ask: asks the user a question, once the files are shown, and returns whether the answer is yes; None if nobody
            can be asked.

    Raises:
        UserError: the user does not agree, or the given inputs are not those of the dataset.
    """
    if given:
        _require_same(plan, directory, given)
        return
    _show(plan.files, directory)
    require(
        yes or (ask is not None and ask("Read these files?")),
        f"the dataset names the input files above, and they are read only if you agree. If {shown(directory)} comes "
        "from somebody else, look at them first. Then add --yes (yes=True in Python), or name the inputs after the "
        "dataset, which must be these files. Nothing was changed.",
    )


def group_by_folder(paths: Iterable[str], *, most: int = _MAX_FOLDERS) -> dict[str, list[str]]:
    """Groups paths by the folders that they are in; no file is looked at.

    The folders are those of the files if there are few, else folders further up.

    Args:
        paths: paths and URLs.
        most: maximum number of folders.

    Returns:
        The paths below each folder, by folder; the folder is empty if the paths have not even a root in common.

    >>> group_by_folder(["/a/b/1", "/a/b/2", "/a/c/3"], most=2)
    {'/a/b': ['1', '2'], '/a/c': ['3']}
    >>> group_by_folder(["/a/b/1", "/a/b/2", "/a/c/3"], most=1)
    {'/a': ['b/1', 'b/2', 'c/3']}
    """
    split = [_parts(path) for path in paths]

    def count(depth: int) -> int:
        return len({parts[:-1][:depth] for parts in split})

    depth = bisect.bisect_right(range(max(map(len, split), default=1)), most, key=count) - 1
    found: dict[str, list[str]] = {}
    for parts in split:
        folder = parts[:-1][:depth]
        found.setdefault(_joined(folder), []).append(_joined(parts[len(folder) :]))
    return found


def _parts(path: str) -> tuple[str, ...]:
    """Returns the root of a path, the folders below it, and the name of the file.

    A path that leaves a folder by `..` has no folders but its root: where it leads, only the filesystem knows.
    """
    if files.is_remote(path):
        scheme, _, rest = path.partition("://")
        host, *names = rest.split("/")
        start: tuple[str, ...] = (f"{scheme}://{host}",)
    else:
        local = files.join(path)
        names = [name for name in local.split("/") if name not in ("", ".")]
        up = len(list(itertools.takewhile("..".__eq__, names)))
        root = "/" if local.startswith("/") else os.path.abspath("/".join(names[:up]) or ".")  # noqa: PTH100
        start, names = PurePath(root).parts, names[up:]
    return (*start, "/".join(names)) if ".." in names else (*start, *names)


def _joined(parts: Sequence[str]) -> str:
    return "/".join(parts).replace("//", "/", 1) if parts[:1] == ("/",) else "/".join(parts)


def _opened(file: InputFile) -> list[str]:
    """Returns the paths that are opened to read a file: of one in an archive that of the archive."""
    if file.member is None:
        return [file.path]
    archive = file.member.archive
    return [archive] if file.path.startswith(f"{archive}/") else [archive, file.path]


def _show(inputs: Sequence[InputFile], directory: str) -> None:
    paths = dict.fromkeys(path for file in inputs for path in _opened(file))
    count = f"{len(paths):,} input file{'s' * (len(paths) != 1)}"
    say(f"{shown(files.join(directory, INPUTS_FILE))} names {count}, to be read for this repair:")
    for folder, names in group_by_folder(paths).items():
        say(f"  in {shown(folder) or 'several stores'}: {shown_names(names)}")


def _require_same(plan: Plan, directory: str, given: Sequence[str]) -> None:
    """Checks that given inputs are those of a dataset.

    Raises:
        UserError: the dataset has others, or has not all of them.
    """
    listed = list_files(given, output=directory).files
    named = {_key(path): path for file in plan.files for path in _opened(file)}
    keys = {_key(path) for path, _ in listed}
    missing = [path for key, path in named.items() if key not in keys]
    require(
        not missing,
        f"the dataset was made from {shown_names(missing)} too, which the given inputs do not have. Name all of its "
        "inputs, or name none, which shows the files that it was made from.",
    )
    how = How(plan.config.format, plan.config.encoding, plan.config.on_invalid)
    extra = [each for each in listed if _key(each.path) not in named]
    read = [each.path for each in extra if any(described.file for described in describe(each, how))]
    if read:
        raise UserError(
            f"the dataset was not made from {shown_names(read)}, which the given inputs have. Name only its inputs, "
            "or name none, which shows the files that it was made from."
        )


def _key(path: str) -> str:
    return _joined(_parts(path))
