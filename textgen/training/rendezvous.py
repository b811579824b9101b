"""Brings the processes of a cluster together before TensorFlow connects them.

TensorFlow waits for a missing process without end, and holds the interpreter lock meanwhile. Here every process first
reports to the chief over TCP, at the addresses that TensorFlow uses afterwards; the chief answers when all are there.
"""

import contextlib
import errno
import faulthandler
import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from textgen.console import printable
from textgen.errors import UserError, require

PORT_SECONDS = 5.0
"""Time in which a port may become free, as that of a training that is ending."""

_STRANGER_SECONDS = 2.0
_RETRY_SECONDS = 0.2
_LEAST_SECONDS = 30.0
_MAX_BYTES = 1 << 16


class ClusterMember(NamedTuple):
    """A process of a cluster.

    Attributes:
        addresses: `host:port` of every process, the chief's first.
        worker: index of this process in `addresses`.
        devices: number of devices of this process.
    """

    addresses: tuple[str, ...]
    worker: int
    devices: int

    @property
    def address(self) -> str:
        """The address of this process."""
        return self.addresses[self.worker]


def meet(member: ClusterMember, *, minutes: float) -> None:
    """Returns when all processes of the cluster have called it.

    Args:
        member: this process.
        minutes: time limit.

    Raises:
        UserError: another process has another cluster or number of devices, or two have the same index.
        ConnectionError: the port of this process is in use, or another process did not come in time.
    """
    deadline = time.monotonic() + 60 * minutes
    for address in member.addresses:
        _host_and_port(address)
    with _listen(member.address) as listener:
        if member.worker == 0:
            _gather(member, listener, deadline, minutes)
        else:
            _report(member, deadline, minutes)


@contextlib.contextmanager
def connection_limit(member: ClusterMember, *, minutes: float) -> Iterator[None]:
    """Inside the context, a call of native code that hangs ends the process with a line and exit code 1.

    Args:
        member: this process.
        minutes: time limit; at least half a minute is given.
    """
    line = (
        f"error: TensorFlow did not connect {member.address} to the other processes within the time limit; "
        "one of them may have ended. Start all processes again."
    )
    # No Python code runs while native code holds the interpreter lock: a timer of C writes to the shell and ends.
    with subprocess.Popen(
        ["/bin/sh", "-c", 'read -r _ && echo "$0" >&2', line], stdin=subprocess.PIPE, start_new_session=True
    ) as shell:
        assert shell.stdin
        seconds = min(max(60 * minutes, _LEAST_SECONDS), threading.TIMEOUT_MAX)
        faulthandler.dump_traceback_later(seconds, exit=True, file=shell.stdin.fileno())
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()


def _host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    require(
        bool(host) and port.isascii() and port.isdigit() and 0 < int(port) < 65536,
        f"the cluster has the address {address!r}; it must be host:port, with a port of 1 to 65535.",
    )
    return host.strip("[]"), int(port)


def _listen(address: str) -> socket.socket:
    """Returns a socket that listens at the port of an address, on all interfaces, as TensorFlow will."""
    port, deadline = _host_and_port(address)[1], time.monotonic() + PORT_SECONDS
    while True:
        try:
            if socket.has_dualstack_ipv6():
                return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
            return socket.create_server(("", port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                raise ConnectionError(
                    f"this process cannot listen at its address {address}: {os.strerror(error.errno or 0)}. End "
                    "the program that uses the port, or name another port in the cluster of every process"
                ) from None
        time.sleep(_RETRY_SECONDS)


def _gather(chief: ClusterMember, listener: socket.socket, deadline: float, minutes: float) -> None:
    """Waits for the reports of all other processes, and answers them."""
    waiting: dict[int, socket.socket] = {}
    listener.settimeout(_RETRY_SECONDS)
    try:
        while len(waiting) < len(chief.addresses) - 1:
            _require_time(
                chief, deadline, minutes, missing=[i for i in range(1, len(chief.addresses)) if i not in waiting]
            )
            with contextlib.suppress(TimeoutError):
                _admit(chief, listener.accept()[0], waiting)
            _remove_ended(waiting)
        for connection in waiting.values():
            _send(connection, {"go": True})
    except (UserError, ConnectionError) as error:
        for connection in waiting.values():
            _send(connection, {"error": str(error), "is_use": isinstance(error, UserError)})
        raise
    finally:
        for connection in waiting.values():
            connection.close()


def _admit(chief: ClusterMember, connection: socket.socket, waiting: dict[int, socket.socket]) -> None:
    """Adds a connection to those that wait, if it is one of another process of the cluster."""
    connection.settimeout(_STRANGER_SECONDS)
    report = _receive(connection)
    # The process may have been started again.
    _remove_ended(waiting)
    if report is None or not isinstance(report.get("addresses"), list) or not isinstance(report.get("worker"), int):
        # Anything may connect to a port.
        connection.close()
        return
    index, refusal = report["worker"], _refusal(chief, report)
    if refusal is None and index in waiting:
        _send(
            connection,
            {"error": f"another process is already {chief.addresses[index]} of the cluster.", "is_use": True},
        )
        connection.close()
        return
    # A refused process gets the reason together with the others.
    waiting[index] = connection
    if refusal is not None:
        raise UserError(refusal)


def _refusal(chief: ClusterMember, report: dict[str, Any]) -> str | None:
    """Returns why a process does not fit the cluster of the chief, or None."""
    theirs, index, devices = report["addresses"], report["worker"], report.get("devices")
    if theirs != list(chief.addresses):
        return (
            f"the processes have different clusters: {', '.join(chief.addresses)} ({len(chief.addresses)} processes) "
            f"at {chief.address}, and {', '.join(map(str, theirs))} ({len(theirs)} processes) at another. Give all "
            "the same cluster."
        )
    if not 0 < index < len(theirs):
        return f"a process reports as number {index} of {len(theirs)}, next to the chief {chief.address}."
    if devices != chief.devices:
        return (
            f"{chief.addresses[index]} has {devices} devices, and {chief.address} has {chief.devices}; all processes "
            "must have the same number. Hide some, as by CUDA_VISIBLE_DEVICES."
        )
    return None


def _remove_ended(waiting: dict[int, socket.socket]) -> None:
    """Removes the processes that have closed their connection."""
    for index, connection in list(waiting.items()):
        connection.setblocking(False)
        try:
            ended = not connection.recv(1)
        except BlockingIOError:
            ended = False
        except OSError:
            ended = True
        connection.settimeout(_STRANGER_SECONDS)
        if ended:
            waiting.pop(index).close()


def _report(member: ClusterMember, deadline: float, minutes: float) -> None:
    """Reports to the chief, and waits for its answer."""
    while True:
        _require_time(member, deadline, minutes, missing=None)
        answer: dict[str, Any] | None = None
        with contextlib.suppress(OSError), _connect(member.addresses[0]) as connection:
            _send(connection, member._asdict())
            answer = _answer(connection, deadline)
        if answer is not None:
            _raise_refusal(answer)
            if answer.get("go") is True:
                return
        time.sleep(_RETRY_SECONDS)


def _raise_refusal(answer: dict[str, Any]) -> None:
    """Raises the error that the chief answers, if it is one."""
    if "error" in answer:
        kind = UserError if answer.get("is_use") is True else ConnectionError
        raise kind(printable(str(answer["error"])))


def _connect(address: str) -> socket.socket:
    return socket.create_connection(_host_and_port(address), timeout=_STRANGER_SECONDS)


def _answer(connection: socket.socket, deadline: float) -> dict[str, Any] | None:
    connection.settimeout(min(max(deadline - time.monotonic(), 0.01), threading.TIMEOUT_MAX))
    return _receive(connection)


def _require_time(member: ClusterMember, deadline: float, minutes: float, *, missing: Sequence[int] | None) -> None:
    """Checks the time.

    Args:
        member: this process.
        deadline: end of the time.
        minutes: time limit.
        missing: processes that the chief misses; None if this process is not the chief.

    Raises:
        ConnectionError: the time is up.
    """
    if time.monotonic() <= deadline:
        return
    chief = member.addresses[0]
    absent = (
        f"the chief {chief} did not answer, or waited for another process"
        if missing is None
        else f"{', '.join(member.addresses[i] for i in missing)} did not come"
    )
    raise ConnectionError(
        f"not all {len(member.addresses)} processes of the cluster met within {minutes:g} minutes: {absent}. Start "
        "all of them with the same cluster, or raise --connect-minutes (connect_minutes in Python)"
    )


def _send(connection: socket.socket, message: dict[str, Any]) -> None:
    # Who has gone reports again, or is missed.
    with contextlib.suppress(OSError):
        connection.sendall(json.dumps(message).encode() + b"\n")


def _receive(connection: socket.socket) -> dict[str, Any] | None:
    """Returns the line of JSON that the other side sends; None if it sends anything else."""
    with contextlib.suppress(OSError, ValueError, RecursionError), connection.makefile("rb") as file:
        message = json.loads(file.readline(_MAX_BYTES))
        return message if isinstance(message, dict) else None
    return None
