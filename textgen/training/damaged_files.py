"""Sets files of a run aside that can't be read, so that a resumed run continues without them."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from textgen.console import printable, say
from textgen.errors import UserError, one_line
from textgen.regular_files import unusual

Content = TypeVar("Content")


class DamagedFileError(UserError):
    """A file whose content is not what was written; the message is the reason."""


def read_or_set_aside(path: Path, read: Callable[[Path], Content], *, empty: Content, step: int) -> Content:
    """Returns what a function reads from a file; renames the file, and says so, if it can't be read.

    Args:
        path: path of the file, which need not exist.
        read: reads the file; raises UserError or OSError if it can't.
        empty: what to return for a file that can't be read.
        step: step of the checkpoint from which the run continues, for the message.

    Raises:
        OSError: the file can't be renamed.
    """
    try:
        return read(path)
    except (UserError, OSError) as error:
        set_aside(path, one_line(error), step=step)
        return empty


def set_folder_aside(path: Path, *, step: int) -> None:
    """Renames a folder in the place of a file that is always written whole; see `set_aside`.

    Raises:
        OSError: it can't be renamed.
    """
    if unusual(path) == "a folder":
        set_aside(path, f"{path} is a folder; it must be a file", step=step)


def set_aside(path: Path, reason: str, *, step: int) -> None:
    """Renames a file, link or folder to a name that no program of a run reads, and prints a warning.

    Args:
        path: what to rename.
        reason: why it is not used, without a final full stop.
        step: step from which a new file begins.

    Raises:
        OSError: it can't be renamed.
    """
    # TensorBoard reads every file with "tfevents" in its name.
    stem = path.name.replace("tfevents", "events")
    number = 1
    while (aside := path.with_name(f"{stem}.damaged-{number}")).exists() or aside.is_symlink():
        number += 1
    path.rename(aside)
    reason = reason if path.name in reason else f"{path} can't be read: {reason}"
    say(f"warning: {printable(reason)}; it is set aside as {printable(aside.name)}, and begun again at step {step:,}")
