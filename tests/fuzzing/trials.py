"""Tries single cases within bounds of time and memory, and makes a failing case smaller."""

import contextlib
import io
import resource
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from tests.fuzzing.cases import Case
from tests.fuzzing.checks import Refused, ViolationError, check_case
from textgen.corpus.compression import open_decompressed
from textgen.corpus.detection import read_head
from textgen.corpus.readers.base import InputFile, ReadOptions, TableOptions
from textgen.errors import UserError

CASE_SECONDS = 20.0
"""Maximum processor time of a case."""

MEMORY_BYTES = 400 << 20
"""Maximum memory that a case takes beyond what the process has."""

_MAX_BYTES = 1 << 20
_ADDRESS_BYTES = 3 << 30
_ROOT = str(Path(__file__).parents[2])


class Failure(NamedTuple):
    """A case in which a property does not hold.

    Attributes:
        kind: what is wrong, equal for cases with the same cause.
        details: a longer description.
    """

    kind: str
    details: str


def try_case(case: Case) -> Failure | str:
    """Checks a case.

    Returns:
        The failure; or "read" or "refused".
    """
    _reset_peak()
    before = _peak()
    try:
        with _limited_time():
            outcome = check_case(case)
    except ViolationError as violation:
        name, details = violation.args
        return Failure(f"{name} ({case.format})", details)
    except _TimeOutError:
        return Failure(f"takes more than {CASE_SECONDS:g} seconds ({case.format})", traceback.format_exc())
    except Exception as error:
        return Failure(_place(error), traceback.format_exc())
    used = _peak() - before
    if used > MEMORY_BYTES:
        return Failure(f"takes too much memory ({case.format})", f"{used >> 20} MB")
    return "refused" if isinstance(outcome, Refused) else "read"


def limit_memory() -> None:
    """Lets allocations of this process fail beyond a bound."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + _ADDRESS_BYTES, resource.RLIM_INFINITY))


def shrunk(case: Case, fails: Callable[[Case], bool], *, seconds: float = 8.0) -> Case:
    """Returns a smaller case that fails too.

    Args:
        case: a case that fails.
        fails: returns whether a case fails in the same way.
        seconds: maximum time to search.
    """
    end = time.monotonic() + seconds
    progress = True
    while progress and time.monotonic() < end:
        progress = False
        for smaller in _smaller(case):
            if time.monotonic() > end:
                break
            if smaller != case and fails(smaller):
                case, progress = smaller, True
                break
    return case


def _smaller(case: Case) -> Iterator[Case]:
    if case.documents is not None:
        yield case._replace(documents=None)
        return
    if content := _decompressed(case):
        yield case._replace(content=content, path="a")
    if len(case.divisions) > 1:
        yield from (case._replace(divisions=(division,)) for division in case.divisions)
    usual = ReadOptions(text_field=case.options.text_field)
    yield case._replace(options=usual)
    for name, value in TableOptions()._asdict().items():
        yield case._replace(options=case.options._replace(tables=case.options.tables._replace(**{name: value})))
    yield case._replace(encoding="utf-8")
    size = len(case.content)
    step = size // 2
    while step:
        for start in range(0, size, step):
            yield case._replace(content=case.content[:start] + case.content[start + step :])
        step //= 2 if size // step < 64 else 8  # noqa: PLR2004 - Long contents need few attempts.
    for i, byte in enumerate(case.content[:100]):
        if byte not in b'a\n",':
            yield case._replace(content=case.content[:i] + b"a" + case.content[i + 1 :])


def _decompressed(case: Case) -> bytes:
    """Returns the content of a compressed file; nothing for any other."""
    try:
        compression = read_head(case.path, lambda _, size: case.content[:size]).compression
        file = InputFile(case.path, len(case.content), 0.0, "document", compression)
        return open_decompressed(file, lambda _: io.BytesIO(case.content)).read(_MAX_BYTES) if compression else b""
    except UserError:
        return b""


class _TimeOutError(Exception):
    """A case takes too long."""


@contextlib.contextmanager
def _limited_time() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise _TimeOutError

    former = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, CASE_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, former)


def _place(error: BaseException) -> str:
    """Returns the type of an exception and where in the package it comes from."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(_ROOT)]
    frame = frames[-1]
    return f"{type(error).__name__} in {frame.filename.removeprefix(_ROOT + '/')}, {frame.name}"


def _peak() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))


def _reset_peak() -> None:
    # https://man7.org/linux/man-pages/man5/proc_pid_clear_refs.5.html
    Path("/proc/self/clear_refs").write_text("5")
