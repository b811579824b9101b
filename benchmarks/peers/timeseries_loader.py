"""Pairs served by Keras: `timeseries_dataset_from_array` over all ids.

The sequences hold their targets: given them as a second array, Keras looks up each by itself, which takes longer.
"""

import keras
import numpy as np
import serving
import tensorflow as tf


def main() -> None:
    given = serving.parser().parse_args()
    serving.measure(lambda: dataset(serving.read_ids(given.data).astype(np.int32)), given.seconds)


def dataset(ids: np.ndarray) -> tf.data.Dataset:
    batches = keras.utils.timeseries_dataset_from_array(
        ids, None, sequence_length=serving.WINDOW + 1, batch_size=serving.BATCH, shuffle=True
    )
    return batches.map(lambda cut: (cut[:, :-1], cut[:, -1])).repeat().prefetch(tf.data.AUTOTUNE)


if __name__ == "__main__":
    main()
