from types import SimpleNamespace

import pytest
import tensorflow as tf

from textgen.training.strategy import distribute, make_strategy


class Mirrored:
    pass


@pytest.fixture
def gpus(monkeypatch):
    def have(count: int) -> None:
        monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["GPU"] * count)
        monkeypatch.setattr(tf.distribute, "MirroredStrategy", Mirrored)

    return have


@pytest.mark.parametrize("count", [0, 1])
def test_one_device_trains_without_replicas(gpus, count: int):
    gpus(count)
    assert make_strategy() is tf.distribute.get_strategy()


def test_several_gpus_are_mirrored(gpus):
    gpus(2)
    assert isinstance(make_strategy(), Mirrored)


def test_one_replica_takes_the_dataset_as_it_is():
    dataset = tf.data.Dataset.range(3)
    assert distribute(tf.distribute.get_strategy(), dataset) is dataset


def test_several_replicas_share_each_batch_of_the_one_stream():
    given = []
    strategy = SimpleNamespace(num_replicas_in_sync=2, experimental_distribute_dataset=given.append)
    distribute(strategy, tf.data.Dataset.range(3).batch(2))
    policy = given[0].options().experimental_distribute.auto_shard_policy
    assert policy == tf.data.experimental.AutoShardPolicy.OFF
    assert [batch.tolist() for batch in given[0].as_numpy_iterator()] == [[0, 1], [2]]
