"""Chooses the runner of a job: threads of this process on all cores, unless an option of Beam names another."""

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import apache_beam as beam
from apache_beam import pipeline as beam_pipeline
from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions
from apache_beam.runners import PipelineRunner
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.runners.runner import PipelineResult
from apache_beam.transforms.environments import EmbeddedPythonGrpcEnvironment
from apache_beam.utils import interactive_utils

from pipelines import engines
from pipelines.beam_flags import known_flags
from pipelines.local import ThreadRunner
from pipelines.option_values import require_valid
from pipelines.process_memory import limit_arenas
from textgen.errors import UserError, one_line

_NEVER = -1
"""Turns off the timer with which Beam's worker threads send buffered data every second. It may fire in the middle of
an element (2.77, `TimeBasedBufferingClosableOutputStream`); the reader then takes other bytes for a length and
exhausts the memory."""

PARALLEL_FROM_BYTES = 16 << 20
"""Minimum input size for several workers, in bytes; with less input, starting them takes longer than they save."""


class EnginePipeline(NamedTuple):
    """An empty pipeline with its runner.

    Attributes:
        pipeline: the pipeline.
        name: description of the runner for messages.
        noisy: whether its worker processes log to this process's standard error.
        remote_name: the name, if it is an engine in other processes.
    """

    pipeline: beam.Pipeline
    name: str
    noisy: bool
    remote_name: str = ""


def check_beam_flags(flags: Sequence[str], paths: Iterable[str] = ()) -> None:
    """Checks that Beam knows all flags, and that the engine that they name can be used.

    Args:
        flags: Beam's own options.
        paths: paths and URLs that workers will open.

    Raises:
        UserError: a flag is unknown or missing, its value is not allowed, the engine is refused, or its workers are
            on other machines, which do not have a path.
        ConnectionError: the engine does not answer.
    """
    options = PipelineOptions(known_flags(flags))
    require_valid(options)
    engines.check(options)
    engines.check_paths(options, paths)


def start(flags: Sequence[str], *, input_bytes: int, temporary_folder: Path | None = None) -> EnginePipeline:
    """Creates an empty pipeline with the runner that Beam's flags name.

    Without `--runner`, these are threads of this process, as many as `--direct_num_workers` says. With `embedded` or
    `direct`, or with `--direct_running_mode`, it is Beam's embedded runner. It is created directly, since
    `DirectRunner` would first try to download another runner.

    Args:
        flags: Beam's own options.
        input_bytes: size of the input; small inputs are processed by one worker.
        temporary_folder: a folder to make for the pipeline's temporary files, which is removed at its end; None for
            Beam's own, which a process that is killed leaves behind.
    """
    limit_arenas()
    flags = known_flags(flags)
    options = PipelineOptions(flags)
    name = engines.name_of(options)
    if name not in (engines.LOCAL, engines.EMBEDDED):
        return _other(name, options, temporary_folder)
    direct = options.view_as(DirectOptions)
    if not _given("--direct_num_workers", flags):
        direct.direct_num_workers = 0 if input_bytes >= PARALLEL_FROM_BYTES else 1
    direct.direct_num_workers = direct.direct_num_workers or os.cpu_count() or 1
    if name == engines.LOCAL:
        threads = direct.direct_num_workers
        name = f"this machine, {threads} thread{'s' * (threads != 1)}"
        return EnginePipeline(_pipeline(ThreadRunner(threads), options, temporary_folder), name, noisy=False)
    return _embedded(flags, options, temporary_folder)


def _embedded(flags: Sequence[str], options: PipelineOptions, temporary_folder: Path | None) -> EnginePipeline:
    direct = options.view_as(DirectOptions)
    if not _given("--direct_running_mode", flags) and direct.direct_num_workers != 1:
        direct.direct_running_mode = "multi_threading"
    workers, mode = direct.direct_num_workers, direct.direct_running_mode
    name = f"Beam's embedded engine, {workers} worker{'s' * (workers != 1)}, {mode}"
    noisy = mode == "multi_processing" and not _given("--default_sdk_harness_log_level", flags)
    environment = None
    if mode == "multi_threading":
        environment = EmbeddedPythonGrpcEnvironment(data_buffer_time_limit_ms=_NEVER)
        # With the mode "multi_threading", Beam would replace this environment by its own.
        direct.direct_running_mode = "in_memory"
    return EnginePipeline(_pipeline(FnApiRunner(environment), options, temporary_folder), name, noisy)


def _other(name: str, options: PipelineOptions, temporary_folder: Path | None) -> EnginePipeline:
    engine = engines.ENGINES.get(name)
    if engine is None:
        return EnginePipeline(_pipeline(None, options, temporary_folder), name, noisy=False, remote_name=name)
    engine.check(options)
    runner = engine.create(options) if engine.create else None
    return EnginePipeline(_pipeline(runner, options, temporary_folder), name, noisy=engine.is_noisy, remote_name=name)


def job_id(result: PipelineResult) -> str:
    """Returns the name that an engine has given to a job; empty for an engine that gives none."""
    found = getattr(result, "job_id", None) or getattr(result, "_job_id", None)
    return str((found() if callable(found) else found) or "")


def _pipeline(
    runner: PipelineRunner | None, options: PipelineOptions, temporary_folder: Path | None
) -> beam.Pipeline:
    try:
        pipeline = beam.Pipeline(runner=runner, options=options)
    except ValueError as error:
        # It checks the options, after `require_valid` has looked at those that it knows.
        raise UserError(f"Beam refuses the options: {one_line(error)}. Correct them.") from None
    if temporary_folder:
        # Beam has no option for it.
        temporary_folder.mkdir(mode=0o700, parents=True)
        Path(pipeline.local_tempdir).rmdir()
        pipeline.local_tempdir = str(temporary_folder)
    return pipeline


def _given(option: str, flags: Sequence[str]) -> bool:
    return any(flag == option or flag.startswith(option + "=") for flag in flags)


@contextlib.contextmanager
def cancelled_by_signals(result: PipelineResult) -> Iterator[None]:
    """Inside the context, a signal cancels a submitted job, which would go on elsewhere and cost money."""
    try:
        yield
    except KeyboardInterrupt:
        # Not all engines can.
        with contextlib.suppress(Exception):
            result.cancel()
        raise


@contextlib.contextmanager
def without_interactive_beam() -> Iterator[None]:
    """Inside the context, Beam builds pipelines in a notebook as it does elsewhere.

    In an IPython kernel, Beam would import Interactive Beam to rename the steps, which requires pandas and more. It
    would import IPython too, wherever that is installed, to know.
    """
    before = [(module, module.is_in_ipython) for module in (interactive_utils, beam_pipeline)]
    for module, _ in before:
        module.is_in_ipython = _never
    try:
        yield
    finally:
        for module, found in before:
            module.is_in_ipython = found


def _never() -> bool:
    return False
