"""Pairs served by the usual pipeline of tf.data over files of `tf.train.Example`: read, shuffle, batch, parse.

It reads the shards of our `pairs` layout, in random order and one after the other: reading several at once, by
`num_parallel_reads` or `interleave`, takes longer for records as small as these. Examples are parsed a batch at a
time, which is several times as fast as one at a time, and stay int64 as they are stored.
"""

from pathlib import Path

import serving
import tensorflow as tf

SHUFFLE_BUFFER = 100_000


def main() -> None:
    given = serving.parser().parse_args()
    serving.measure(lambda: dataset(given.data), given.seconds)


def dataset(folder: Path) -> tf.data.Dataset:
    files = tf.data.Dataset.list_files(str(folder / "train-*.tfrecord"), shuffle=True)
    batches = tf.data.TFRecordDataset(files).shuffle(SHUFFLE_BUFFER).repeat().batch(serving.BATCH)
    return batches.map(parse, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def parse(serialized: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    x = tf.io.FixedLenFeature([serving.WINDOW], tf.int64)
    features = tf.io.parse_example(serialized, {"x": x, "y": tf.io.FixedLenFeature([], tf.int64)})
    return features["x"], features["y"]


if __name__ == "__main__":
    main()
