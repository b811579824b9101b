import doctest
import errno
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from textgen import system_errors
from textgen.system_errors import (
    describe,
    exit_code,
    naming,
    summary,
    system_error,
    tensorflow_file_errors,
)

FULL = "No space left on device"
UNMAPPED = "failed to map segment from shared object"

WORKER_REPORT = """Traceback (most recent call last):
  File "apache_beam/runners/common.py", line 1, in process
    self._file.write(data)
{error} [while running 'ProcessUnit']

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "apache_beam/runners/worker/sdk_worker.py", line 1, in _execute
    raise new_exn
RuntimeError: {error} [while running 'ProcessUnits/ProcessUnit-ptransform-12']
"""


def _in_worker(error: str) -> RuntimeError:
    return RuntimeError(WORKER_REPORT.format(error=error))


def _in_tf_data(error: Exception) -> Exception:
    def fail() -> None:
        raise error

    mapped = tf.data.Dataset.range(1).map(lambda _: tf.numpy_function(fail, [], tf.int64))
    with pytest.raises(tf.errors.OpError) as raised:
        next(iter(mapped))
    return raised.value


def _of_tensorflow(kind: type[tf.errors.OpError], message: str) -> Exception:
    return kind(None, None, f"{{{{function_node __wrapped__X}}}} {message} [Op:SaveV2]")


TOLD = [
    (OSError(errno.ENOSPC, FULL, "a/b"), 1, f"a/b: {FULL}. Free space on that disk."),
    (OSError(f"[Errno 28] {FULL} [while running 'Units/Do']"), 1, f"{FULL}. Free space on that disk."),
    (RuntimeError(f"OSError: [Errno 28] {FULL}: 'it\\'s' [while running 'x']"), 1, f"it's: {FULL}. Free space on "),
    (_in_worker(f"OSError: [Errno 28] {FULL}: 'a/b'"), 1, f"a/b: {FULL}. "),
    (_in_worker("OSError: [Errno 122] Disk quota exceeded: 'a/b'"), 1, "a/b: Disk quota exceeded. Free space, or "),
    (_in_worker("PermissionError: [Errno 13] Permission denied: 'a/b'"), 2, "a/b: Permission denied. Change its "),
    (_in_worker("FileNotFoundError: [Errno 2] No such file or directory: 'a' -> 'b'"), 2, "a: No such file or "),
    (_in_worker("OSError: [Errno 24] Too many open files: 'a/b'"), 1, "a/b: Too many open files. Raise the limit"),
    (_in_worker("ConnectionResetError: [Errno 104] Connection reset by peer"), 1, "Connection reset by peer."),
    (_in_worker("MemoryError"), 1, "out of memory."),
    (_in_worker("numpy._core._exceptions._ArrayMemoryError: Unable to allocate 8 EiB"), 1, "out of memory: Unable "),
    (_in_worker("ModuleNotFoundError: No module named 's3fs'"), 2, "a package cannot be imported: No module named "),
    (
        _in_worker("tensorflow.python.framework.errors_impl.ResourceExhaustedError: {{function_node x}} OOM when"),
        1,
        "out of memory: OOM when.",
    ),
    (OSError(errno.EROFS, "Read-only file system", "a"), 2, "a: Read-only file system. Name a path that can be "),
    (IsADirectoryError(errno.EISDIR, "Is a directory", "a"), 2, "a: Is a directory."),
    (BrokenPipeError(errno.EPIPE, "Broken pipe"), 1, "Broken pipe."),
    (TimeoutError("timed out"), 1, "timed out."),
    (MemoryError(), 1, "out of memory."),
    (OSError(errno.ENOMEM, "Cannot allocate memory"), 1, "out of memory: Cannot allocate memory."),
    (_in_worker("OSError: [Errno 12] Cannot allocate memory: 'a'"), 1, "out of memory: Cannot allocate memory."),
    (ImportError(f"libx.so: {UNMAPPED}"), 1, f"out of memory: {UNMAPPED}."),
    (_of_tensorflow(tf.errors.NotFoundError, f"a/b.so: {UNMAPPED}"), 1, f"out of memory: {UNMAPPED}."),
    (_of_tensorflow(tf.errors.InternalError, "std::bad_alloc"), 1, "out of memory: std::bad_alloc."),
    (RuntimeError("can't start new thread"), 1, "out of memory: can't start new thread."),
    (FileNotFoundError(errno.ENOENT, "No such file or directory", "std::bad_alloc"), 2, "std::bad_alloc: No such "),
    (ImportError("cannot import name 'x'"), 2, "a package cannot be imported: cannot import name 'x'. Install "),
    (
        _of_tensorflow(
            tf.errors.ResourceExhaustedError,
            f"r/last/ckpt-20_temp/part-00000-of-00001.data-00000-of-00001.tempstate15; {FULL}",
        ),
        1,
        f"r/last/ckpt-20: {FULL}. Free space on that disk.",
    ),
    (_of_tensorflow(tf.errors.ResourceExhaustedError, "OOM when allocating tensor with shape[9]"), 1, "out of memor"),
    (
        _of_tensorflow(tf.errors.PermissionDeniedError, "r/ckpt-1_temp; Permission denied"),
        2,
        "r/ckpt-1: Permission ",
    ),
    (_of_tensorflow(tf.errors.NotFoundError, "r/a; No such file or directory"), 2, "r/a: No such file or directory."),
    (_of_tensorflow(tf.errors.FailedPreconditionError, "r/a is not a directory"), 2, "r/a: Not a directory."),
    (_of_tensorflow(tf.errors.UnknownError, "r/a; Input/output error"), 1, "r/a: Input/output error."),
    (_of_tensorflow(tf.errors.DataLossError, "corrupted record at 12"), 1, "corrupted record at 12."),
    (_of_tensorflow(tf.errors.UnavailableError, "failed to connect to all addresses"), 1, "failed to connect to all"),
    (_of_tensorflow(tf.errors.DeadlineExceededError, "Barrier timed out"), 1, "Barrier timed out."),
]


@pytest.mark.parametrize(("error", "code", "line"), TOLD, ids=range(len(TOLD)))
def test_an_error_of_the_machine_is_described_in_one_line_with_its_exit_code(error, code, line):
    found = system_error(error)
    assert describe(found).startswith(line)
    assert "\n" not in describe(found)
    assert "while running" not in describe(found)
    assert exit_code(found) == code


@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, FULL, "/a/b"), FileNotFoundError(errno.ENOENT, "No such file or directory", "/a")],
)
def test_an_error_keeps_its_class_number_and_file_through_tf_data(error):
    found = system_error(_in_tf_data(error))
    assert type(found) is type(error)
    assert (found.errno, found.filename) == (error.errno, error.filename)


def test_exhausted_memory_is_known_in_tf_data_and_in_tensorflow():
    assert isinstance(system_error(_in_tf_data(MemoryError("Unable to allocate"))), MemoryError)
    with pytest.raises(tf.errors.ResourceExhaustedError) as raised:
        tf.zeros([1 << 20, 1 << 22])
    assert isinstance(system_error(raised.value), MemoryError)
    with pytest.raises(MemoryError) as of_numpy:
        np.zeros(1 << 55)
    assert describe(system_error(of_numpy.value)).startswith("out of memory: Unable to allocate")


def test_the_cause_of_an_error_counts():
    error = RuntimeError("failed")
    error.__cause__ = OSError(errno.ENOSPC, FULL)
    assert system_error(error) is error.__cause__


@pytest.mark.parametrize(
    "error",
    [
        KeyError("x"),
        ValueError("OSError: x"),
        RuntimeError(),
        RuntimeError("Traceback (most recent call last):\nOSError: x\nKeyError: 'x'"),
        _of_tensorflow(tf.errors.NotFoundError, "Op type not registered"),
        _of_tensorflow(tf.errors.InvalidArgumentError, "shapes differ"),
    ],
)
def test_a_mistake_of_the_program_is_no_error_of_the_machine(error):
    assert system_error(error) is None


def test_a_summary_names_the_place_in_the_program():
    with pytest.raises(AttributeError) as raised:
        describe(KeyError("x"))
    assert summary(raised.value).startswith("AttributeError: 'KeyError' object has no attribute")
    assert " (textgen/system_errors.py:" in summary(raised.value)


def test_a_summary_of_a_report_with_a_traceback_is_its_last_exception():
    assert summary(_in_worker("KeyError: 'x'")) == "KeyError: 'x'"
    assert len(summary(ValueError("x" * 10_000))) < 400


def test_a_file_is_named_where_writing_names_none(tmp_path: Path):
    full = Path("/dev/full")
    with pytest.raises(OSError, match=f"{FULL}: '/dev/full'") as raised, naming(full), full.open("wb") as file:
        file.write(b"x")
    assert raised.value.errno == errno.ENOSPC
    assert str(pickle.loads(pickle.dumps(raised.value))) == str(raised.value)
    with pytest.raises(FileNotFoundError, match="theirs"), naming(tmp_path / "ours"):
        (tmp_path / "theirs").read_bytes()


def test_the_text_of_arrow_is_replaced_by_that_of_the_system():
    with pytest.raises(OSError, match=rf"^\[Errno 28\] {FULL}: 'a'$"), naming("a"):
        raise OSError(errno.ENOSPC, f"Error writing bytes to file. Detail: [errno 28] {FULL}")


def test_what_tensorflow_cannot_write_is_an_os_error(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError) as raised, tensorflow_file_errors():
        tf.train.Checkpoint(a=tf.Variable(1)).write(str(tmp_path / "file" / "ckpt-1"))
    assert raised.value.filename == str(tmp_path / "file")
    with pytest.raises(tf.errors.InvalidArgumentError), tensorflow_file_errors():
        tf.reshape(tf.zeros([2]), [3])


def test_every_number_of_the_system_is_told_alike_by_python_and_tensorflow():
    # Without memory it is a MemoryError.
    for number in set(errno.errorcode) - {errno.ENOMEM}:
        text = os.strerror(number)
        error = system_error(_of_tensorflow(tf.errors.UnknownError, f"r/a; {text}"))
        assert os.strerror(error.errno) == text


def test_the_examples_in_the_docstrings_hold():
    result = doctest.testmod(system_errors)
    assert result.attempted
    assert not result.failed
