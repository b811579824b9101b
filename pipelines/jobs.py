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
from pipelines.job_record import record_job
from pipelines.unit_attempts import Attempt, attempt, attempts, forget_attempts
from pipelines.unit_progress import progress
from pipelines.worker_processes import lost_worker_errors
from pipelines.workspace import Workspace
from textgen.console import hushed, say, without_tracebacks
from textgen.corpus.units import Unit
from textgen.errors import UserError, user_error
from textgen.system_errors import MachineError, summary, system_error


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
        super().__init__()
        self._units, self._work, self._workspace = units, work, workspace

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection:
        """Adds the steps."""
        return (
            pipeline
            | "CreateUnits" >> beam.Create(self._units)
            # Keeps the runner from fusing ProcessUnit with Create, so that it distributes the units to the workers.
            | "SpreadUnits" >> beam.Reshuffle()
            | "ProcessUnit" >> beam.ParDo(ProcessUnit(self._work, self._workspace))
        )


class ProcessUnit(beam.DoFn):
    """Does the work of a stage on a unit and records the result, unless the result is already recorded."""

    def __init__(self, work: UnitWork, workspace: Workspace):
        self._work, self._workspace = work, workspace

    def setup(self) -> None:
        """Builds the objects that the work needs."""
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
        self._units = 0

    def run(self, title: str, transform: beam.PTransform) -> None:
        """Runs a job that consists of one transform, and waits for its end.

        Args:
            title: name of the job in messages.
            transform: transform whose input is the pipeline itself.
        """
        engine = self._start()
        say(f"{title} on {engine.name}")
        _ = engine.pipeline | transform
        with hushed() if engine.noisy else contextlib.nullcontext(), worker_errors(engine.remote_name):
            self._run(engine, title, stage="", done=0)

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
        self._units = max(self._units, len(units))
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
            self._run(engine, title, stage=work.stage, done=done)

    def _run(self, engine: runners.Engine, title: str, *, stage: str, done: int) -> None:
        """Submits a job, records it, and waits for its end."""
        record = functools.partial(
            record_job,
            self._workspace,
            title=title,
            stage=stage,
            engine=engine.name,
            units=self._units,
            done=done,
        )
        # Some runners return from `run` when the job has ended, and others when it is submitted.
        record()
        result = engine.pipeline.run()
        if runners.job_id(result):
            record(job=runners.job_id(result))
        result.wait_until_finish()

    def _start(self) -> runners.Engine:
        folder = self._workspace.local_temporary_folder()
        return runners.start(self._beam_flags, input_bytes=self._input_bytes, temporary_folder=folder)


@contextlib.contextmanager
def worker_errors(engine: str = "") -> Iterator[None]:
    """Replaces Beam's report of an error in a worker by the error itself.

    Beam also logs and prints the error with its traceback; both are discarded for the errors that are replaced.

    Args:
        engine: name of an engine in other processes, whose other failures become an OSError; empty for this process.

    Raises:
        UserError: a worker raised it.
        OSError: a worker raised one, or the engine gave up the job.
        MemoryError: a worker ran out of memory.
        ImportError: a worker lacks a package.
    """
    try:
        with without_tracebacks(_is_reported, logger="apache_beam"), lost_worker_errors():
            yield
    except Exception as error:
        found = _reported(error)
        if found is None and engine:
            raise OSError(f"the job failed on {engine}: {summary(error)}") from error
        if found is None or found is error:
            raise
        raise found from None


@contextlib.contextmanager
def unit_errors(title: str, workspace: Workspace, engine: str = "") -> Iterator[None]:
    """Replaces an engine's report of a failed unit by the error itself, with a note of the unit and its files.

    The error is also found where the engine does not report it, since workers record it.

    Args:
        title: name of the job.
        workspace: the output folder.
        engine: as for `worker_errors`.

    Raises:
        Exception: as `worker_errors` does.
    """
    try:
        with worker_errors(engine):
            yield
    except Exception as error:
        failed = _failed_unit(error, workspace)
        if failed is None:
            raise
        errors: list[Exception] = [error, RuntimeError(failed.error)]
        # What an engine in other processes says is not always of the unit.
        found = next(filter(None, map(_reported, reversed(errors) if engine else errors)), error)
        vars(found)["__notes__"] = [f"{title}, {failed.place}"]
        raise found from None


def _failed_unit(error: Exception, workspace: Workspace) -> Attempt | None:
    """Returns the recorded failure that an error reports, or else the first one; None if there is none."""
    try:
        failures = [each for each in attempts(workspace) if each.error]
    except OSError:
        return None
    reported = [each for each in failures if each.summary.partition(": ")[2] in str(error)]
    return next(iter(reported or failures), None)


def _is_reported(error: BaseException) -> bool:
    return _reported(error) is not None


def _reported(error: BaseException) -> UserError | MachineError | None:
    return user_error(error) or system_error(error)


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
