"""Makes writing to standard output and standard error safe, whatever they are connected to.

A terminal or pipe may know ASCII alone, be closed, be full, or have a reader that goes away. None of these may end
work that takes hours: characters that a stream cannot show are escaped, and what cannot be written is discarded and
remembered.
"""

import codecs
import contextlib
import errno
import io
import os
import select
import sys
from collections.abc import Iterator
from typing import Any, TextIO

_ESCAPED = "textgen.escaped"
_NUMBERS = {"stdout": 1, "stderr": 2}
_NAMES = {1: "standard output", 2: "standard error"}


class _SafeFile(io.RawIOBase):
    """Writes to an open file descriptor; after a failure, what is written is discarded.

    Attributes:
        failure: error of the first write that failed, None if none did. A reader that went away is no failure.
    """

    def __init__(self, number: int):
        self._number, self._is_lost = number, False
        self.failure: OSError | None = None

    def write(self, data: Any) -> int:
        """Writes bytes, and returns how many were written or discarded."""
        while not self._is_lost:
            try:
                return os.write(self._number, data)
            except BlockingIOError:
                select.select([], [self._number], [])
            except OSError as error:
                self._is_lost = True
                if error.errno != errno.EPIPE:
                    self.failure = OSError(error.errno, os.strerror(error.errno or 0), _NAMES.get(self._number))
        return memoryview(data).nbytes

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._number

    def isatty(self) -> bool:
        return os.isatty(self._number)


class SafeStreams:
    """Standard output and standard error that never fail."""

    def __init__(self) -> None:
        self._output: _SafeFile | None = None

    @property
    def failure(self) -> OSError | None:
        """Error because of which standard output lacks some of what was written to it; None if it has all."""
        return self._output.failure if self._output else None

    def open(self, name: str) -> TextIO:
        """Returns a safe stream in place of `sys.stdout` or `sys.stderr`, or that itself if it is not the process's.

        Args:
            name: "stdout" or "stderr".
        """
        before, original = getattr(sys, name), getattr(sys, f"__{name}__")
        if before is not None and (before is not original or not _is_of(before, _NUMBERS[name])):
            return before
        if before is not None:
            before.flush()
        stream = safe_stream(_NUMBERS[name], like=before)
        if name == "stdout":
            self._output = stream.buffer.raw  # type: ignore[attr-defined]
        return stream


def safe_stream(number: int, *, like: TextIO | None = None) -> io.TextIOWrapper:
    """Returns a text stream that never fails.

    Args:
        number: its open file descriptor.
        like: stream whose encoding and buffering it has; None for UTF-8, flushed at line ends.
    """
    codecs.register_error(_ESCAPED, _escape)
    return io.TextIOWrapper(
        io.BufferedWriter(_SafeFile(number)),
        encoding=getattr(like, "encoding", None) or "utf-8",
        errors=_ESCAPED,
        line_buffering=getattr(like, "line_buffering", True),
        write_through=getattr(like, "write_through", False),
    )


@contextlib.contextmanager
def safe_streams() -> Iterator[SafeStreams]:
    """Inside the context, `sys.stdout` and `sys.stderr` never fail; closed ones are opened, and discard all."""
    open_closed_descriptors()
    before = sys.stdout, sys.stderr
    streams = SafeStreams()
    sys.stdout, sys.stderr = streams.open("stdout"), streams.open("stderr")
    try:
        yield streams
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        sys.stdout, sys.stderr = before


def open_closed_descriptors() -> None:
    """Connects closed standard descriptors to nothing, so that no other file gets their numbers."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number is taken.
            os.open(os.devnull, os.O_RDWR)


def _is_of(stream: TextIO, number: int) -> bool:
    try:
        return isinstance(stream, io.TextIOWrapper) and stream.fileno() == number
    except (OSError, ValueError):
        return False


def _escape(error: UnicodeError) -> tuple[str, int]:
    r"""Replaces characters that an encoding lacks by escapes that are valid in JSON too, such as `\u2192`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2)), error.end
