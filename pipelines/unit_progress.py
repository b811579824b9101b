"""Shows a progress bar of the units that are done, whatever engine does them."""

import contextlib
import threading
import time
from collections.abc import Iterator, Sequence
from typing import TextIO

from pipelines.workspace import Workspace
from textgen.console import bar
from textgen.corpus.units import Unit

_POLL_SECONDS = 0.5
_POLL_SHARE = 20
"""Listing the results takes at most one second in so many: with many units at a store, a listing takes seconds."""


@contextlib.contextmanager
def progress(title: str, stage: str, units: Sequence[Unit], workspace: Workspace, stream: TextIO) -> Iterator[None]:
    """Shows a progress bar of the processed input bytes while the context is open.

    Progress is read from the recorded results, since runners report metrics in different ways.

    Args:
        title: name of the job.
        stage: name of the stage.
        units: units of the job.
        workspace: the output folder.
        stream: stream to write the bar to.
    """
    sizes = {unit.index: unit.bytes for unit in units}

    def done() -> int:
        return sum(sizes.get(unit, 0) for unit in workspace.recorded_units(stage))

    stopped = threading.Event()
    with bar(sum(sizes.values()), title, "B", stream=stream, initial=done()) as shown:

        def watch() -> None:
            seconds = _POLL_SECONDS
            while not stopped.wait(seconds):
                begun = time.monotonic()
                # A store that is not reached for a while must not end the display.
                with contextlib.suppress(OSError):
                    shown.update(done() - shown.n)
                seconds = max(_POLL_SECONDS, _POLL_SHARE * (time.monotonic() - begun))

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            stopped.set()
            watcher.join()
            shown.update(done() - shown.n)
