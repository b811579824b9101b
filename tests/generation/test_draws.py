import numpy as np
import pytest
import tensorflow as tf

from textgen.generation.draws import draw, uniform


@pytest.mark.parametrize("size", [3, 64, 65, 200])
def test_factors_change_the_first_weights_alone(size: int):
    weights = np.random.default_rng(7).random((50, size)).astype(np.float32)
    numbers = tf.constant(np.random.default_rng(8).random(50))
    factors = np.float32([[0, 2, 0.5]])
    multiplied = weights * np.pad(factors, [[0, 0], [0, size - 3]], constant_values=1)
    drawn = draw(tf.constant(weights), numbers, tf.repeat(tf.constant(factors), 50, axis=0))
    assert drawn.numpy().tolist() == draw(tf.constant(multiplied), numbers).numpy().tolist()


def test_a_number_depends_on_its_row_alone_and_numbers_are_uniform():
    seeds, samples, positions = (np.random.default_rng(i).integers(0, 2**31, 20_000) for i in range(3))
    numbers = uniform(tf.constant(seeds), tf.constant(samples, tf.int32), tf.constant(positions, tf.int32)).numpy()
    alone = uniform(
        tf.constant(seeds[7:8]), tf.constant(samples[7:8], tf.int32), tf.constant(positions[7:8], tf.int32)
    )
    assert numbers[7] == alone.numpy()[0]
    assert numbers.min() >= 0 and numbers.max() < 1
    assert np.abs(np.histogram(numbers, 20)[0] - 1000).max() < 130
    following = [uniform(tf.zeros([5000], tf.int64), tf.fill([5000], s), tf.range(5000)).numpy() for s in (0, 1)]
    assert abs(np.corrcoef(following[0][1:], following[0][:-1])[0, 1]) < 0.05
    assert abs(np.corrcoef(*following)[0, 1]) < 0.05
