"""Loading: order of an epoch, batches of a step, and their `tf.data.Dataset`."""
