import json
import types
from typing import Any

import pytest
import tensorflow as tf

from textgen.errors import UserError
from textgen.training import rendezvous, strategy
from textgen.training.strategy import Replicas, make_replicas

CLUSTER = {"chief": ["a:1"], "worker": ["b:1", "c:1"]}


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    for name in ("TF_CONFIG", "SLURM_STEP_NUM_TASKS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def made(monkeypatch) -> list[Any]:
    """Arguments of the strategies that are made; the strategies themselves are fakes."""
    calls: list[Any] = []

    class Strategy:
        num_replicas_in_sync = 6
        extended = types.SimpleNamespace()

        def __init__(self, *arguments: Any, **settings: Any):
            calls.append((arguments, settings))

    for name in ("MirroredStrategy", "MultiWorkerMirroredStrategy"):
        monkeypatch.setattr(tf.distribute, name, type(name, (Strategy,), {}))
    monkeypatch.setattr(rendezvous, "meet", lambda member, *, minutes: None)
    return calls


def _have_gpus(monkeypatch, count: int) -> None:
    class Device:
        def __init__(self, name: str):
            self.name = name

    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: [Device(f"{kind}:{i}") for i in range(count)])


@pytest.mark.parametrize(("name", "gpus"), [("auto", 0), ("auto", 1), ("one", 4)])
def test_one_device_trains_without_replicas(monkeypatch, name: str, gpus: int):
    _have_gpus(monkeypatch, gpus)
    replicas = make_replicas(name)
    assert replicas.strategy is tf.distribute.get_strategy()
    assert (replicas.worker, replicas.workers, replicas.count, replicas.is_chief) == (0, 1, 1, True)


def test_several_gpus_are_mirrored(monkeypatch, made):
    _have_gpus(monkeypatch, 2)
    assert type(make_replicas("auto").strategy).__name__ == "MirroredStrategy"
    assert made == [((["GPU:0", "GPU:1"],), {})]


@pytest.mark.parametrize(("kind", "index", "worker"), [("chief", 0, 0), ("worker", 0, 1), ("worker", 1, 2)])
def test_tf_config_names_the_processes_and_the_chief_is_the_first(monkeypatch, made, kind, index, worker):
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": CLUSTER, "task": {"type": kind, "index": index}}))
    replicas = make_replicas()
    assert type(replicas.strategy).__name__ == "MultiWorkerMirroredStrategy"
    assert (replicas.worker, replicas.workers, replicas.count) == (worker, 3, 6)
    assert replicas.is_chief == (worker == 0)
    # Three attempts of 10 seconds follow.
    assert replicas.strategy.extended._check_health_interval <= 20


@pytest.mark.parametrize("rank", [0, 1, 3])
def test_slurm_names_the_processes(monkeypatch, made, rank: int):
    for name, value in {
        "STEP_NUM_TASKS": "4", "PROCID": str(rank), "STEP_NODELIST": "n[1-2]", "STEP_TASKS_PER_NODE": "2(x2)",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"SLURM_{name}", value)
    replicas = make_replicas()
    assert (replicas.worker, replicas.workers) == (rank, 4)
    resolver = made[0][1]["cluster_resolver"]
    assert resolver.cluster_spec().as_dict() == {"worker": ["n1:8888", "n1:8889", "n2:8888", "n2:8889"]}


def test_incomplete_variables_of_a_slurm_step_are_an_error(monkeypatch):
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "2")
    monkeypatch.setenv("SLURM_PROCID", "0")
    with pytest.raises(UserError, match=r"Slurm's variables .*SLURM_STEP_NODELIST not found.*Start .* with srun"):
        make_replicas()


def test_a_cluster_of_one_process_is_one_device(monkeypatch, made):
    task = {"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(task))
    assert make_replicas().workers == 1
    assert made == []


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("{", r"TF_CONFIG is '\{'; it must have the form \{\"cluster\""),
        ("[]", r"TF_CONFIG is '\[\]'; it must have the form"),
        ('{"cluster": {"worker": ["a:1", "b:1"]}}', r"it must have the form"),
        (
            '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 2}}',
            r"names the task worker 2, and its cluster has no such chief or worker\. Name a different task",
        ),
        (
            '{"cluster": {"worker": ["a:1", "b:1"], "ps": ["c:1"]}, "task": {"type": "ps", "index": 0}}',
            r"names the task ps 0",
        ),
    ],
)
def test_a_malformed_tf_config_is_an_error(monkeypatch, config: str, message: str):
    monkeypatch.setenv("TF_CONFIG", config)
    with pytest.raises(UserError, match=message):
        make_replicas()


def test_multiworker_needs_several_processes():
    with pytest.raises(
        UserError, match=r"neither TF_CONFIG nor Slurm names several processes\. Set TF_CONFIG in each process"
    ):
        make_replicas("multiworker")


def test_an_unknown_strategy_is_an_error():
    with pytest.raises(UserError, match=r"strategy is 'tpu'; it must be one of: auto, one, mirrored, multiworker\."):
        make_replicas("tpu")


def test_one_device_gets_the_dataset_unchanged():
    dataset = tf.data.Dataset.range(3)
    assert Replicas(tf.distribute.get_strategy()).batches(lambda worker, workers: dataset) is dataset


def test_each_batch_is_split_over_the_devices_of_a_process():
    dataset = tf.data.Dataset.from_tensor_slices(([[1], [2], [3], [4], [5], [6]], [1, 2, 3, 4, 5, 6])).batch(5)
    slices = [y.numpy().tolist() for _, y in strategy._device_slices(dataset, 3)]
    assert slices == [[1], [2, 3], [4, 5], [], [], [6]]


def test_the_sums_over_one_process_are_its_values():
    assert Replicas(tf.distribute.get_strategy()).sum_over_workers([2.0, True]) == [2.0, True]


LOST = [
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
]


@pytest.mark.parametrize("kind", LOST)
def test_a_lost_process_is_told_whatever_tensorflow_calls_it(kind: type[tf.errors.OpError]):
    replicas = Replicas(tf.distribute.get_strategy(), worker=1, workers=2)
    with pytest.raises(ConnectionError, match="another of the 2 processes has ended"), replicas.lost_worker_errors():
        raise kind(None, None, "Collective ops is aborted")


@pytest.mark.parametrize("kind", [*LOST, tf.errors.InternalError])
def test_without_other_processes_an_error_of_tensorflow_stays_what_it_is(kind: type[tf.errors.OpError]):
    workers = 1 if kind in LOST else 2
    replicas = Replicas(tf.distribute.get_strategy(), workers=workers)
    with pytest.raises(kind), replicas.lost_worker_errors():
        raise kind(None, None, "no other process")
