"""The folder of a run: its lock, what may be in it before a training, and what is written before the first step."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from textgen import runs
from textgen.config import TOKENIZER_FILE, TOKENIZER_JSON, VOCABULARY_FILE
from textgen.console import say
from textgen.errors import UserError
from textgen.files import finished_name, remove, remove_unfinished, write_atomically
from textgen.folder import Folder
from textgen.locks import Lock, hold, is_lock_name
from textgen.runs.checkpoint_files import remove_incomplete
from textgen.training import stored_baselines
from textgen.training.callbacks.tensorboard import EVENTS, EVENTS_FOLDER, PROBE

_FILES = (
    runs.FILE_NAME,
    VOCABULARY_FILE,
    TOKENIZER_FILE,
    TOKENIZER_JSON,
    "history.csv",
    "samples.jsonl",
    "curves.png",
    stored_baselines.FILE_NAME,
)
_FOLDERS = (EVENTS_FOLDER, runs.BEST, runs.LAST)


@contextlib.contextmanager
def held_folder(
    output: Path,
    config: runs.RunConfig,
    *,
    data: str | Path,
    resume: bool,
    is_chief: bool,
    barrier: Callable[[], None],
) -> Iterator[Lock | None]:
    """Inside the context, the chief, the only process that writes, holds the lock of the folder of the run.

    Args:
        output: folder of the run.
        config: settings of the run, which the chief writes.
        data: folder or URL of the dataset, whose vocabulary and tokenizer it copies for a new run.
        resume: False for a new run.
        is_chief: whether this process is the chief; all processes enter the context.
        barrier: waits until all processes have called it.

    Yields:
        The lock; None in processes that do not write.

    Raises:
        UserError: another process writes to the folder, it can't be locked, or that of a new run is not empty.
        OSError: a file can't be read or written.
    """
    with hold(output, command="train") if is_chief else contextlib.nullcontext() as lock:
        if not resume:
            require_empty(output)
        barrier()
        if is_chief:
            write_folder(output, config, data=data, resume=resume)
        barrier()
        yield lock


def require_empty(output: Path) -> None:
    """Checks that the folder of a new run is empty, or that of a run without checkpoint, so that nothing is lost.

    Raises:
        UserError: `output` holds something else.
        OSError: `output` can't be listed.
    """
    if _names(output) and not _has_only_begun(output):
        raise UserError(
            f"{output} is not empty. Add --resume, or resume=True in Python, to continue "
            "the run, or name another folder."
        )


def _has_only_begun(output: Path) -> bool:
    """Returns whether a folder holds only what a training writes before its first checkpoint, which begins anew."""
    names = {finished_name(name) or name for name in _names(output)}
    return runs.FILE_NAME in names <= {*_FILES, *_FOLDERS} and not runs.checkpoints_in(output / runs.LAST)


def _names(output: Path) -> list[str]:
    """Returns the names in a folder, without those of the lock, which the chief makes before other processes look."""
    return [path.name for path in output.iterdir() if not is_lock_name(path.name)] if output.exists() else []


def write_folder(output: Path, config: runs.RunConfig, *, data: str | Path, resume: bool) -> None:
    """Writes the settings of a run, without what a killed process has not finished; for a new run, makes its folder.

    Only the owner of the folder's lock may call it.

    Args:
        output: folder of the run.
        config: settings of the run.
        data: folder or URL of the dataset.
        resume: False for a new run.

    Raises:
        OSError: a file can't be read or written.
    """
    if resume:
        _remove_unfinished(output)
    else:
        output.mkdir(parents=True, exist_ok=True)
        _clear(output)
    # Written first, so that the folder of a run that ends here is known as one that has only begun.
    runs.save(config, output)
    if not resume:
        make_folder(output, data=data)


def _remove_unfinished(output: Path) -> None:
    """Removes the files that a killed process has begun to write in the folder of a run."""
    remove_unfinished(str(output), _FILES.__contains__)
    remove_unfinished(str(output / EVENTS_FOLDER), (EVENTS, PROBE).__contains__)
    for name in (runs.BEST, runs.LAST):
        remove_incomplete(output / name)


def _clear(output: Path) -> None:
    """Removes what a training has written that ended before its first checkpoint."""
    names = _names(output)
    if names:
        say(f"{output} is of a training that ended before its first checkpoint; it begins anew.")
    # The settings go last, so that the folder is known as long as anything is in it.
    for name in sorted(names, key=lambda name: name.startswith(runs.FILE_NAME)):
        remove(str(output / name))


def make_folder(output: Path, *, data: str | Path) -> None:
    """Makes the folder of a run and copies the dataset's vocabulary and tokenizer into it.

    Args:
        output: folder of the run.
        data: folder or URL of the dataset.

    Raises:
        OSError: a file can't be read or written.
    """
    output.mkdir(parents=True, exist_ok=True)
    folder = Folder(data)
    for name in (VOCABULARY_FILE, TOKENIZER_FILE, TOKENIZER_JSON):
        if folder.size(name) is not None:
            write_atomically(output / name, folder.read(name))
