"""Pairs trained by `fit` of Keras, with layers of its own.

Windows are full, so nothing is masked, which is faster. The input pipeline's autotuning is off: its end blocks for
seconds.
"""

import keras
import stepping
import tensorflow as tf


class Told(keras.callbacks.Callback):
    """Tells the clock of each call of the compiled steps."""

    def __init__(self, clock: stepping.Clock):
        super().__init__()
        self._clock = clock
        self._told = 0

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self.model.stop_training = not self._clock.goes_on(batch + 1 - self._told)
        self._told = batch + 1


def main() -> None:
    parser = stepping.parser()
    parser.add_argument("--unroll", action="store_true")
    parser.add_argument("--jit", action="store_true")
    parser.add_argument("--one-thread-an-op", action="store_true", help="as `textgen train` on two cores")
    given = parser.parse_args()
    if given.one_thread_an_op:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(2)
    model = network(stepping.MODELS[given.model], unroll=given.unroll)
    model.compile(
        keras.optimizers.RMSprop(stepping.LEARNING_RATE),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=given.jit,
        steps_per_execution=1 if given.jit else stepping.STEPS_A_CALL,
    )
    options = tf.data.Options()
    options.autotune.enabled = False
    data = tf.data.Dataset.from_tensor_slices(stepping.pairs(stepping.MODELS[given.model], given.batch))
    data = data.repeat().with_options(options)
    clock = stepping.Clock(given.batch, given.seconds)
    model.fit(data, steps_per_epoch=1 << 30, callbacks=[Told(clock)], verbose=0)
    clock.print()


def network(sizes: stepping.Model, *, unroll: bool) -> keras.Model:
    layers = [keras.Input((sizes.window,), dtype="int32"), keras.layers.Embedding(sizes.words, sizes.embedding)]
    for layer in range(sizes.layers):
        lstm = keras.layers.LSTM(sizes.units, return_sequences=layer < sizes.layers - 1, unroll=unroll)
        layers.append(keras.layers.Bidirectional(lstm))
    return keras.Sequential([*layers, keras.layers.Dense(sizes.words)])


if __name__ == "__main__":
    main()
