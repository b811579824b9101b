"""Pairs served by textgen, shuffled: by `read_pairs`, to a loop in Python or inside a graph, or by `numpy_pairs`."""

from collections.abc import Iterator

import serving
import tensorflow as tf

from textgen.dataset import numpy_pairs, read_pairs

# More epochs than a measurement takes.
EPOCHS = 10_000
# Batches that are taken in one call of a graph.
STEPS_A_CALL = 100


def main() -> None:
    parser = serving.parser()
    parser.add_argument("--compact", action="store_true", help="X as it is stored, uint16")
    parser.add_argument("--start-step", type=int, default=0, help="how many batches to leave out at the start")
    parser.add_argument("--numpy", action="store_true", help="by `numpy_pairs`, without TensorFlow")
    parser.add_argument("--graph", action="store_true", help="taken inside a tf.function, as training does")
    given = parser.parse_args()
    options = {"compact": True} if given.compact else {}
    read = numpy_pairs if given.numpy else read_pairs
    serving.measure(
        lambda: read(
            given.data,
            batch_size=serving.BATCH,
            seed=0,
            epochs=EPOCHS,
            start_step=given.start_step,
            **options,
        ),
        given.seconds,
        take=take if given.graph else None,
    )


@tf.function(reduce_retracing=True)
def take_steps(batches: Iterator) -> tf.Tensor:
    pairs = tf.constant(0)
    for _ in tf.range(STEPS_A_CALL):
        _, y = next(batches)
        pairs += tf.size(y)
    return pairs


def take(batches: Iterator) -> int:
    """How many pairs some batches have, which no Python sees."""
    return int(take_steps(batches))


if __name__ == "__main__":
    main()
