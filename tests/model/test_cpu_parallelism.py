import subprocess
import sys

import pytest
import tensorflow as tf

from textgen.model import cpu_parallelism

SHARED_OUT = """
import tensorflow as tf
from textgen.model import cpu_parallelism
cpu_parallelism._cores = lambda: {cores}
print(cpu_parallelism.share_out(), tf.config.threading.get_intra_op_parallelism_threads(), flush=True)
tf.constant(1)
print(cpu_parallelism.share_out())
"""


@pytest.mark.parametrize(("cores", "printed"), [(2, ["True", "1", "True"]), (1, ["False", "0", "False"])])
def test_two_cores_are_shared_out_before_the_first_op(cores: int, printed: list[str]):
    done = subprocess.run(
        [sys.executable, "-c", SHARED_OUT.format(cores=cores)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == printed


def test_nothing_is_changed_once_tensorflow_is_at_work(monkeypatch):
    tf.constant(1)
    threads = tf.config.threading.get_intra_op_parallelism_threads()
    monkeypatch.setattr(cpu_parallelism, "_cores", lambda: 2)
    if threads != 1:
        assert not cpu_parallelism.share_out()
    assert tf.config.threading.get_intra_op_parallelism_threads() == threads


def test_a_gpu_s_machine_is_left_alone(monkeypatch):
    monkeypatch.setattr(cpu_parallelism, "_cores", lambda: 2)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["a GPU"])
    assert not cpu_parallelism.share_out()


@pytest.mark.parametrize(("threads", "rows", "parts"), [(1, 128, 1), (1, 129, 2), (1, 1024, 8), (0, 1024, 1)])
def test_large_batches_are_cut_where_cores_are_shared_out(monkeypatch, threads: int, rows: int, parts: int):
    monkeypatch.setattr(tf.config.threading, "get_intra_op_parallelism_threads", lambda: threads)
    assert cpu_parallelism.parts_for(rows) == parts
