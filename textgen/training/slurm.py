"""Reads the processes of a Slurm job step from its environment variables (https://slurm.schedmd.com/srun.html).

TensorFlow's own resolver sorts the names of nodes as texts, so that n10 comes before n2 and processes look for each
other at the wrong nodes, and it fails where Slurm gives each process GPUs of its own.
"""

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from textgen.errors import UserError, require

FIRST_PORT = 8888
"""Port of the first process of a node, unless srun has reserved ports by --resv-ports."""

_MOST_PROCESSES = 100_000


class JobStep(NamedTuple):
    """The processes of a job step.

    Attributes:
        addresses: `host:port` of each process.
        rank: index of this process.
        local_rank: index of this process among those of its node.
        local_count: number of processes of its node.
        has_own_gpus: whether Slurm gives each process GPUs of its own; otherwise those of a node see the same ones.
    """

    addresses: tuple[str, ...]
    rank: int
    local_rank: int
    local_count: int
    has_own_gpus: bool


def job_step(environment: Mapping[str, str]) -> JobStep | None:
    """Returns the job step of this process; None if it is of no step, or of one with a single process.

    Args:
        environment: environment variables.

    Raises:
        UserError: the variables do not describe a job step.
    """
    if not environment.get("SLURM_STEP_NUM_TASKS") or environment["SLURM_STEP_NUM_TASKS"] == "1":
        return None
    count = _number(environment, "SLURM_STEP_NUM_TASKS")
    rank = _number(environment, "SLURM_PROCID")
    nodes = _nodes(environment)
    per_node = _tasks_per_node(environment)
    _require(
        len(nodes) == len(per_node) and sum(per_node) == count and rank < count,
        f"SLURM_STEP_NUM_TASKS is {count} and SLURM_PROCID {rank}, for {len(nodes)} nodes with {per_node} processes",
    )
    places = [(node, i) for node, tasks in enumerate(per_node) for i in range(tasks)]
    node, local_rank = places[rank]
    told = environment.get("SLURM_NODEID", str(node))
    _require(told == str(node), f"process {rank} is on node {told}; use srun --distribution=block")
    ports = _ports(environment, max(per_node))
    return JobStep(
        addresses=tuple(f"{nodes[node]}:{ports[i]}" for node, i in places),
        rank=rank,
        local_rank=local_rank,
        local_count=per_node[node],
        has_own_gpus=any(f"SLURM_{name}" in environment for name in ("GPUS_PER_TASK", "TRES_PER_TASK", "GPU_BIND")),
    )


def _require(condition: bool, found: str) -> None:
    require(
        condition,
        f"Slurm's variables do not describe this job step: {found}. Start the processes with srun, or set TF_CONFIG.",
    )


def _text(environment: Mapping[str, str], name: str) -> str:
    _require(bool(environment.get(name)), f"{name} not found")
    return environment[name]


def _number(environment: Mapping[str, str], name: str) -> int:
    text = _text(environment, name)
    _require(bool(re.fullmatch(r"[0-9]{1,9}", text)), f"{name} is {text!r}, which is no number")
    return int(text)


def _nodes(environment: Mapping[str, str]) -> list[str]:
    text = _text(environment, "SLURM_STEP_NODELIST")
    try:
        return list(itertools.islice(expand_nodes(text), _MOST_PROCESSES))
    except ValueError:
        raise UserError(
            f"SLURM_STEP_NODELIST is {text!r}, which is no list of nodes. Start the processes with srun, or set "
            "TF_CONFIG."
        ) from None


def expand_nodes(text: str) -> Iterator[str]:
    """Yields the nodes of a list in their order, as `scontrol show hostnames` does.

    Raises:
        ValueError: the text is no such list.

    >>> list(expand_nodes("n[2,9-10],m5,r[1-2]c[01-02]"))
    ['n2', 'n9', 'n10', 'm5', 'r1c01', 'r1c02', 'r2c01', 'r2c02']
    """
    # A comma inside brackets separates ranges, and others separate names.
    names = re.findall(r"(?:[^\[\],]|\[[^\[\]]+\])+", text)
    if not names or ",".join(names) != text:
        raise ValueError(text)
    for name in names:
        parts = re.split(r"\[([^\[\]]+)\]", name)
        choices = [list(_ranges(part)) if i % 2 else [part] for i, part in enumerate(parts)]
        for chosen in itertools.product(*choices):
            yield "".join(chosen)


def _ranges(text: str) -> Iterator[str]:
    """Yields the numbers of ranges, with as many digits as the first one has: `08-10` is 08, 09, 10."""
    for part in text.split(","):
        first, _, last = part.partition("-")
        start, end = int(first), int(last or first)
        if end < start or end - start > _MOST_PROCESSES:
            raise ValueError(part)
        for number in range(start, end + 1):
            yield str(number).zfill(len(first))


def _tasks_per_node(environment: Mapping[str, str]) -> list[int]:
    """Returns the number of processes of each node: `2(x3),1` is 2, 2, 2, 1."""
    text = _text(environment, "SLURM_STEP_TASKS_PER_NODE")
    found = [re.fullmatch(r"([0-9]{1,6})(?:\(x([0-9]{1,6})\))?", part) for part in text.split(",")]
    counts: list[int] = []
    for each in found:
        _require(each is not None, f"SLURM_STEP_TASKS_PER_NODE is {text!r}")
        assert each
        counts += [int(each[1])] * int(each[2] or 1)
    return counts


def _ports(environment: Mapping[str, str], count: int) -> list[int]:
    """Returns a port for each process of a node."""
    reserved = environment.get("SLURM_STEP_RESV_PORTS", "")
    if not reserved:
        return list(range(FIRST_PORT, FIRST_PORT + count))
    ports: list[int] = []
    for part in reserved.split(","):
        found = re.fullmatch(r"([0-9]{1,5})(?:-([0-9]{1,5}))?", part)
        _require(found is not None, f"SLURM_STEP_RESV_PORTS is {reserved!r}")
        assert found
        ports += range(int(found[1]), int(found[2] or found[1]) + 1)
    _require(len(ports) >= count, f"SLURM_STEP_RESV_PORTS is {reserved!r}, for {count} processes per node")
    return ports
