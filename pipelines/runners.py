"""Which engine runs a job: the embedded one with all cores, unless a Beam option names another."""

import argparse
import contextlib
import ctypes
import os
import sys
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import apache_beam as beam
from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions, StandardOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.transforms.environments import EmbeddedPythonGrpcEnvironment
from apache_beam.utils import interactive_utils

from textgen.errors import UserError

_NEVER = -1
"""Beam's worker threads send what they have once a second, from a timer that may strike in the midst of an element
(2.77, `TimeBasedBufferingClosableOutputStream`); the reader then takes garbage for a length and fills the memory."""

PARALLEL_FROM_BYTES = 16 << 20
"""Below this much input, starting workers takes longer than they save."""


_M_ARENA_MAX, _ARENAS = -8, 2
"""`M_ARENA_MAX` of glibc's malloc.h; without the limit 200 MB of text took 10 percent more memory."""


class Engine(NamedTuple):
    """A pipeline, and what will run it.

    Attributes:
        pipeline: an empty pipeline.
        name: the engine in words.
        noisy: whether its worker processes log to this process's standard error.
    """

    pipeline: beam.Pipeline
    name: str
    noisy: bool


def check_beam_flags(flags: Sequence[str]) -> None:
    """Refuses flags that Beam does not know; Beam itself drops them with a log line.

    Raises:
        UserError: a flag is unknown, or its value cannot be read.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    for options in PipelineOptions.__subclasses__():
        options._add_argparse_args(parser)
    try:
        _, unknown = parser.parse_known_args(list(flags))
    except argparse.ArgumentError as error:
        raise UserError(f"Beam cannot read {' '.join(flags)!r}: {error}. Correct it.") from None
    if unknown:
        raise UserError(f"neither textgen nor Beam knows {unknown[0]!r}. See `textgen prepare --help`.")


def start(flags: Sequence[str], *, input_bytes: int) -> Engine:
    """The engine that Beam's flags name.

    Without `--runner` it is Beam's embedded engine, made here and not by way of `DirectRunner`, which would first
    try to download another one. `--direct_num_workers` and `--direct_running_mode` choose its workers. They
    are threads, which share one TensorFlow and start at once: the work is in graph and array operations, which let
    other threads run.
    """
    _limit_arenas()
    options = PipelineOptions(list(flags))
    runner = options.view_as(StandardOptions).runner
    if runner:
        return Engine(beam.Pipeline(options=options), runner, noisy=False)
    direct = options.view_as(DirectOptions)
    if not _given("--direct_num_workers", flags) and input_bytes >= PARALLEL_FROM_BYTES:
        direct.direct_num_workers = os.cpu_count() or 1
    if not _given("--direct_running_mode", flags) and direct.direct_num_workers != 1:
        direct.direct_running_mode = "multi_threading"
    workers, mode = direct.direct_num_workers, direct.direct_running_mode
    name = f"Beam's embedded engine, {workers} worker{'s' * (workers != 1)}, {mode}"
    noisy = mode == "multi_processing" and not _given("--default_sdk_harness_log_level", flags)
    environment = None
    if mode == "multi_threading":
        environment = EmbeddedPythonGrpcEnvironment(data_buffer_time_limit_ms=_NEVER)
        # The mode by its name would put Beam's own environment in place of ours.
        direct.direct_running_mode = "in_memory"
    return Engine(beam.Pipeline(runner=FnApiRunner(environment), options=options), name, noisy)


def _limit_arenas() -> None:
    """Has glibc's allocator keep fewer pools of freed memory, which threads that pass strings on fill without end."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt:
        mallopt(_M_ARENA_MAX, _ARENAS)


def _given(option: str, flags: Sequence[str]) -> bool:
    return any(flag == option or flag.startswith(option + "=") for flag in flags)


@contextlib.contextmanager
def without_interactive_beam() -> Iterator[None]:
    """Inside the context, Beam builds pipelines in a notebook as it does elsewhere.

    In an IPython kernel it would import Interactive Beam, which needs pandas and more, to rename the steps.
    """
    found = interactive_utils.is_in_ipython
    interactive_utils.is_in_ipython = _never
    try:
        yield
    finally:
        interactive_utils.is_in_ipython = found


def _never() -> bool:
    return False
