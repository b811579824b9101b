"""Callback that writes event files for TensorBoard; show them with `tensorboard --logdir RUN`."""

import time
from pathlib import Path

import tensorflow as tf

from textgen.files import write_atomically
from textgen.training.callbacks import Callback, Check, Progress
from textgen.training.metrics import perplexity


class TensorBoard(Callback):
    """Writes the scalars and samples of a run."""

    def __init__(self, directory: Path, *, until_step: int = 0, seconds_between: float = 10.0):
        """Opens a new event file in the folder, and removes events after a step from existing files.

        Args:
            directory: folder of the event files.
            until_step: last step whose events are kept.
            seconds_between: minimum time between two points that `on_progress` writes, in seconds.
        """
        for path in directory.glob("events.out.tfevents.*"):
            _keep_until(until_step, path)
        self._writer = tf.summary.create_file_writer(str(directory))
        self._at, self._seconds_between = time.monotonic(), seconds_between

    def on_progress(self, progress: Progress) -> None:
        """Writes the loss since the last check and the learning rate, at most once per `seconds_between`."""
        step, sums = progress.step, progress.sums
        if time.monotonic() - self._at >= self._seconds_between and sums.pairs:
            self._at = time.monotonic()
            with self._writer.as_default(step):
                tf.summary.scalar("training/loss_since_check", sums.mean_loss)
                tf.summary.scalar("training/learning_rate", progress.learning_rate)

    def on_check(self, check: Check) -> None:
        """Writes all metrics and the sample."""
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
        with self._writer.as_default(row.step):
            for name, value in scalars.items():
                if value is not None:
                    tf.summary.scalar(name, value)
            # TensorBoard renders Markdown, where a line indented by four spaces is shown unchanged.
            tf.summary.text("sample", "    " + sample.replace("\n", "\n    "))
        self._writer.flush()


def _keep_until(step: int, path: Path) -> None:
    """Rewrites an event file with only its events up to a step."""
    kept = []
    try:
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            if tf.compat.v1.Event.FromString(record).step <= step:
                kept.append(record)
    except tf.errors.DataLossError:
        pass  # A killed process may leave an incomplete last record.
    # The name is not that of an event file, so TensorBoard ignores it if the process is killed here.
    temporary = path.with_name("kept.tmp")
    with tf.io.TFRecordWriter(str(temporary)) as writer:
        for record in kept:
            writer.write(record)
    write_atomically(path, temporary)
