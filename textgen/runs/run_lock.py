"""The lock of a run's folder, which the chief of the processes that train holds."""

import contextlib
from pathlib import Path

from textgen.locks import Lock, hold


def held_folder(output: Path, *, is_chief: bool) -> contextlib.AbstractContextManager[Lock | None]:
    """Returns a context in which the chief, the only process that writes, holds the lock of the run's folder.

    Args:
        output: folder of the run.
        is_chief: whether this process is the chief.

    Raises:
        UserError: in the context manager, if another process writes to the folder, or it can't be locked.
    """
    return hold(output, command="train") if is_chief else contextlib.nullcontext()
