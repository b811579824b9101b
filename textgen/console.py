"""Shows progress messages and bars on standard error; standard output is reserved for results."""

import contextlib
import io
import json
import logging
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, TextIO

from tqdm import tqdm

from textgen.standard_streams import safe_stream

_LINES = "\n\t"

_UNPRINTABLE = re.compile(
    # C0, DEL and C1; Arabic letter mark; zero-width space and marks of direction; line and paragraph separators,
    # embeddings and overrides of direction; invisible operators and isolates; byte order mark; annotations;
    # lone surrogates; invisible tags. Joiners (U+200C, U+200D) stay, since scripts and emoji need them.
    "[\x00-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U0001d173-\U0001d17a\U000e0000-\U000e007f]"
)


def printable(text: str, *, keep: str = "") -> str:
    r"""Returns a text that cannot act on a terminal: characters that do not print are shown as Python escapes.

    These are control characters, escapes of terminals, lone surrogates, and invisible characters such as those that
    change the direction of writing. Every text of a dataset, run, corpus or file name passes through here on its way
    to a terminal or to an error. A text that has passed once does not change when it passes again.

    Args:
        text: any text.
        keep: characters that stay as they are, such as newlines in text of several lines.

    >>> printable("a\x1b[2J\nb")
    'a\\x1b[2J\\nb'
    """
    return _UNPRINTABLE.sub(lambda c: c[0] if c[0] in keep else ascii(c[0])[1:-1], text)


def replace_unprintable(text: str) -> str:
    """Returns a text with one question mark for each character that does not print, for names and samples in errors.

    >>> replace_unprintable("a\\x1b[2J")
    'a?[2J'
    """
    return "".join(c if c.isprintable() else "?" for c in text.encode(errors="replace").decode())


def excerpt(text: str, max_characters: int) -> str:
    """Returns the start of a text in one line, without characters that do not print.

    >>> excerpt("one\\n\\ntwo three", 9)
    'one two…'
    """
    line = replace_unprintable(" ".join(text.split()))
    return line if len(line) <= max_characters else line[: max_characters - 1].rstrip() + "…"


def printable_json(text: str) -> str:
    """Returns JSON with the same values, in which characters that do not print are JSON escapes; newlines stay."""
    return _UNPRINTABLE.sub(lambda c: c[0] if c[0] in _LINES else _json_escape(c[0]), text)


def _json_escape(character: str) -> str:
    # JSON leaves DEL as it is.
    return "\\u007f" if character == "\x7f" else json.dumps(character)[1:-1]


def say(message: str) -> None:
    """Writes a progress message to standard error, above any open bar; see `printable`."""
    tqdm.write(printable(message, keep=_LINES), file=sys.stderr)


def show(result: str) -> None:
    """Writes a result, with a line end, to standard output; see `printable`."""
    print(printable(result, keep=_LINES))


def show_part(text: str) -> None:
    """Writes a part of a result to standard output at once, without a line end; see `printable`."""
    print(printable(text, keep=_LINES), end="", flush=True)


def bar(
    total: float,
    title: str,
    unit: str,
    *,
    stream: TextIO | None = None,
    initial: float = 0,
    bar_format: str | None = None,
) -> "tqdm[Any]":
    """Returns a progress bar with rate and remaining time.

    Args:
        total: number of units of the whole work.
        title: text before the bar.
        unit: unit of progress, such as "B".
        stream: stream to write to; None for standard error. The bar is updated every 15 s if it is not a terminal.
        initial: number of units that are already done.
        bar_format: format of the line, see `tqdm`; None for tqdm's own.
    """
    stream = stream or sys.stderr
    # The stream of a notebook is no terminal, but shows text that rewrites its line as a terminal does.
    in_notebook = type(stream).__module__.startswith("ipykernel.")
    often = 0.1 if stream.isatty() else 0.5 if in_notebook else 15.0
    return tqdm(
        total=total, desc=printable(title), unit=unit, unit_scale=True, file=stream, initial=initial,
        mininterval=often, dynamic_ncols=True, smoothing=0.1, bar_format=bar_format,
    )  # fmt: skip


@contextlib.contextmanager
def hushed() -> Iterator[TextIO]:
    """Discards what native code and child processes write to standard error; yields the real stream.

    TensorFlow's libraries log before they read any setting that would stop them, and Beam's workers log to the
    inherited stream.
    """
    sys.stderr.flush()
    number = os.dup(2)
    terminal = safe_stream(number, like=sys.stderr)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    try:
        yield terminal
    finally:
        terminal.flush()
        sys.stderr.flush()
        os.dup2(number, 2)
        os.close(number)


@contextlib.contextmanager
def quiet_logging() -> Iterator[None]:
    """Discards warnings that libraries log while they are imported, as Beam does for missing drivers."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


@contextlib.contextmanager
def without_tracebacks(is_hidden: Callable[[BaseException], bool], *, logger: str) -> Iterator[None]:
    """Discards what a library logs or prints about some exceptions inside the context.

    Args:
        is_hidden: returns whether reports of an exception are discarded. Where only a traceback's text is known, it
            is called with an exception whose message is that text.
        logger: name of the library's logger, whose records and those of its children are discarded.
    """

    def is_shown(record: logging.LogRecord) -> bool:
        error = (record.exc_info or (None, None))[1] or Exception(record.getMessage())
        return not (record.name.split(".")[0] == logger and is_hidden(error))

    handlers = [handler for handler in (*logging.root.handlers, logging.lastResort) if handler]
    for handler in handlers:
        handler.addFilter(is_shown)
    try:
        with contextlib.redirect_stderr(_WithoutTracebacks(sys.stderr, is_hidden)):
            yield
    finally:
        for handler in handlers:
            handler.removeFilter(is_shown)


class _WithoutTracebacks(io.TextIOBase):
    """Writes to another stream, except tracebacks of some exceptions and the line end after each."""

    def __init__(self, stream: TextIO, is_hidden: Callable[[BaseException], bool]):
        self._stream, self._is_hidden, self._has_hidden = stream, is_hidden, False

    def write(self, text: str) -> int:
        """Writes a text, or discards it."""
        is_end = self._has_hidden and text == "\n"
        self._has_hidden = text.startswith("Traceback ") and self._is_hidden(Exception(text))
        if not (is_end or self._has_hidden):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        self._stream.flush()

    def fileno(self) -> int:
        return self._stream.fileno()

    def isatty(self) -> bool:
        return self._stream.isatty()


_TENSORFLOW_LOCK = threading.RLock()
_when_imported = list[Callable[[], object]]()


def when_tensorflow_is_imported(call: Callable[[], object]) -> None:
    """Calls a function, now if TensorFlow is imported already, or as soon as `import_tensorflow` has imported it."""
    with _TENSORFLOW_LOCK:
        if "tensorflow" in sys.modules:
            call()
        elif call not in _when_imported:
            _when_imported.append(call)


def import_tensorflow(*, plots: bool = True) -> None:
    """Imports TensorFlow and TensorFlow Text without their start-up messages.

    Args:
        plots: whether Keras may import Matplotlib for its galleries of images, which takes half a second.
    """
    # Other threads wait, so that none uses it before what must be set first is set.
    with _TENSORFLOW_LOCK, contextlib.nullcontext() if plots else _without("matplotlib"):
        _import_tensorflow()
        while _when_imported:
            _when_imported.pop()()


@contextlib.contextmanager
def _without(package: str) -> Iterator[None]:
    """Inside the context, a package that is not imported yet counts as not installed."""
    if package in sys.modules:
        yield
        return
    sys.modules[package] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[package]


def _import_tensorflow() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if "tensorflow" in sys.modules and "tensorflow_text" in sys.modules:
        return
    with hushed():
        import tensorflow
        import tensorflow_text  # noqa: F401

        tensorflow.get_logger().setLevel("ERROR")
