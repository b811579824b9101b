"""How fast training could be at most: the matrix products of a step alone, which every way of training has.

    python benchmarks/training_products.py [--rounds 9]

The notebook's network of `training.py`, 128 rows on each of two cores. `products of a step` are those of its
layers at their sizes: of the inputs over all places at once, of the recurrence from place to place, and those of the
gradient, without gates. `one large product` is of two matrices of 2,048 × 2,048 per core. Ways take turns; prints a
Markdown table of medians.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import table
import tensorflow as tf

PLACES, ROWS, UNITS = 44, 128, 50
WIDTHS = (8, 2 * UNITS, 2 * UNITS)
"""Number of features that each layer reads: the embedding, then both directions of the layer below."""

CORES = DIRECTIONS = 2
LARGE = 2_048
# A step multiplies and adds for each weight, row and place; the gradient twice as often as the network.
PER_PAIR = sum(3 * 2 * DIRECTIONS * 4 * UNITS * (width + UNITS) * PLACES for width in WIDTHS)

# As in training, where each core has rows of its own.
tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(CORES)

LARGE_MATRIX = tf.random.normal([LARGE, LARGE])
KERNEL, RECURRENT = tf.random.normal([max(WIDTHS), 4 * UNITS]) / 100, tf.random.normal([4 * UNITS, UNITS]) / 100
OUTPUTS, GRADIENT = (tf.random.normal([features, PLACES * ROWS]) for features in (max(WIDTHS), 4 * UNITS))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    given = parser.parse_args()
    ways = {
        "products of a step": (on_both_cores(products), CORES * ROWS * PER_PAIR),
        "one large product": (on_both_cores(large_product), CORES * 2 * LARGE**3),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for round_number in range(given.rounds + 1):
        for name, (call, _) in ways.items():
            started = time.perf_counter()
            call()
            # The first round traces and compiles.
            if round_number:
                seconds[name].append(time.perf_counter() - started)
    rows = []
    for name, (_, operations) in ways.items():
        rate = operations / statistics.median(seconds[name])
        rows.append([name, f"{rate / 1e9:.0f}", f"{rate / PER_PAIR:,.0f}"])
    table.show(["way", "GFLOP/s", "pairs/s at this rate"], rows)


def on_both_cores(way: Callable[[tf.Tensor], tf.Tensor]) -> Callable[[], tf.Tensor]:
    """A graph that does something twice at the same time, as a number that depends on all of it."""

    @tf.function
    def call() -> tf.Tensor:
        # Otherwise the two would be found to be equal, and be computed once.
        now = tf.cast(tf.timestamp() * 0, tf.float32)
        return way(now) + way(now + 1)

    return call


def large_product(first: tf.Tensor) -> tf.Tensor:
    with tf.control_dependencies([first]):
        return tf.matmul(LARGE_MATRIX, LARGE_MATRIX)[0, 0]


def products(first: tf.Tensor) -> tf.Tensor:
    """The products of all layers and directions, one after another."""
    after = first
    for width in WIDTHS:
        kernel, inputs = KERNEL[:width], OUTPUTS[:width]
        for _ in range(DIRECTIONS):
            with tf.control_dependencies([after]):
                found = [
                    tf.matmul(kernel, inputs, transpose_a=True),
                    recurrence(RECURRENT, tf.fill([UNITS, ROWS], after)),
                    recurrence_of_gradient(RECURRENT, tf.fill([4 * UNITS, ROWS], after)),
                    tf.matmul(kernel, GRADIENT),
                    tf.matmul(inputs, GRADIENT, transpose_b=True),
                    tf.matmul(OUTPUTS[:UNITS], GRADIENT, transpose_b=True),
                ]
            after = tf.add_n([one[0, 0] for one in found])
    return after


@tf.function(jit_compile=True)
def recurrence(recurrent: tf.Tensor, h: tf.Tensor) -> tf.Tensor:
    return tf.while_loop(lambda n, _: n < PLACES, lambda n, h: (n + 1, tf.matmul(recurrent, h)[:UNITS]), [0, h])[1]


@tf.function(jit_compile=True)
def recurrence_of_gradient(recurrent: tf.Tensor, dz: tf.Tensor) -> tf.Tensor:
    def step(n: tf.Tensor, dz: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return n + 1, tf.tile(tf.matmul(recurrent, dz, transpose_a=True), [4, 1])

    return tf.while_loop(lambda n, _: n < PLACES, step, [0, dz])[1]


if __name__ == "__main__":
    main()
