import dataclasses
import json
import os
import signal
import subprocess
import sys

import pytest

from textgen.errors import UserError
from textgen.locks import owners
from textgen.locks.owners import Condition, Owner, parse, process_start, this_process


def owner(**changes: object) -> Owner:
    return dataclasses.replace(this_process("train", folder=7), **changes)  # type: ignore[arg-type]


def test_a_record_is_read_as_it_was_written() -> None:
    mine = owner()
    assert parse(mine.to_bytes(), "_lock") == mine
    # A longer record, of which the end is left when a shorter one is written over it.
    assert parse(mine.to_bytes() + b'ce": 0}\n', "_lock") == mine
    assert len(mine.to_bytes()) < owners.MAX_BYTES


@pytest.mark.parametrize("content", [b"", b"\n", b"\0" * 300])
def test_a_record_that_was_not_written_to_the_end_has_no_owner(content: bytes) -> None:
    assert parse(content, "_lock") is None


VALUES = dataclasses.asdict(this_process("train", folder=7))


@pytest.mark.parametrize(
    "values",
    [
        "my notes", [], 7, {}, {**VALUES, "more": 1}, {**VALUES, "pid": "7"}, {**VALUES, "pid": True},
        {**VALUES, "host": None}, {**VALUES, "since": 10**400}, {**VALUES, "token": "a" * owners.MAX_BYTES},
    ],
)  # fmt: skip
def test_a_file_of_another_program_is_refused(values: object) -> None:
    with pytest.raises(UserError, match=r"^data/_lock is not a lock of textgen, .* Move it away"):
        parse(json.dumps(values).encode(), "data/_lock")


def test_a_record_can_not_write_to_the_terminal() -> None:
    assert "\x1b" not in str(owner(host="a\x1b[2Jb", command="\x1b]0;x\x07"))
    assert "since" in str(parse(owner(since=-1e300).to_bytes(), "_lock"))
    assert "since" in str(parse(owner(since=1e300).to_bytes(), "_lock"))


def test_this_process_is_running() -> None:
    assert owner().condition() is Condition.RUNNING


def test_a_process_that_was_killed_has_ended_even_if_nobody_asked_for_its_exit_code() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    start = process_start(process.pid)
    assert start
    theirs = owner(pid=process.pid, process_start=start)
    assert theirs.condition() is Condition.RUNNING
    os.kill(process.pid, signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert theirs.condition() is Condition.ENDED
    process.wait()
    assert theirs.condition() is Condition.ENDED


def test_a_process_with_a_reused_number_is_another_one() -> None:
    assert owner(process_start="1").condition() is Condition.ENDED


@pytest.mark.parametrize("pid", [0, -1, 1 << 31, 1 << 80])
def test_an_impossible_number_is_of_no_process(pid: int) -> None:
    assert owner(pid=pid).condition() is Condition.ENDED


@pytest.mark.parametrize("change", [{"host": "other"}, {"boot": "other"}, {"namespace": "other"}])
def test_of_another_machine_boot_or_container_nothing_is_known(change: dict[str, str]) -> None:
    assert owner(**change).condition() is Condition.UNKNOWN


def test_a_hidden_process_of_another_user_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int, number: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    monkeypatch.setattr(owners, "process_start", lambda pid: None)
    assert owner(process_start="1").condition() is Condition.UNKNOWN


@pytest.mark.skipif(sys.platform == "win32", reason="there is no ps")
def test_without_proc_the_start_is_that_of_ps(monkeypatch: pytest.MonkeyPatch) -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        start = owners._start_by_ps(process.pid)
        assert start and start == owners._start_by_ps(process.pid)
    finally:
        process.kill()
        process.wait()
    assert owners._start_by_ps(process.pid) is None
