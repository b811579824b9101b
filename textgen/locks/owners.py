"""Identifies the process that owns a lock, and tells whether it has ended."""

import dataclasses
import enum
import functools
import json
import os
import platform
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

from textgen.console import printable
from textgen.errors import UserError

MAX_BYTES = 4096
"""Maximum size of an owner's record in bytes; it is one line, and a block of every filesystem."""

_PROC = Path("/proc")
_STATE, _START = 0, 19
"""Fields of `/proc/PID/stat` after the program's name: the state, and the start in clock ticks since boot."""

_ENDED_STATES = ("Z", "X")


class Condition(enum.Enum):
    """Whether a process is running."""

    RUNNING = "running"
    ENDED = "ended"
    UNKNOWN = "unknown"
    """It is of another machine, container or boot."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Owner:
    """The process that owns a lock, as the lock file records it.

    Attributes:
        token: unique value of this ownership.
        command: what the process does in the folder, such as "prepare".
        host: name of its machine.
        pid: number of the process.
        process_start: start of the process as the system tells it, so that a reused number is noticed.
        boot: identifier of the boot of its machine; empty where the system has none.
        namespace: identifier of its process numbers, which differs between containers; empty where there is none.
        folder: inode of the folder, which differs in a copy; 0 for a URL.
        since: time at which it took the lock, in seconds since 1970.
        beat: number of times it has renewed the record.
    """

    token: str
    command: str
    host: str
    pid: int
    process_start: str
    boot: str
    namespace: str
    folder: int
    since: float
    beat: int = 0

    def condition(self) -> Condition:
        """Returns whether its process is running, as far as this process can tell."""
        if (self.host, self.boot, self.namespace) != (platform.node(), _boot(), _namespace()):
            return Condition.UNKNOWN
        start = process_start(self.pid)
        if start == self.process_start:
            return Condition.RUNNING
        # A system may hide the processes of other users.
        return Condition.UNKNOWN if start is None and _is_hidden(self.pid) else Condition.ENDED

    def to_bytes(self) -> bytes:
        """Returns the record as one line of JSON."""
        return f"{json.dumps(dataclasses.asdict(self))}\n".encode()

    def __str__(self) -> str:
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.since))
        return printable(f"`textgen {self.command}`, process {self.pid} on {self.host}, since {since}")


def this_process(command: str, *, folder: int) -> Owner:
    """Returns a new ownership of this process.

    Args:
        command: what it does in the folder.
        folder: inode of the folder; 0 for a URL.
    """
    return Owner(
        token=uuid.uuid4().hex,
        command=command,
        host=platform.node(),
        pid=os.getpid(),
        process_start=process_start(os.getpid()) or "",
        boot=_boot(),
        namespace=_namespace(),
        folder=folder,
        since=time.time(),
    )


def parse(content: bytes, path: str) -> Owner | None:
    """Returns the owner that a lock file records; None if it was not written to the end.

    Args:
        content: content of the file.
        path: path of the file, for the error.

    Raises:
        UserError: the file is not a lock of this program.
    """
    line = content.partition(b"\n")[0].strip(b"\0")
    if not line:
        return None
    try:
        values: Any = json.loads(line) if len(line) <= MAX_BYTES else None
        owner = Owner(**values)
        types = {field.name: field.type for field in dataclasses.fields(Owner)}
        if all(type(value) is types[name] for name, value in dataclasses.asdict(owner).items()):
            return dataclasses.replace(owner, since=min(max(owner.since, 0.0), 1e10))
    except (ValueError, TypeError, RecursionError):
        pass
    raise UserError(
        f"{path} is not a lock of textgen, which keeps its lock under this name. Move it away, or name another "
        "folder."
    )


def process_start(pid: int) -> str | None:
    """Returns when a process of this machine started, as the system tells it; None if there is no such process.

    The value has no meaning but that another process with the same number has another one. It is empty where the
    system does not tell it.
    """
    if not 0 < pid < 1 << 31:
        return None
    if (_PROC / "self" / "stat").exists():
        return _start_by_proc(pid)
    if sys.platform == "win32":
        return ""
    return _start_by_ps(pid)


def _start_by_proc(pid: int) -> str | None:
    try:
        stat = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The name is in parentheses and may hold any characters.
    fields = stat.rpartition(")")[2].split()
    # A killed process stays in the table until its parent asks for its exit code.
    return None if fields[_STATE] in _ENDED_STATES else fields[_START]


def _start_by_ps(pid: int) -> str | None:
    command = ["ps", "-o", "state=,lstart=", "-p", str(pid)]
    found = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"})
    state, _, start = found.stdout.strip().partition(" ")
    return start.strip() if start and state[:1] not in _ENDED_STATES else None


def _is_hidden(pid: int) -> bool:
    """Returns whether there is a process of another user with this number."""
    try:
        if 0 < pid < 1 << 31 and sys.platform != "win32":
            os.kill(pid, 0)
    except PermissionError:
        return True
    except OSError:
        pass
    return False


@functools.cache
def _boot() -> str:
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


@functools.cache
def _namespace() -> str:
    try:
        return str((_PROC / "self/ns/pid").readlink())
    except OSError:
        return ""
