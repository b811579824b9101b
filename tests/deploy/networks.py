"""Machines of a network that are namespaces of this one: each has an address and a port range of its own."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.faults.trial import CannotTry

_NETWORK = "10.213.{}"
"""The first half of the addresses; the rest is unlikely to be in use."""

_HOSTS = Path("/etc/netns")
"""`ip netns exec` shows files of its folders in place of those of /etc."""


class Machine(NamedTuple):
    """A namespace with a network interface.

    Attributes:
        name: its name.
        address: its address.
        prefix: words before a command that runs in it.
    """

    name: str
    address: str
    prefix: list[str]

    def cut_off(self) -> None:
        """Cuts the cable: packets vanish, and no connection is reset."""
        _ip("link", "set", f"{self.name}-c", "down")

    def connect(self) -> None:
        """Mends the cable."""
        _ip("link", "set", f"{self.name}-c", "up")


class Network(NamedTuple):
    """Machines that reach each other.

    Attributes:
        machines: the machines.
        host: address under which they reach this machine.
    """

    machines: list[Machine]
    host: str


@contextlib.contextmanager
def network(count: int, names: Sequence[str] = ()) -> Iterator[Network]:
    """Makes machines.

    Args:
        count: number of machines.
        names: a name for each, under which all find it, as by DNS.

    Raises:
        CannotTry: this machine does not permit it.
    """
    if shutil.which("ip") is None or os.geteuid() != 0:
        raise CannotTry("network namespaces need the program `ip`, and root")
    number = os.getpid()
    prefix, bridge = _NETWORK.format(number % 250 + 1), f"tg{number}"
    machines = [
        Machine(f"tg{number}-{i}", f"{prefix}.{i + 1}", ["ip", "netns", "exec", f"tg{number}-{i}"])
        for i in range(count)
    ]
    try:
        _ip("link", "add", bridge, "type", "bridge")
        _ip("addr", "add", f"{prefix}.254/24", "dev", bridge)
        _ip("link", "set", bridge, "up")
        for machine in machines:
            _add(machine, bridge, dict(zip(names, (each.address for each in machines), strict=False)))
        yield Network(machines, f"{prefix}.254")
    finally:
        for machine in machines:
            _ip("netns", "delete", machine.name, must=False)
            shutil.rmtree(_HOSTS / machine.name, ignore_errors=True)
        _ip("link", "delete", bridge, must=False)


def _add(machine: Machine, bridge: str, hosts: dict[str, str]) -> None:
    folder = _HOSTS / machine.name
    folder.mkdir(parents=True)
    (folder / "hosts").write_text(
        "127.0.0.1 localhost\n" + "".join(f"{address} {name}\n" for name, address in hosts.items())
    )
    _ip("netns", "add", machine.name)
    _ip("link", "add", f"{machine.name}-c", "type", "veth", "peer", "name", "eth0", "netns", machine.name)
    _ip("link", "set", f"{machine.name}-c", "master", bridge, "up")
    _ip("-n", machine.name, "addr", "add", f"{machine.address}/24", "dev", "eth0")
    for device in ("lo", "eth0"):
        _ip("-n", machine.name, "link", "set", device, "up")


def _ip(*words: str, must: bool = True) -> None:
    ended = subprocess.run(["ip", *words], capture_output=True, text=True)
    if must and ended.returncode:
        raise CannotTry(f"`ip {' '.join(words)}`: {ended.stderr.strip()}")
