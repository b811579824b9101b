"""Trials of deploy/train.slurm and deploy/kubernetes.yaml, with programs in place of Slurm and Kubernetes."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.networks import Network, network
from tests.deploy.trainings import COMMAND, SMALL, Training, seconds_to_end, started, step, wait_for_step
from tests.faults.commands import make_corpus, prepare_words
from tests.faults.commands import run as run_here
from tests.faults.trial import CannotTry, Trial
from tests.stores.servers import google
from tests.stores.store_commands import make_texts, run, upload
from tests.stores.store_commands import prepare_words as prepare_words_at

ROOT = Path(__file__).parents[2]
_SECONDS = 900.0
_END_SECONDS = 60.0

_SRUN = """#!/usr/bin/env bash
# In place of Slurm's: starts the command on each node with the variables that Slurm sets, and returns the worst code.
while [[ $1 == --* ]]; do shift; done
pids=()
for i in 0 1; do
  SLURM_PROCID=$i SLURM_NODEID=$i SLURM_LOCALID=0 SLURM_STEP_NUM_TASKS=2 SLURM_STEP_TASKS_PER_NODE='1(x2)' \\
    ip netns exec "$FAKE_NODES-$i" "$@" &
  pids+=($!)
done
code=0
for pid in "${pids[@]}"; do
  ended=0
  wait "$pid" || ended=$?
  [ "$ended" -le "$code" ] || code=$ended
done
exit "$code"
"""
_SCONTROL = '#!/usr/bin/env bash\necho "$@" >> "$FAKE_REQUEUED"\n'


def trials(full: bool) -> Iterator[Trial]:
    """Yields the trials."""
    yield Trial("Slurm: a job that is preempted goes on", _try_slurm, _SECONDS)
    yield Trial("Kubernetes: the manifest fits the schema", _try_schema, _SECONDS)
    yield Trial("Kubernetes: a pod that is evicted, a dataset at a store", _try_pods, _SECONDS)


def _try_slurm(folder: Path) -> None:
    assert run_here(prepare_words(make_corpus(folder), folder / "data")).code == 0
    programs = folder / "programs"
    programs.mkdir()
    textgen = f'#!/usr/bin/env bash\nexec {COMMAND[0]} -c {json.dumps(COMMAND[2])} "$@"\n'
    for name, text in {"srun": _SRUN, "scontrol": _SCONTROL, "textgen": textgen}.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    with network(2) as found:
        prefix = found.machines[0].address.rpartition(".")[0]
        environment = {
            "PATH": f"{programs}:{os.environ['PATH']}", "DATA": str(folder / "data"), "RUN": str(folder / "run"),
            "FAKE_NODES": found.machines[0].name.rpartition("-")[0], "FAKE_REQUEUED": str(folder / "requeued"),
            "SLURM_JOB_ID": "7", "SLURM_STEP_NODELIST": f"{prefix}.[1-2]",
        }  # fmt: skip
        command = ["bash", str(ROOT / "deploy" / "train.slurm"), *SMALL.split()]
        for number in range(2):
            reached = step(folder / "run")
            job = Training(command, folder / f"job-{number}.log", **environment)
            with started(job):
                seen = wait_for_step(folder / "run", reached, [job])
                # As `#SBATCH --signal` does, to the processes of the step.
                subprocess.run(["pkill", "--signal", "TERM", "--parent", str(_child(job.process.pid))], check=True)
                seconds_to_end([job], _END_SECONDS)
                assert job.process.poll() == 143, (job.process.poll(), job.printed)
                assert step(folder / "run") >= seen
    assert (folder / "requeued").read_text() == "requeue 7\n" * 2


def _child(process: int) -> int:
    """Returns the only process that a process has started: srun, whose children are the processes of the step."""
    (child,) = subprocess.run(
        ["pgrep", "--parent", str(process)], capture_output=True, text=True, check=True
    ).stdout.split()
    return int(child)


def manifest() -> dict[str, dict[str, Any]]:
    """Returns the objects of the manifest by their kinds."""
    text = (ROOT / "deploy" / "kubernetes.yaml").read_text()
    return {each["kind"]: each for each in yaml.safe_load_all(text)}


def _try_schema(folder: Path) -> None:
    try:
        import kubernetes_validate
    except ImportError:
        raise CannotTry("the package kubernetes-validate is not installed") from None
    version = kubernetes_validate.latest_version()
    objects = manifest()
    assert set(objects) == {"Service", "PersistentVolumeClaim", "Job"}
    for each in objects.values():
        kubernetes_validate.validate(each, version, strict=True)
    objects["Job"]["spec"]["compleetions"] = 2
    try:
        kubernetes_validate.validate(objects["Job"], version, strict=True)
    except kubernetes_validate.ValidationError:
        return
    raise AssertionError("the validator accepts a misspelt field")


def _try_pods(folder: Path) -> None:
    objects = manifest()
    job = objects["Job"]["spec"]
    service = objects["Service"]["metadata"]["name"]
    pod = job["template"]["spec"]
    assert pod["subdomain"] == service and objects["Service"]["spec"]["clusterIP"] == "None"
    names = [f"{objects['Job']['metadata']['name']}-{i}.{service}" for i in range(job["completions"])]
    with network(job["completions"], names) as found, google(folder, host=found.host) as store:
        data = f"{store.root}/data"
        run(prepare_words_at(upload(make_texts(folder), store), data), store)
        output = folder / "run"
        for number in range(2):
            reached = step(output)
            pods = [
                _pod(pod, i, found, folder, data, f"{number}-{i}.log", **store.environment) for i in range(len(names))
            ]
            with started(*pods):
                wait_for_step(output, reached, pods)
                pods[1].process.send_signal(signal.SIGTERM)
                seconds = seconds_to_end(pods, pod["terminationGracePeriodSeconds"])
                print(f"the pods ended after {seconds:.1f} s", flush=True)
                codes = [each.process.poll() for each in pods]
                assert codes == [143] * len(names), [each.printed for each in pods]
        ignored = [
            rule["onExitCodes"]["values"] for rule in job["podFailurePolicy"]["rules"] if "onExitCodes" in rule
        ]
        assert [143] in ignored


def _pod(
    pod: dict[str, Any], index: int, found: Network, folder: Path, data: str, log: str, **environment: str
) -> Training:
    """Starts the container of a pod with its variables and arguments, but for paths and the size of the training."""
    (container,) = pod["containers"]
    assert container["command"] == ["textgen", "train"]
    replaced = {"data": data, "output": str(folder / "run"), "cache": str(folder / f"cache-{index}")}
    arguments = [word.removeprefix("--").split("=", 1) for word in container["args"]]
    words = [f"--{name}={replaced.get(name, value)}" for name, value in arguments]
    for each in container["env"]:
        # The index comes from an annotation, and later variables refer to it.
        value = each["value"].replace("$(INDEX)", str(index)) if "value" in each else str(index)
        environment[each["name"]] = value
    command = [*found.machines[index].prefix, *COMMAND, "train", *words, *SMALL.split()]
    return Training(command, folder / log, **environment)
