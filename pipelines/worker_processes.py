"""Ends a job whose worker process has died, as for lack of memory; Beam's embedded runner would wait forever."""

import contextlib
import signal
from collections.abc import Iterator
from typing import Any

from apache_beam.runners.portability import local_job_service
from apache_beam.runners.portability.fn_api_runner import worker_handlers

_SHELL_SIGNALS = 128
"""A shell adds this to the number of the signal that ended its command."""


@contextlib.contextmanager
def lost_worker_errors() -> Iterator[None]:
    """Inside the context, a worker process that dies fails the work that it was given.

    The job then raises an exception whose message ends with a ChildProcessError.
    """
    handler = worker_handlers.SubprocessSdkWorkerHandler
    start_worker = handler.start_worker

    def start_watched(self: Any) -> None:
        # The class is looked up when a worker starts.
        before = local_job_service.SubprocessSdkWorker
        local_job_service.SubprocessSdkWorker = _watched(before, self)
        try:
            start_worker(self)
        finally:
            local_job_service.SubprocessSdkWorker = before

    handler.start_worker = start_watched
    try:
        yield
    finally:
        handler.start_worker = start_worker


def _watched(kind: type, handler: Any) -> type:
    """Returns a class of workers that report their death to the handler."""

    class Watched(kind):
        def run(self) -> None:
            try:
                super().run()
            except RuntimeError as error:
                _fail_all(handler.control_conn, _death(error))

    return Watched


def _fail_all(connection: Any, message: str) -> None:
    """Answers what a connection was asked, and will be asked, with an error."""

    def fail(request: Any) -> Any:
        future = worker_handlers.ControlFuture(request.instruction_id)
        future.set(_failed(request.instruction_id, message))
        return future

    if hasattr(connection, "_futures_by_id"):
        connection.push = fail
        for identifier, future in list(connection._futures_by_id.items()):
            future.set(_failed(identifier, message))


def _failed(identifier: str, message: str) -> Any:
    return worker_handlers.beam_fn_api_pb2.InstructionResponse(instruction_id=identifier, error=message)


def _death(error: RuntimeError) -> str:
    """Returns the last line of a traceback that says how a worker ended.

    Args:
        error: Beam's error, which ends with the exit code.
    """
    code = int(str(error).rpartition(" ")[2])
    number = -code if code < 0 else code - _SHELL_SIGNALS
    how = f"with exit code {code}"
    with contextlib.suppress(ValueError):
        how = f"by {signal.Signals(number).name}"
    reasons: dict[int, str] = {
        signal.SIGKILL: ", as the system does when memory is short",
        signal.SIGABRT: ", as native code does when it gets no memory",
    }
    reason = f"{reasons[number]}; use fewer workers, as with --direct_num_workers=1" if number in reasons else ""
    return f"ChildProcessError: a worker process was ended {how}{reason}"
