import contextlib
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from textgen.errors import UserError
from textgen.training import rendezvous
from textgen.training.rendezvous import ClusterMember, meet

_SECOND = 1 / 60


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    monkeypatch.setattr(rendezvous, "PORT_SECONDS", 0.1)
    monkeypatch.setattr(rendezvous, "_STRANGER_SECONDS", 0.5)
    monkeypatch.setattr(rendezvous, "_RETRY_SECONDS", 0.02)


def _addresses(count: int) -> tuple[str, ...]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("localhost", 0))) for _ in range(count)]
        return tuple(f"localhost:{each.getsockname()[1]}" for each in sockets)


def _meet(*members: ClusterMember, minutes: float = 10 * _SECOND) -> list[str]:
    """Lets each member meet the others in a thread, and returns the error of each, or an empty text."""
    ends = [""] * len(members)

    def run(place: int) -> None:
        try:
            meet(members[place], minutes=minutes)
        except (UserError, ConnectionError) as error:
            ends[place] = f"{type(error).__name__}: {error}"

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(members))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ends


def _cluster(count: int, addresses: tuple[str, ...]) -> list[ClusterMember]:
    return [ClusterMember(addresses, index, 1) for index in range(count)]


def test_all_processes_meet():
    assert _meet(*_cluster(3, _addresses(3))) == ["", "", ""]


def test_a_worker_without_a_chief_ends():
    addresses = _addresses(2)
    (end,) = _meet(ClusterMember(addresses, 1, 1), minutes=0.5 * _SECOND)
    assert end.startswith(
        f"ConnectionError: not all 2 processes of the cluster met within {0.5 / 60:g} minutes: the "
    )
    assert f"the chief {addresses[0]} did not answer" in end
    assert "--connect-minutes" in end


def test_a_chief_names_the_worker_that_did_not_come():
    addresses = _addresses(3)
    waits = threading.Thread(target=lambda: worker.extend(_meet(ClusterMember(addresses, 2, 1))))
    worker: list[str] = []
    waits.start()
    (end,) = _meet(ClusterMember(addresses, 0, 1), minutes=_SECOND)
    waits.join()
    assert f": {addresses[1]} did not come." in end
    assert worker == [end]


@pytest.mark.parametrize("index", [0, 1])
@pytest.mark.parametrize("host", ["localhost", ""])
def test_a_port_in_use_is_named(index: int, host: str):
    addresses = _addresses(2)
    with socket.create_server((host, int(addresses[index].rpartition(":")[2]))):
        (end,) = _meet(ClusterMember(addresses, index, 1))
    assert f"cannot listen at its address {addresses[index]}: Address already in use. End" in end


def test_another_size_of_the_cluster_is_an_error():
    addresses = _addresses(3)
    ends = _meet(ClusterMember(addresses, 0, 1), ClusterMember((addresses[0], addresses[2]), 1, 1))
    assert ends[0].startswith("UserError: the processes have different clusters: ")
    assert "(3 processes)" in ends[0] and "(2 processes)" in ends[0]
    assert ends[1] == ends[0]


def test_another_number_of_devices_is_an_error():
    addresses = _addresses(2)
    ends = _meet(ClusterMember(addresses, 0, 1), ClusterMember(addresses, 1, 4))
    assert ends == [f"UserError: {addresses[1]} has 4 devices, and {addresses[0]} has 1; all processes must have the "
                    "same number. Hide some, as by CUDA_VISIBLE_DEVICES."] * 2  # fmt: skip


@pytest.mark.parametrize("address", ["host", "host:", "host:x", ":1", "host:0", "host:65536", "host:²"])
def test_a_malformed_address_is_an_error(address: str):
    with pytest.raises(UserError, match=r"it must be host:port"):
        meet(ClusterMember(("localhost:1", address), 0, 1), minutes=1)


def test_a_worker_that_has_gone_may_come_again():
    addresses = _addresses(3)
    with _chief(ClusterMember(addresses, 0, 1)):
        with _reported(addresses, 1):
            time.sleep(0.2)
        assert _meet(*_cluster(3, addresses)[1:]) == ["", ""]


def test_strangers_at_the_port_are_ignored():
    addresses = _addresses(2)
    with _chief(ClusterMember(addresses, 0, 1)):
        for text in (b"GET / HTTP/1.1\r\n\r\n", b"", b"[]\n", b"{}\n", b'{"addresses": 1}\n', b"[" * 70000):
            with _connected(addresses) as stranger, contextlib.suppress(OSError):
                stranger.sendall(text)
        meet(ClusterMember(addresses, 1, 1), minutes=10 * _SECOND)


def test_two_processes_in_one_place_are_an_error():
    addresses = _addresses(3)
    with _chief(ClusterMember(addresses, 0, 1)), _reported(addresses, 1):
        with _reported(addresses, 1) as second:
            assert b"another process is already" in second.recv(1000)
        with _reported(addresses, 2) as third:
            assert third.recv(1000) == b'{"go": true}\n'


@contextlib.contextmanager
def _chief(member: ClusterMember) -> Iterator[None]:
    ends: list[str] = []
    thread = threading.Thread(target=lambda: ends.extend(_meet(member)))
    thread.start()
    try:
        yield
    finally:
        thread.join()
    assert ends == [""]


def _connected(addresses: tuple[str, ...]) -> socket.socket:
    deadline = time.monotonic() + 10
    while True:
        try:
            return socket.create_connection(("localhost", int(addresses[0].rpartition(":")[2])), timeout=10)
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.01)


def _reported(addresses: tuple[str, ...], index: int) -> socket.socket:
    connection = _connected(addresses)
    connection.sendall(json.dumps(ClusterMember(addresses, index, 1)._asdict()).encode() + b"\n")
    return connection


_HANGS = """
import ctypes
from textgen.training import rendezvous
rendezvous._LEAST_SECONDS = {seconds}
with rendezvous.connection_limit(rendezvous.ClusterMember(("a:1", "b:2"), 1, 1), minutes=0.001):
    # PyDLL keeps the interpreter lock.
    ctypes.PyDLL(None).sleep({sleep})
"""


@pytest.mark.parametrize(
    ("seconds", "sleep", "code", "printed"),
    [(0.2, 60, 1, "error: TensorFlow did not connect b:2 to the other processes within"), (60, 0, 0, "")],
    ids=["hangs", "returns"],
)
def test_native_code_that_hangs_ends_with_a_line(seconds: float, sleep: int, code: int, printed: str):
    script = _HANGS.format(seconds=seconds, sleep=sleep)
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30)
    assert ended.returncode == code
    assert ended.stderr.startswith(printed) and len(ended.stderr.splitlines()) == bool(printed)
