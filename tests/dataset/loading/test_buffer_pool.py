import gc
import threading

import numpy as np
import pytest
import tensorflow as tf

from textgen.dataset.loading.buffer_pool import BufferPool

I4 = np.dtype(np.int32)


def place(array):
    return array.ctypes.data


@pytest.mark.parametrize("shape", [(0, 3), (1,), (7, 5), (4096, 44)])
@pytest.mark.parametrize("dtype", [np.uint16, np.int32])
def test_an_array_begins_where_tensorflow_takes_it_as_it_is(shape, dtype):
    array = BufferPool().take(shape, np.dtype(dtype))
    assert (array.shape, array.dtype, place(array) % 64) == (shape, dtype, 0)


def test_memory_comes_back_when_its_array_is_gone():
    buffers = BufferPool()
    one, two = (buffers.take((100, 4), I4) for _ in range(2))
    first = place(one)
    assert first != place(two)
    del one
    gc.collect()
    assert place(buffers.take((50, 4), I4)) == first


def test_a_released_buffer_that_is_too_small_is_not_reused():
    buffers = BufferPool()
    buffers.take((10,), I4)
    large = buffers.take((1000,), I4)
    large[:] = 7
    assert large.sum() == 7000


def test_released_buffers_are_freed_and_made_again():
    buffers = BufferPool()
    buffers.take((10,), I4)
    buffers.release()
    assert not buffers._free
    assert buffers.take((10,), I4).shape == (10,)


def test_a_tensor_keeps_what_it_was_given():
    buffers = BufferPool()

    def filled(number):
        array = buffers.take((64, 16), I4)
        array[...] = number
        return array

    numbers = tf.data.Dataset.range(200).map(lambda i: tf.numpy_function(filled, [i], tf.int32), num_parallel_calls=2)
    kept = list(numbers.map(lambda x: tf.ensure_shape(x, [64, 16])).unbatch().batch(16))
    assert [int(x.numpy().min()) for x in kept] == [int(x.numpy().max()) for x in kept]
    assert [int(x[0, 0]) for x in kept] == [i // 4 for i in range(800)]


def test_several_threads_never_have_the_same_memory():
    buffers, wrong = BufferPool(), []

    def work(number):
        for _ in range(300):
            array = buffers.take((500,), I4)
            array[...] = number
            if not (array == number).all():
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
