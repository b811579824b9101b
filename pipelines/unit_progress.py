"""Shows a progress bar of the units that are done, whatever engine does them, and says when it stands still."""

import contextlib
import threading
import time
from collections.abc import Iterator, Sequence
from typing import TextIO

from pipelines.workspace import Workspace
from textgen.console import bar, printable
from textgen.corpus.units import Unit

_POLL_SECONDS = 0.5
_POLL_SHARE = 20
"""Listing the results takes at most one second in so many: with many units at a store, a listing takes seconds."""

_STILL_SECONDS = 600.0
"""Time without the end of a unit after which the user is told. A unit takes seconds, but an engine may wait for its
machines for minutes; it may also wait for ever, as a cluster without memory does, so that nothing else would tell."""


@contextlib.contextmanager
def progress(title: str, stage: str, units: Sequence[Unit], workspace: Workspace, stream: TextIO) -> Iterator[None]:
    """Shows a progress bar of the processed input bytes while the context is open.

    Progress is read from the recorded results, since runners report metrics in different ways. Each time that no unit
    ends for ten minutes while some are left, a line says so.

    Args:
        title: name of the job.
        stage: name of the stage.
        units: units of the job.
        workspace: the output folder.
        stream: stream to write the bar to.
    """
    sizes = {unit.index: unit.bytes for unit in units}
    whole = sum(sizes.values())

    def done() -> int:
        return sum(sizes.get(unit, 0) for unit in workspace.recorded_units(stage))

    stopped = threading.Event()
    with bar(whole, title, "B", stream=stream, initial=done()) as shown:

        def watch() -> None:
            seconds, changed = _POLL_SECONDS, time.monotonic()
            while not stopped.wait(seconds):
                begun = time.monotonic()
                # A store that is not reached for a while must not end the display.
                with contextlib.suppress(OSError):
                    if more := done() - shown.n:
                        changed = begun
                    shown.update(more)
                if begun - changed > _STILL_SECONDS and shown.n < whole:
                    shown.write(_still(workspace), file=stream)
                    changed = begun
                seconds = max(_POLL_SECONDS, _POLL_SHARE * (time.monotonic() - begun))

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            stopped.set()
            watcher.join()
            shown.update(done() - shown.n)


def _still(workspace: Workspace) -> str:
    return printable(
        f"no unit has ended for {_STILL_SECONDS / 60:.0f} minutes. `textgen status {workspace.directory}` shows "
        "which are at work; if none is, see the engine's logs. You may stop this command: started again, it goes on."
    )
