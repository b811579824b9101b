"""Runs the stages of a preparation over units; every stage has the same Beam steps.

The steps are Create(units) → Reshuffle → ParDo(one whole unit). The work on a unit is a pure function of the unit and
the settings, and its result is a small JSON value that is stored beside the output. A retry, a concurrent attempt or
a second run finds the result and does nothing. Each stage defines its work and the use of the results.

The steps use only features that every runner supports: no tagged outputs, no `finish_bundle`, no metrics, no lambdas.
"""

import contextlib
import functools
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import apache_beam as beam

from pipelines import runners
from pipelines.job_errors import unit_errors, worker_errors
from pipelines.job_record import record_job
from pipelines.unit_attempts import attempt, forget_attempts
from pipelines.unit_lists import CreateUnits
from pipelines.unit_progress import progress
from pipelines.worker_version import own_version, require_same
from pipelines.workspace import Workspace
from textgen.console import hushed, say
from textgen.corpus.units import Unit


class UnitWork(Protocol):
    """Work of a stage on one unit; it is pickled, so it holds only plain values before `setup`.

    Attributes:
        stage: name of the stage.
    """

    stage: str

    def setup(self) -> None:
        """Builds objects that a worker needs once, such as tables."""
        ...

    def process(self, unit: Unit) -> dict[str, Any]:
        """Does the work on a unit, and returns its result as JSON values."""
        ...


class ProcessUnits(beam.PTransform):
    """Does the work of a stage on all units, and returns their results as JSON values."""

    def __init__(self, units: Sequence[Unit], work: UnitWork, workspace: Workspace):
        # The name of the step in the views of engines: Tokens, Vocabulary, Shards.
        super().__init__(label=work.stage.capitalize())
        self._units, self._work, self._workspace = units, work, workspace

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection:
        """Adds the steps."""
        return (
            pipeline
            | "ListUnits" >> CreateUnits(self._units, self._workspace)
            # Keeps the runner from fusing ProcessUnit with Create, so that it distributes the units to the workers.
            | "SpreadUnits" >> beam.Reshuffle()
            | "ProcessUnit" >> beam.ParDo(ProcessUnit(self._work, self._workspace))
        )


class ProcessUnit(beam.DoFn):
    """Does the work of a stage on a unit and records the result, unless the result is already recorded."""

    def __init__(self, work: UnitWork, workspace: Workspace):
        self._work, self._workspace = work, workspace
        self._version = own_version()

    def setup(self) -> None:
        """Builds the objects that the work needs.

        Raises:
            UserError: this worker has another version of textgen than the launcher.
        """
        require_same(self._version)
        self._work.setup()

    def process(self, unit: Unit) -> Iterator[dict[str, Any]]:
        """Yields the result of the unit."""
        result = self._workspace.recorded(self._work.stage, unit.index)
        if result is None:
            with attempt(self._workspace, self._work.stage, unit):
                result = self._work.process(unit)
            self._workspace.record(self._work.stage, unit.index, result)
        yield result


class JobRunner:
    """Runs the jobs of a preparation, each in a pipeline of its own, and shows their progress."""

    def __init__(self, workspace: Workspace, beam_flags: Sequence[str], *, input_bytes: int):
        """Creates a job runner.

        Args:
            workspace: the output folder.
            beam_flags: Beam's own options.
            input_bytes: size of the input, on which the number of workers depends.
        """
        self._workspace, self._beam_flags, self._input_bytes = workspace, beam_flags, input_bytes

    def run(self, title: str, transform: beam.PTransform, *, units: int) -> None:
        """Runs a job that consists of one transform, and waits for its end.

        Args:
            title: name of the job in messages.
            transform: transform whose input is the pipeline itself.
            units: number of units whose results it reads, for the record of the job.
        """
        engine = self._start()
        say(f"{title} on {engine.name}")
        _ = engine.pipeline | transform
        with hushed() if engine.noisy else contextlib.nullcontext(), worker_errors(engine.remote_name):
            self._run(engine, title, stage="", units=units, done=0)

    def run_units(
        self, title: str, work: UnitWork, units: Sequence[Unit], finish: beam.PTransform | None = None
    ) -> None:
        """Does the work of a stage on units with a progress bar, and waits for its end.

        Args:
            title: name of the job in messages.
            work: work of the stage.
            units: units to process.
            finish: transform of the results of all units; None for none.
        """
        self._workspace.make_stage_folder(work.stage)
        engine = self._start()
        say(f"{title}: {len(units)} units on {engine.name}")
        forget_attempts(self._workspace)
        done = len(self._workspace.recorded_units(work.stage))
        results = engine.pipeline | ProcessUnits(units, work, self._workspace)
        if finish:
            _ = results | finish
        with (
            hushed() if engine.noisy else contextlib.nullcontext(sys.stderr) as terminal,
            unit_errors(title, self._workspace, engine.remote_name),
            progress(title, work.stage, units, self._workspace, terminal),
        ):
            self._run(engine, title, stage=work.stage, units=len(units), done=done)

    def _run(self, engine: runners.EnginePipeline, title: str, *, stage: str, units: int, done: int) -> None:
        """Submits a job, records it, and waits for its end."""
        record = functools.partial(
            record_job,
            self._workspace,
            title=title,
            stage=stage,
            engine=engine.name,
            units=units,
            done=done,
        )
        # Some runners return from `run` when the job has ended, and others when it is submitted.
        record()
        result = engine.pipeline.run()
        if runners.job_id(result):
            record(job=runners.job_id(result))
        with runners.cancelled_by_signals(result):
            result.wait_until_finish()

    def _start(self) -> runners.EnginePipeline:
        folder = self._workspace.local_temporary_folder()
        return runners.start(self._beam_flags, input_bytes=self._input_bytes, temporary_folder=folder)


def run_in_threads(work: UnitWork, units: Sequence[Unit], workspace: Workspace) -> float:
    """Does the work of a stage without Beam, with one thread per core.

    Args:
        work: work of the stage.
        units: units to process, at least one.
        workspace: the output folder.

    Returns:
        The time of the work on all units, in seconds, without setup.
    """
    workspace.make_stage_folder(work.stage)
    work.setup()

    def do(unit: Unit) -> None:
        workspace.record(work.stage, unit.index, work.process(unit))

    # The first call traces the graph, which must not count as work.
    do(units[0])
    start = time.perf_counter()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(do, units))
    return time.perf_counter() - start
