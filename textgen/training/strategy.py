"""Which devices train: one, or all GPUs of this machine."""

import tensorflow as tf


def make_strategy() -> tf.distribute.Strategy:
    """MirroredStrategy over several GPUs; else the one GPU or the CPU."""
    if len(tf.config.list_physical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


def distribute(strategy: tf.distribute.Strategy, dataset: tf.data.Dataset) -> tf.data.Dataset:
    """The dataset with each global batch shared out to the replicas."""
    if strategy.num_replicas_in_sync == 1:
        return dataset
    options = tf.data.Options()
    # Our shards are not the dataset's source files, so they can't be shared out as such.
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    return strategy.experimental_distribute_dataset(dataset.with_options(options))
