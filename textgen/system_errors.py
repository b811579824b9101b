"""Recovers the error of the machine behind an exception of a framework, and describes it in one line.

A full disk, a lost connection or exhausted memory may strike in a worker of Beam, in a thread of tf.data or in
TensorFlow's writer of checkpoints, each of which reports it in an exception of its own. Here all of them become the
OSError, MemoryError or ImportError that the same cause raises in plain Python.
"""

import ast
import builtins
import contextlib
import errno
import os
import re
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

from textgen.errors import one_line

MachineError: TypeAlias = OSError | MemoryError | ImportError
"""An error whose cause is outside of this program."""

_STEP = " [while running "
"""Beam adds this, and the name of a step, to the message of an exception."""

_PROGRAM = Path(__file__).parents[1]
_MAX_CHARACTERS = 300

_OS_ERRORS: dict[str, type[OSError]] = {
    name: kind for name, kind in vars(builtins).items() if isinstance(kind, type) and issubclass(kind, OSError)
}
_MEMORY_ERRORS = ("MemoryError", "_ArrayMemoryError", "ArrowMemoryError")
_NO_MEMORY = re.compile(
    r"failed to map segment from shared object|Cannot allocate memory|std::bad_alloc|can't start new thread"
)
"""What the system says in exceptions of other kinds when it has no memory to give."""

_IMPORT_ERRORS: dict[str, type[ImportError]] = {
    "ImportError": ImportError,
    "ModuleNotFoundError": ModuleNotFoundError,
}

_TENSORFLOW_ERRORS: dict[str, type[OSError] | type[MemoryError] | None] = {
    "ResourceExhaustedError": MemoryError,
    "PermissionDeniedError": PermissionError,
    "UnavailableError": ConnectionError,
    "DeadlineExceededError": TimeoutError,
    "DataLossError": OSError,
    # Only a few messages of these name an error of the operating system.
    **dict.fromkeys(
        ("NotFoundError", "AlreadyExistsError", "FailedPreconditionError", "UnknownError", "InternalError",
         "AbortedError", "CancelledError", "OutOfRangeError", "InvalidArgumentError", "UnimplementedError")
    ),
}  # fmt: skip
"""TensorFlow's errors by name, with the error that stands for one whose message has no text of the system."""

_NUMBERS = {os.strerror(number): number for number in errno.errorcode}
_STRERRORS = "|".join(re.escape(text) for text in sorted(_NUMBERS, key=len, reverse=True))
_OF_SYSTEM = re.compile(rf"(?:^|\}}\}} |\n)([^;\n]*); ({_STRERRORS})\b")
"""TensorFlow's form of an error of the operating system: a path or action, and the system's text."""

_EXCEPTION = re.compile(
    r"^(?:RuntimeError: )*(?:[A-Za-z_][\w.]*\.)?([A-Z_]\w*(?:Error|Exception|Exit|Interrupt|Iteration))"
    r"(?:: (.*?))?(?: \[while running .*)?$",
    re.M,
)
"""Line of a traceback that names the exception."""

_NUMBERED = re.compile(r"\[Errno (-?\d+)\] (.*?)(?:: ('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")(?: -> .*)?)?$")
_FRAMEWORK_NOISE = re.compile(r"\{\{[^}]*\}\} ?|\s*\[Op:\w+\].*|\s*\[\[.*|\s*\[while running .*", re.S)
_ARROW_DETAIL = re.compile(r"Detail: \[errno (\d+)\]")
_NO_FOLDER = re.compile(r"(?:^|\}\} |\n)([^;\n]*) is not a directory\b")
_CHECKPOINT_TEMPORARY = re.compile(r"_temp(/part-.*)?$")

_BAD_PATHS = {
    errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENOTEMPTY, errno.EACCES, errno.EPERM, errno.EROFS,
    errno.ENAMETOOLONG, errno.ELOOP,
}  # fmt: skip

_REMEDIES = {
    errno.ENOSPC: "Free space on that disk.",
    errno.EDQUOT: "Free space, or have the quota raised.",
    errno.EFBIG: "Raise the limit of the size of files (ulimit -f).",
    errno.EMFILE: "Raise the limit of open files (ulimit -n 4096).",
    errno.ENFILE: "Close other programs, which have too many files open.",
    errno.ENOENT: "Correct the path, or put the file there.",
    errno.EEXIST: "Name another path, or remove what is there.",
    errno.ENOTDIR: "Correct the path; a part of it is a file.",
    errno.EISDIR: "Name a file, not a folder.",
    errno.ENAMETOOLONG: "Use a shorter name.",
    errno.ELOOP: "Correct the links.",
    errno.EACCES: "Change its permissions, or name another path.",
    errno.EPERM: "Change its permissions, or name another path.",
    errno.EROFS: "Name a path that can be written.",
}


def system_error(error: BaseException) -> MachineError | None:
    """Returns the error of the machine that an exception is, was caused by or reports in its message, or None."""
    cause: BaseException | None = error
    while cause is not None:
        found = _system_error(cause)
        if found is not None:
            return found
        cause = cause.__cause__
    return None


def exit_code(error: MachineError) -> int:
    """Returns 2 if the error is that of a path or package that the user can correct, else 1."""
    if isinstance(error, ImportError):
        return 2
    bad_path = isinstance(error, OSError) and (
        error.errno in _BAD_PATHS
        or isinstance(
            error, (FileExistsError, FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError)
        )
    )
    return 2 if bad_path else 1


def describe(error: MachineError) -> str:
    """Returns what happened and to which file, and what to do about it, as sentences on one line.

    >>> describe(OSError(28, "No space left on device", "data/train-000001.tfrecord"))
    'data/train-000001.tfrecord: No space left on device. Free space on that disk.'
    """
    if isinstance(error, MemoryError):
        text = one_line(error)
        return "out of memory" + (f": {text}." if text != type(error).__name__ else ".")
    if isinstance(error, ImportError):
        return f"a package cannot be imported: {one_line(error)}. Install it again."
    remedy = _REMEDIES.get(error.errno or 0, "")
    path = error.filename if error.filename2 is None else error.filename2
    text = one_line(Exception(error.strerror or str(error) or type(error).__name__))
    # The drivers of stores name the URL in most of their messages.
    is_named = path is None or ("://" in str(path) and str(path) in text)
    named = text if is_named else f"{os.fsdecode(path)}: {text}"
    return f"{named}. {remedy}".rstrip()


def summary(error: BaseException) -> str:
    """Returns the class and message of an error, and the line of this program that raised it, on one line.

    Of an error that reports another one with its traceback, it is the other one.
    """
    found = list(_EXCEPTION.finditer(str(error))) if "Traceback (most recent" in str(error) else []
    if found:
        return f"{found[-1][1]}: {one_line(Exception(found[-1][2] or ''))[:_MAX_CHARACTERS]}"
    text = one_line(error)[:_MAX_CHARACTERS]
    name = type(error).__name__
    frames = [
        f" ({Path(frame.filename).relative_to(_PROGRAM)}:{frame.lineno})"
        for frame in traceback.extract_tb(error.__traceback__)
        if any(Path(frame.filename).is_relative_to(_PROGRAM / package) for package in ("textgen", "pipelines"))
    ]
    place = frames[-1] if frames else ""
    return f"{name if text == name else f'{name}: {text}'}{place}"


@contextlib.contextmanager
def naming(path: str | Path) -> Iterator[None]:
    """Inside the context, an OSError that names no file, as those of writing do, is raised with the name of this one.

    Args:
        path: the file.

    Raises:
        OSError: the context raised one.
    """
    try:
        yield
    except OSError as error:
        if error.filename is not None or error.errno is None:
            raise
        raise _numbered(error.errno, error.strerror or "", str(path)) from error


@contextlib.contextmanager
def tensorflow_file_errors() -> Iterator[None]:
    """Inside the context, TensorFlow's errors of files are raised as those of Python.

    Raises:
        OSError: TensorFlow could not read or write a file.
    """
    try:
        yield
    except Exception as error:
        found = system_error(error)
        if isinstance(found, OSError) and found is not error:
            raise found from error
        raise


def _system_error(error: BaseException) -> MachineError | None:
    if isinstance(error, OSError):
        found = _without_step(error)
        return MemoryError(found.strerror) if found.errno == errno.ENOMEM else found
    short = _NO_MEMORY.search(str(error))
    if short and (_is_of_tensorflow(error) or isinstance(error, ImportError | RuntimeError)):
        return MemoryError(short[0])
    if isinstance(error, MemoryError | ImportError):
        text, step, _ = str(error).partition(_STEP)
        return type(error)(text) if step else error
    if _is_of_tensorflow(error):
        return _in_traceback(str(error)) or _of_tensorflow(type(error).__name__, str(error))
    if type(error).__module__.partition(".")[0] == "grpc":
        return ConnectionError(f"the connection to a worker of Beam was lost: {one_line(error)[:200]}")
    # Of what Beam logs and prints, only the text is known.
    is_report = isinstance(error, RuntimeError) or type(error) is Exception
    return _in_traceback(str(error)) if is_report else None


def _is_of_tensorflow(error: BaseException) -> bool:
    return type(error).__module__.partition(".")[0] == "tensorflow"


def _without_step(error: OSError) -> OSError:
    """Returns an OSError without the name of the step that Beam adds to its message."""
    text, step, _ = str(error).partition(_STEP)
    return _parsed(type(error), text) if error.errno is None and step else error


def _in_traceback(text: str) -> MachineError | None:
    """Returns the error that the last exception of a traceback's text is, or None for any other exception."""
    found = list(_EXCEPTION.finditer(text))
    if not found:
        return None
    last = found[-1]
    name, message = last[1], last[2] or ""
    if name in _OS_ERRORS:
        return _parsed(_OS_ERRORS[name], message)
    if name in _MEMORY_ERRORS:
        return MemoryError(message)
    if name in _IMPORT_ERRORS:
        return ImportError(message)
    return _of_tensorflow(name, text[last.start(2) if last[2] else last.end() :])


def _parsed(kind: type[OSError], message: str) -> OSError:
    """Returns the OSError with a message, such as `[Errno 2] No such file or directory: 'a.txt'`."""
    found = _NUMBERED.match(message)
    if not found:
        return kind(message)
    return _numbered(int(found[1]), found[2], ast.literal_eval(found[3]) if found[3] else None)


def _numbered(number: int, text: str, path: str | None) -> OSError:
    # Arrow puts the system's text behind one of its own.
    arrow = _ARROW_DETAIL.search(text)
    text = os.strerror(int(arrow[1])) if arrow else text
    return OSError(number, text) if path is None else OSError(number, text, path)


def _of_tensorflow(name: str, message: str) -> OSError | MemoryError | None:
    """Returns what an error of TensorFlow means, from its class and its message."""
    if name not in _TENSORFLOW_ERRORS:
        return None
    found = _OF_SYSTEM.search(message)
    if found:
        path = _CHECKPOINT_TEMPORARY.sub("", found[1].rpartition("}} ")[2])
        return OSError(_NUMBERS[found[2]], found[2], path)
    found = _NO_FOLDER.search(message)
    if found:
        return OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), found[1].rpartition("}} ")[2])
    kind = _TENSORFLOW_ERRORS[name]
    return None if kind is None else kind(_FRAMEWORK_NOISE.sub("", message).strip())
