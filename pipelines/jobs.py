"""The one shape that every stage of a preparation has.

Create(units) → Reshuffle → ParDo(one unit, whole). A unit's work is a pure function of the unit and the settings,
and its result a small JSON value that is kept beside the output: a retry, a twin or a second run finds it and does
nothing. What the work is and what becomes of the results, the stages say.

Only what every runner keeps is used here: no tagged outputs, no `finish_bundle`, no metrics, no lambdas.
"""

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TextIO

import apache_beam as beam

from pipelines import runners
from pipelines.workspace import Workspace
from textgen.console import bar, hushed, say
from textgen.corpus.units import Unit

_POLL_SECONDS = 0.5


class UnitWork(Protocol):
    """What a stage does with one unit. It is pickled, so it holds plain values until `setup`."""

    stage: str

    def setup(self) -> None:
        """Makes what a worker needs once, such as tables."""
        ...

    def process(self, unit: Unit) -> dict[str, Any]:
        """Does the unit; the result is JSON values."""
        ...


class ProcessUnits(beam.PTransform):
    """Units → their results, as JSON values."""

    def __init__(self, units: Sequence[Unit], work: UnitWork, workspace: Workspace):
        super().__init__()
        self._units, self._work, self._workspace = units, work, workspace

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection:
        """Adds the steps."""
        return (
            pipeline
            | "CreateUnits" >> beam.Create(self._units)
            # So that a runner does not fuse the units with the list they came from, and shares them out.
            | "SpreadUnits" >> beam.Reshuffle()
            | "ProcessUnit" >> beam.ParDo(ProcessUnit(self._work, self._workspace))
        )


class ProcessUnit(beam.DoFn):
    """A unit's recorded result, or the work and its record."""

    def __init__(self, work: UnitWork, workspace: Workspace):
        self._work, self._workspace = work, workspace

    def setup(self) -> None:
        """Makes the worker's tables."""
        self._work.setup()

    def process(self, unit: Unit) -> Iterator[dict[str, Any]]:
        """One unit in, one result out."""
        result = self._workspace.recorded(self._work.stage, unit.index)
        if result is None:
            result = self._work.process(unit)
            self._workspace.record(self._work.stage, unit.index, result)
        yield result


class JobRunner:
    """Runs the jobs of a preparation, each on an engine of its own, and shows their progress."""

    def __init__(self, workspace: Workspace, beam_flags: Sequence[str], *, input_bytes: int):
        """Takes Beam's options, and the size of the input, by which the number of workers is chosen."""
        self._workspace, self._beam_flags, self._input_bytes = workspace, beam_flags, input_bytes

    def run(self, title: str, transform: beam.PTransform) -> None:
        """Runs a transform that takes a pipeline."""
        engine = self._start()
        say(f"{title} on {engine.name}")
        _ = engine.pipeline | transform
        engine.pipeline.run().wait_until_finish()

    def run_units(
        self, title: str, work: UnitWork, units: Sequence[Unit], finish: beam.PTransform | None = None
    ) -> None:
        """Does a stage's work on units, then what `finish` makes of all results."""
        self._workspace.make_stage_folder(work.stage)
        engine = self._start()
        say(f"{title}: {len(units)} units on {engine.name}")
        results = engine.pipeline | ProcessUnits(units, work, self._workspace)
        if finish:
            _ = results | finish
        with (
            hushed() if engine.noisy else contextlib.nullcontext(sys.stderr) as terminal,
            progress(title, work.stage, units, self._workspace, terminal),
        ):
            engine.pipeline.run().wait_until_finish()

    def _start(self) -> runners.Engine:
        return runners.start(self._beam_flags, input_bytes=self._input_bytes)


def run_in_threads(work: UnitWork, units: Sequence[Unit], workspace: Workspace) -> float:
    """Does a stage's work without Beam, with a thread a core; returns the seconds that it took, its setup apart."""
    workspace.make_stage_folder(work.stage)
    work.setup()

    def do(unit: Unit) -> None:
        workspace.record(work.stage, unit.index, work.process(unit))

    # Once beforehand, since the first call of a graph makes it.
    do(units[0])
    start = time.perf_counter()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(do, units))
    return time.perf_counter() - start


@contextlib.contextmanager
def progress(title: str, stage: str, units: Sequence[Unit], workspace: Workspace, stream: TextIO) -> Iterator[None]:
    """A bar of the input bytes done, while the body runs.

    It counts the records that the workers leave, since no two runners report metrics alike.
    """
    sizes = {unit.index: unit.bytes for unit in units}

    def done() -> int:
        return sum(sizes.get(unit, 0) for unit in workspace.recorded_units(stage))

    stopped = threading.Event()
    with bar(sum(sizes.values()), title, "B", stream=stream, initial=done()) as shown:

        def watch() -> None:
            while not stopped.wait(_POLL_SECONDS):
                shown.update(done() - shown.n)

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            stopped.set()
            watcher.join()
            shown.update(done() - shown.n)
