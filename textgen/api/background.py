"""Continues a command in a process of its own, which outlives the terminal."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from pipelines.job_record import recorded_job
from pipelines.workspace import Workspace
from textgen import locks
from textgen.console import printable, say
from textgen.errors import UserError
from textgen.files import expand_home, is_remote
from textgen.owned_folders import shared_temporary_folder

_POLL_SECONDS = 0.5

_SUBMIT_SECONDS = 60.0
"""Time after which a job counts as submitted at an engine that gives it no name."""

_IN_PROCESS = ("this machine", "Beam's embedded engine")
"""Beginnings of the names of engines that work in the process that submits a job."""


def continue_in_background(words: Sequence[str], output: str) -> int:
    """Starts a preparation in the background, and waits until its first job is submitted to the engine.

    Args:
        words: words of the command.
        output: path or URL of the dataset's folder.

    Returns:
        0 if the command continues, else its exit code.

    Raises:
        OSError: the file of its messages can't be written.
    """
    log = log_path(output)
    log.parent.mkdir(parents=True, exist_ok=True)
    # The folder of this process for temporary files ends with it.
    environment = {**os.environ, "TMPDIR": shared_temporary_folder()}
    with log.open("ab") as file:
        begin = file.tell()
        process = subprocess.Popen(
            [sys.executable, "-c", "from textgen.cli import main; main()", *words],
            stdin=subprocess.DEVNULL, stdout=file, stderr=file, env=environment, start_new_session=True,
        )  # fmt: skip
    try:
        while process.poll() is None and not _is_submitted(output, process.pid):
            time.sleep(_POLL_SECONDS)
    except BaseException:
        process.terminate()
        raise
    if process.returncode is None:
        say(
            f"goes on in the background as process {process.pid}; messages: {log}. "
            f"`textgen status {printable(output)}` tells how far it is."
        )
        return 0
    say(log.read_bytes()[begin:].decode(errors="replace").rstrip())
    return process.returncode


def log_path(output: str) -> Path:
    """Returns the file of the messages of a command that is in the background.

    >>> str(log_path("gs://bucket/data/")), str(log_path("out/data"))
    ('data.log', 'out/data.log')
    """
    name = output.rstrip("/")
    return Path(f"{name.rpartition('/')[2]}.log" if is_remote(output) else f"{expand_home(name)}.log")


def _is_submitted(output: str, pid: int) -> bool:
    """Returns whether the first job of a process is at its engine."""
    try:
        holder = locks.holder(expand_home(output))
        job = recorded_job(Workspace(expand_home(output)))
    except (OSError, UserError):
        return False
    owner = holder.owner if holder else None
    if owner is None or owner.pid != pid or job is None or job.token != owner.token:
        return False
    return bool(job.job) or job.engine.startswith(_IN_PROCESS) or time.time() - job.since > _SUBMIT_SECONDS
