"""Trials of processes of a cluster that are ended while they wait, or that do not fit together."""

import contextlib
import functools
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.faults.commands import make_corpus, prepare_words, run, train_words
from tests.faults.signals import START, require_end, stop
from tests.faults.trial import Trial

_SECONDS = 300.0


def trials(full: bool) -> Iterator[Trial]:
    """Yields the trials; one of them unless `full`."""
    for number in (signal.SIGTERM, signal.SIGINT) if full else (signal.SIGTERM,):
        for place, name in enumerate(("the chief waits for a worker", "a worker waits for the chief")):
            if full or place:
                yield Trial(f"{name}, {number.name}", functools.partial(_try_signal, place, number), _SECONDS)
    if full:
        yield Trial("the chief never comes", _try_absent, _SECONDS)
        yield Trial("port of the chief in use", functools.partial(_try_port, 0), _SECONDS)
        yield Trial("port of a worker in use", functools.partial(_try_port, 1), _SECONDS)
        yield Trial("clusters of two sizes", _try_sizes, _SECONDS)


def _try_signal(place: int, number: int, folder: Path) -> None:
    words, addresses = _words(folder), _addresses(2)
    waits = functools.partial(_listens, addresses[place])
    ended = stop(["-c", START, *words], waits, number, TF_CONFIG=_config(addresses, place))
    require_end(ended, number)
    assert not (folder / "run").exists()


def _try_absent(folder: Path) -> None:
    (ended,) = _ends([*_words(folder), "--connect-minutes", "0.1"], _config(_addresses(2), 1))
    _require_line(ended, 1, "the chief .* did not answer")


def _try_port(place: int, folder: Path) -> None:
    addresses = _addresses(2)
    with socket.create_server(("localhost", int(addresses[place].rpartition(":")[2]))):
        (ended,) = _ends(_words(folder), _config(addresses, place))
    _require_line(ended, 1, f"cannot listen at its address {addresses[place]}: Address already in use")


def _try_sizes(folder: Path) -> None:
    addresses = _addresses(3)
    for ended in _ends(_words(folder), _config(addresses[:2], 0), _config(addresses, 1)):
        _require_line(ended, 2, "the processes have different clusters: .*2 processes.*3 processes")


def _words(folder: Path) -> list[str]:
    assert run(prepare_words(make_corpus(folder), folder / "data")).code == 0
    return train_words(folder / "data", folder / "run")


def _addresses(count: int) -> list[str]:
    """Returns addresses of this machine at which nothing listens."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("localhost", 0))) for _ in range(count)]
        return [f"localhost:{each.getsockname()[1]}" for each in sockets]


def _config(addresses: list[str], place: int) -> str:
    return json.dumps({"cluster": {"worker": addresses}, "task": {"type": "worker", "index": place}})


def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return False
    return True


def _ends(words: list[str], *configs: str) -> list["subprocess.CompletedProcess[str]"]:
    """Runs a command in a process per TF_CONFIG, and returns how each has ended."""
    command = [sys.executable, "-c", START, *words]
    processes = [
        subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, "TF_CONFIG": config})
        for config in configs
    ]
    errors = [process.communicate()[1] for process in processes]
    return [
        subprocess.CompletedProcess(command, process.returncode, stderr=text)
        for process, text in zip(processes, errors, strict=True)
    ]


def _require_line(ended: "subprocess.CompletedProcess[str]", code: int, pattern: str) -> None:
    lines = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
    assert ended.returncode == code, ended
    assert len(lines) == 1, ended
    assert re.search(pattern, lines[0]), ended
    assert "Traceback" not in ended.stderr, ended
