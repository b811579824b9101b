import dataclasses
import os
import time
from pathlib import Path

from textgen.locks import hold, holder
from textgen.locks.lock_file import NAME
from textgen.locks.owners import this_process


def test_a_folder_without_a_lock_has_no_holder(tmp_path: Path) -> None:
    assert holder(str(tmp_path)) is None
    assert holder("memory://nowhere/data") is None


def test_the_holder_is_told_and_keeps_its_lock(tmp_path: Path) -> None:
    for folder in (str(tmp_path), "memory://held/data"):
        with hold(folder, command="prepare"):
            found = holder(folder)
            assert found is not None and found.is_running and found.owner is not None
            assert (found.owner.command, found.owner.pid) == ("prepare", os.getpid())
            assert holder(folder) is not None
        assert holder(folder) is None


def test_an_ended_process_and_a_silent_one_of_elsewhere_are_not_running(tmp_path: Path) -> None:
    mine = this_process("prepare", folder=0)
    lock = tmp_path / NAME
    lock.write_bytes(dataclasses.replace(mine, process_start="other").to_bytes())
    found = holder(str(tmp_path))
    assert found is not None and not found.is_running
    lock.write_bytes(dataclasses.replace(mine, host="elsewhere").to_bytes())
    found = holder(str(tmp_path))
    assert found is not None and found.is_running
    os.utime(lock, (time.time() - 100, time.time() - 100))
    found = holder(str(tmp_path))
    assert found is not None and not found.is_running and 90 < (found.silent_seconds or 0) < 200
    lock.write_bytes(b"")
    found = holder(str(tmp_path))
    assert found is not None and found.owner is None and not found.is_running
