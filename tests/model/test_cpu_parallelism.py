import subprocess
import sys

import pytest
import tensorflow as tf

from textgen.model import cpu_parallelism

SHARED_OUT = """
import tensorflow as tf
from textgen.model import cpu_parallelism
cpu_parallelism._cores = lambda: {cores}
print(cpu_parallelism.plan_cpu().halves, tf.config.threading.get_intra_op_parallelism_threads(), flush=True)
tf.constant(1)
print(cpu_parallelism.plan_cpu().halves)
"""


@pytest.mark.parametrize(("cores", "printed"), [(2, ["True", "1", "True"]), (1, ["False", "0", "False"])])
def test_two_cores_are_shared_out_before_the_first_op(cores: int, printed: list[str]):
    done = subprocess.run(
        [sys.executable, "-c", SHARED_OUT.format(cores=cores)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == printed


def test_nothing_is_changed_once_tensorflow_is_at_work(monkeypatch, capsys):
    tf.constant(1)
    threads = tf.config.threading.get_intra_op_parallelism_threads()
    monkeypatch.setattr(cpu_parallelism, "_cores", lambda: 2)
    if threads != 1:
        plan = cpu_parallelism.plan_cpu()
        assert not plan.halves and plan.micro_batches(1024) == 1
        plan.say_notice()
        assert "restart Python and train first" in capsys.readouterr().err
    assert tf.config.threading.get_intra_op_parallelism_threads() == threads


def test_a_gpu_s_machine_is_left_alone(monkeypatch):
    monkeypatch.setattr(cpu_parallelism, "_cores", lambda: 2)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["a GPU"])
    assert cpu_parallelism.plan_cpu() == cpu_parallelism.WHOLE_BATCHES


@pytest.mark.parametrize(("limit", "rows", "count"), [(128, 128, 1), (128, 129, 2), (128, 1024, 8), (0, 1024, 1)])
def test_large_batches_are_trained_in_micro_batches(limit: int, rows: int, count: int):
    assert cpu_parallelism.CpuPlan(rows_per_micro_batch=limit).micro_batches(rows) == count


def test_halves_differ_by_at_most_one_row():
    x, y = tf.range(5), tf.range(10, 15)
    halves = cpu_parallelism.CpuPlan(halves=True).split([x, y])
    assert [[tensor.numpy().tolist() for tensor in half] for half in halves] == [
        [[0, 1, 2], [10, 11, 12]],
        [[3, 4], [13, 14]],
    ]
    assert len(cpu_parallelism.WHOLE_BATCHES.split([x, y])) == 1
    assert len(cpu_parallelism.CpuPlan(halves=True).split([x[:1], y[:1]])) == 1
