"""What serves a dataset: the order of an epoch, the batches of a step, and their `tf.data.Dataset`."""
