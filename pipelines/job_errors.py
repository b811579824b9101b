"""Recovers the errors of workers from what an engine reports, or from what the workers have recorded."""

import contextlib
from collections.abc import Iterator

from pipelines.unit_attempts import Attempt, attempts
from pipelines.worker_processes import lost_worker_errors
from pipelines.workspace import Workspace
from textgen.console import without_tracebacks
from textgen.errors import UserError, user_error
from textgen.system_errors import MachineError, summary, system_error


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
        vars(found)["__notes__"] = [f"{title}, {failed.label}"]
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
