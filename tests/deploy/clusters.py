"""Trials of training on machines of a network: one is cut off or stands still, and all go on afterwards."""

import functools
import json
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.deploy.networks import Machine, network
from tests.deploy.trainings import COMMAND, SMALL, Training, seconds_to_end, started, step, wait_for_step
from tests.faults.commands import make_corpus, prepare_words, run
from tests.faults.trial import Trial
from tests.stores.servers import free_port

_SECONDS = 900.0
_END_SECONDS = 60.0
"""Time in which the others end with an error."""

_LOST = "error: another of the 3 processes has ended or can't be reached"


def trials(full: bool) -> Iterator[Trial]:
    """Yields the trials."""
    for lost, name in ((2, "a worker"), (0, "the first process")):
        yield Trial(f"the cable of {name} of three is cut", functools.partial(_try_cable, lost), _SECONDS)
    for lost, name in ((2, "a worker"), (0, "the first process")) if full else ():
        yield Trial(f"{name} of three stands still", functools.partial(_try_standstill, lost), _SECONDS)


def _try_cable(lost: int, folder: Path) -> None:
    with network(3) as found:
        machines = found.machines
        addresses = [f"{machine.address}:2222" for machine in machines]
        prefixes = [machine.prefix for machine in machines]
        _try(folder, addresses, prefixes, lost, functools.partial(_cut, machines[lost]))


def _try_standstill(lost: int, folder: Path) -> None:
    addresses = [f"127.0.0.{i + 2}:{free_port()}" for i in range(3)]
    _try(folder, addresses, [[]] * 3, lost, lambda training: os.killpg(training.process.pid, signal.SIGSTOP))


def _cut(machine: Machine, training: Training) -> None:
    machine.cut_off()


def _try(
    folder: Path, addresses: list[str], prefixes: Sequence[list[str]], lost: int, lose: Callable[[Training], None]
) -> None:
    assert run(prepare_words(make_corpus(folder), folder / "data")).code == 0
    output = folder / "run"
    words = ["train", "--data", str(folder / "data"), "--output", str(output), "--resume", "auto", *SMALL.split()]

    def start(name: str) -> list[Training]:
        return [
            Training([*prefix, *COMMAND, *words], folder / f"{name}-{i}.log", TF_CONFIG=_config(addresses, i))
            for i, prefix in enumerate(prefixes)
        ]

    first = start("first")
    others = [each for i, each in enumerate(first) if i != lost]
    with started(*first):
        wait_for_step(output, 0, first)
        lose(first[lost])
        seconds = seconds_to_end(others, 3 * _END_SECONDS)
        print(f"the others ended after {seconds:.1f} s", flush=True)
        for each in others:
            assert each.process.poll() == 1, (each.process.poll(), each.printed)
            assert len(each.errors) == 1 and each.errors[0].startswith(_LOST), each.printed
            assert "Traceback" not in each.printed, each.printed
        assert seconds < _END_SECONDS, seconds
    if prefixes[lost]:
        # The cable is mended.
        _connect(prefixes[lost][-1])
    reached = step(output)
    second = start("second")
    with started(*second):
        wait_for_step(output, reached, second)
        second[1].process.send_signal(signal.SIGTERM)
        seconds_to_end(second, _END_SECONDS)
        assert [each.process.poll() for each in second] == [143] * 3, [each.printed for each in second]


def _connect(name: str) -> None:
    Machine(name, "", []).connect()


def _config(addresses: list[str], index: int) -> str:
    return json.dumps({"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}})
