import pytest

from textgen.errors import UserError
from textgen.training.slurm import expand_nodes, job_step

STEP = {
    "SLURM_STEP_NUM_TASKS": "3", "SLURM_PROCID": "2", "SLURM_STEP_NODELIST": "n[9-10]",
    "SLURM_STEP_TASKS_PER_NODE": "2,1",
}  # fmt: skip


def test_processes_are_in_the_order_of_the_nodes() -> None:
    step = job_step(STEP)
    assert step is not None
    assert step.addresses == ("n9:8888", "n9:8889", "n10:8888")
    assert (step.rank, step.local_rank, step.local_count, step.has_own_gpus) == (2, 0, 1, False)


@pytest.mark.parametrize("variables", [{}, {"SLURM_STEP_NUM_TASKS": "1"}, {"SLURM_NTASKS": "2"}])
def test_a_single_process_is_no_step(variables: dict[str, str]) -> None:
    assert job_step(variables) is None


def test_ports_that_srun_has_reserved_are_used() -> None:
    step = job_step({**STEP, "SLURM_STEP_RESV_PORTS": "12000,12007-12008"})
    assert step and step.addresses == ("n9:12000", "n9:12007", "n10:12000")


def test_gpus_may_be_those_of_a_process() -> None:
    step = job_step({**STEP, "SLURM_PROCID": "1", "SLURM_GPUS_PER_TASK": "1"})
    assert step and (step.local_rank, step.local_count, step.has_own_gpus) == (1, 2, True)


@pytest.mark.parametrize(
    ("text", "nodes"),
    [
        ("n1", ["n1"]),
        ("10.0.0.[1-2]", ["10.0.0.1", "10.0.0.2"]),
        ("n[08-10]", ["n08", "n09", "n10"]),
        ("n[1,3-4]-ib,m", ["n1-ib", "n3-ib", "n4-ib", "m"]),
    ],
)
def test_lists_of_nodes_are_expanded(text: str, nodes: list[str]) -> None:
    assert list(expand_nodes(text)) == nodes


@pytest.mark.parametrize("text", ["", "n[1-2", "n1,,n2", "n[2-1]", "n[a-b]", "n[0-999999999]"])
def test_other_texts_are_no_lists(text: str) -> None:
    with pytest.raises(ValueError):
        list(expand_nodes(text))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"SLURM_STEP_NUM_TASKS": "two"}, "SLURM_STEP_NUM_TASKS is 'two', which is no number"),
        ({"SLURM_PROCID": ""}, "SLURM_PROCID not found"),
        ({"SLURM_PROCID": "3"}, "SLURM_PROCID 3"),
        ({"SLURM_STEP_NODELIST": "n[1"}, r"SLURM_STEP_NODELIST is 'n\[1', which is no list"),
        ({"SLURM_STEP_TASKS_PER_NODE": "many"}, "SLURM_STEP_TASKS_PER_NODE is 'many'"),
        ({"SLURM_STEP_TASKS_PER_NODE": "3"}, "for 2 nodes with"),
        ({"SLURM_NODEID": "0"}, "process 2 is on node 0; use srun --distribution=block"),
        ({"SLURM_STEP_RESV_PORTS": "12000"}, "for 2 processes per node"),
        ({"SLURM_STEP_RESV_PORTS": "x"}, "SLURM_STEP_RESV_PORTS is 'x'"),
    ],
)
def test_variables_that_do_not_describe_a_step_are_an_error(changed: dict[str, str], message: str) -> None:
    with pytest.raises(UserError, match=rf"{message}.*Start the processes with srun, or set TF_CONFIG\."):
        job_step({**STEP, **changed})
