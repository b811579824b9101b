"""Callback that writes event files for TensorBoard; show them with `tensorboard --logdir RUN`."""

import contextlib
import errno
import functools
import os
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import google_crc32c
import tensorflow as tf
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from textgen.errors import one_line
from textgen.files import temporary_name, write_atomically
from textgen.regular_files import open_regular, unusual
from textgen.system_errors import tensorflow_file_errors
from textgen.training.callbacks import Callback, Check, Progress
from textgen.training.damaged_files import DamagedFileError, read_or_set_aside, set_aside
from textgen.training.metrics import perplexity

EVENTS_FOLDER = "tensorboard"
"""Name of the folder of event files in that of a run."""

EVENTS, PROBE = "events", "probe"
"""Names of files that are not finished, before `temporary_name` makes them unique."""

_PROBE_BYTES = 1 << 16
"""Size of a file that is written to learn why events can't be; TensorFlow does not say why."""

_HEADER, _FOOTER_BYTES = struct.Struct("<QI"), 4
"""Length and its checksum before the bytes of a record, and their checksum after them."""


class TensorBoard(Callback):
    """Writes the scalars and samples of a run."""

    def __init__(self, directory: Path, *, until_step: int = 0, seconds_between: float = 10.0):
        """Opens a new event file in the folder, and removes events after a step from existing files.

        Args:
            directory: folder of the event files.
            until_step: last step whose events are kept.
            seconds_between: minimum time between two points that `on_progress` writes, in seconds.
        """
        kind = unusual(directory)
        if kind not in ("", "a folder") or (not kind and directory.exists()):
            set_aside(directory, f"{directory} is {kind or 'a file'}, not a folder", step=until_step)
        for path in sorted(directory.glob("events.out.tfevents.*")):
            _keep_until(until_step, path)
        self._directory = directory
        with tensorflow_file_errors():
            self._writer = tf.summary.create_file_writer(str(directory))
        self._at, self._seconds_between = time.monotonic(), seconds_between

    def on_progress(self, progress: Progress) -> None:
        """Writes the loss since the last check and the learning rate, at most once per `seconds_between`."""
        step, sums = progress.step, progress.sums
        if time.monotonic() - self._at >= self._seconds_between and sums.pairs:
            self._at = time.monotonic()
            with self._writing(step):
                tf.summary.scalar("training/loss_since_check", sums.mean_loss)
                tf.summary.scalar("training/learning_rate", progress.learning_rate)

    def on_check(self, check: Check) -> None:
        """Writes all metrics and the sample.

        Raises:
            OSError: the event file can't be written.
        """
        row, sample = check.row, check.sample
        self._at = time.monotonic()
        scalars = {
            "training/loss": row.loss,
            "training/accuracy": row.accuracy,
            "training/perplexity": perplexity(row.loss),
            "training/learning_rate": row.learning_rate,
            "training/gradient_norm": row.gradient_norm,
            "validation/loss": row.validation_loss,
            "validation/accuracy": row.validation_accuracy,
            "validation/perplexity": None if row.validation_loss is None else perplexity(row.validation_loss),
            "validation/bits_per_character": row.validation_bits_per_character,
            "speed/pairs_per_second": row.pairs_per_second,
            "speed/waited": row.waited,
        }
        with self._writing(row.step):
            for name, value in scalars.items():
                if value is not None:
                    tf.summary.scalar(name, value)
            # TensorBoard renders Markdown, where a line indented by four spaces is shown unchanged.
            tf.summary.text("sample", "    " + sample.replace("\n", "\n    "))

    @contextlib.contextmanager
    def _writing(self, step: int) -> Iterator[None]:
        """Inside the context, events of a step are written; raises the OSError that TensorFlow's writer discards."""
        before = self._size()
        with self._writer.as_default(step):
            yield
        self._writer.flush()
        if self._size() > before:
            return
        probe = self._directory / temporary_name(PROBE)
        try:
            probe.write_bytes(bytes(_PROBE_BYTES))
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self._directory)) from error
        finally:
            probe.unlink(missing_ok=True)
        raise OSError(errno.EIO, "TensorFlow could not write its events", str(self._directory))

    def _size(self) -> int:
        return sum(path.stat().st_size for path in self._directory.glob("events.out.tfevents.*"))


def _keep_until(step: int, path: Path) -> None:
    """Rewrites an event file with only its events up to a step; a damaged file is set aside."""
    kept = read_or_set_aside(path, functools.partial(_events_until, step), empty=None, step=step)
    if kept is None:
        return
    # The name is not that of an event file, so TensorBoard ignores it if the process is killed here.
    temporary = path.with_name(temporary_name(EVENTS))
    with tensorflow_file_errors(), tf.io.TFRecordWriter(str(temporary)) as writer:
        for record in kept:
            writer.write(record)
    write_atomically(path, temporary)


def _events_until(step: int, path: Path) -> list[bytes] | None:
    """Returns the events up to a step as they are stored; raises UserError if one is damaged."""
    kept = []
    try:
        # TensorFlow would reserve memory for whatever length a record claims.
        count = _count_complete(path)
        for record in tf.data.TFRecordDataset(str(path)).take(count).as_numpy_iterator():
            if tf.compat.v1.Event.FromString(record).step <= step:
                kept.append(record)
    except (tf.errors.OpError, DecodeError) as error:
        raise DamagedFileError(f"{path} is damaged: {one_line(error)}") from None
    return kept


def _count_complete(path: Path) -> int:
    """Returns the number of complete records in a file; the last one may be cut off, where a process was killed."""
    count, start = 0, 0
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        while start + _HEADER.size + _FOOTER_BYTES <= size:
            header = file.read(_HEADER.size)
            length, checksum = _HEADER.unpack(header)
            if checksum != _masked_checksum(header[:8]):
                raise DamagedFileError(f"{path} is damaged: the length of event {count + 1:,} has another checksum")
            start += _HEADER.size + length + _FOOTER_BYTES
            if start > size:
                break
            file.seek(start)
            count += 1
    return count


def _masked_checksum(content: bytes) -> int:
    """Returns the checksum of the TFRecord format: https://www.tensorflow.org/tutorials/load_data/tfrecord."""
    crc = google_crc32c.value(content)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
