"""Locks of folders by threads, processes and owners of elsewhere."""

import dataclasses
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from textgen import files, locks
from textgen.errors import UserError
from textgen.locks import folder_lock, hold, owner_token, require_token
from textgen.locks.lock_file import LocalLockFile
from textgen.locks.owners import Owner, this_process

HELD = r"is being written by `textgen prepare`, process \d+ on .*, since 20.*\. Wait for its end, or stop it"


@pytest.fixture(params=["local", "memory"])
def directory(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "data") if request.param == "local" else f"memory://{uuid.uuid4().hex}/data"


def leave(directory: Path, **changes: object) -> Owner:
    """Leaves the lock of an owner in a folder."""
    owner = this_process("train", folder=directory.stat().st_ino)
    owner = dataclasses.replace(owner, **changes)  # type: ignore[arg-type]
    assert LocalLockFile(directory).create(owner)
    return owner


def _process_in(directory: Path) -> int:
    """Returns the id of the process that a folder's lock names."""
    return int(json.loads((directory / "_lock").read_text())["pid"])


def test_a_held_folder_is_refused_and_free_again_afterwards(directory: str) -> None:
    for _ in range(2):
        with hold(directory, command="prepare"):
            assert files.list_names(directory) == [locks.NAME]
            with pytest.raises(UserError, match="is being written by another call in this process"):
                hold(directory, command="repair").__enter__()
        assert files.list_names(directory) == []


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_lock_is_released_by_an_error_too(directory: str, error: type[BaseException]) -> None:
    with pytest.raises(error), hold(directory, command="prepare"):
        raise error
    with hold(directory, command="prepare"):
        pass


def test_folders_that_were_made_for_nothing_are_removed(tmp_path: Path) -> None:
    with hold(tmp_path / "a" / "b" / "c", command="prepare"):
        assert (tmp_path / "a" / "b" / "c" / "_lock").is_file()
    assert list(tmp_path.iterdir()) == []
    with hold(tmp_path / "a" / "b", command="prepare"):
        (tmp_path / "a" / "mine").touch()
    assert [path.name for path in tmp_path.rglob("*")] == ["a", "mine"]


def test_without_a_folder_there_is_no_lock_where_none_is_made(tmp_path: Path) -> None:
    with hold(tmp_path / "none", command="repair", make=False) as lock:
        assert lock is None
    assert list(tmp_path.iterdir()) == []


def test_every_name_of_a_folder_is_the_same_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to("data")
    (tmp_path / "data").mkdir()
    names = [
        "data",
        "./data/",
        "link",
        f"{tmp_path}/link/../data",
        f"file://{tmp_path}/data",
        f"local://{tmp_path}/data",
    ]
    for name in names:
        with hold(name, command="prepare"):
            for other in names:
                with pytest.raises(UserError, match="is being written"):
                    hold(other, command="prepare").__enter__()


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("mine")
    with pytest.raises(UserError, match=r"data is a file\. Name a folder with --output"):
        hold(tmp_path / "data", command="prepare").__enter__()


@pytest.mark.parametrize("code", [13, 1, 30])
def test_a_folder_that_can_not_be_written_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refuse(*arguments: object) -> None:
        raise OSError(code, os.strerror(code), str(tmp_path / "_lock"))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(
        UserError, match=r"can't be locked for writing: .*\. Make the folder writable, or name another"
    ):
        hold(tmp_path, command="prepare").__enter__()


def test_a_web_server_can_not_be_locked() -> None:
    with pytest.raises(UserError, match="is a URL of a web server"):
        hold("https://example.com/data", command="prepare").__enter__()


def test_an_ended_owner_is_told_and_taken_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    leave(tmp_path, pid=process.pid, process_start="1")
    with hold(tmp_path, command="train"):
        pass
    told = capsys.readouterr().err
    assert f"{tmp_path} was locked by `textgen train`, process {process.pid} on " in told
    assert "which has ended; its lock is taken over." in told


class TestOwnersOfElsewhere:
    @pytest.fixture(autouse=True)
    def fast(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(folder_lock, "LEASE_SECONDS", 0.3)
        monkeypatch.setattr(folder_lock, "_POLL_SECONDS", 0.02)
        monkeypatch.setattr(folder_lock, "_TELL_SECONDS", 0.05)

    def test_one_without_a_sign_of_life_is_waited_for_and_taken_over(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        leave(tmp_path, host="node7")
        begun = time.monotonic()
        with hold(tmp_path, command="train"):
            assert time.monotonic() - begun >= 0.3
        told = capsys.readouterr().err
        assert "on node7, since" in told and "waiting up to 0.3 s for a sign of life." in told
        assert "its lock is taken over" in told

    def test_one_with_a_sign_of_life_is_refused(self, tmp_path: Path) -> None:
        owner = leave(tmp_path, host="node7")
        timer = threading.Timer(0.1, LocalLockFile(tmp_path).renew, [owner])
        timer.start()
        with pytest.raises(UserError, match="being written by `textgen train`, process .* on node7, since"):
            hold(tmp_path, command="train").__enter__()
        timer.join()

    def test_an_old_one_is_not_waited_for(self, tmp_path: Path) -> None:
        leave(tmp_path, host="node7")
        os.utime(tmp_path / "_lock", (1e9, 1e9))
        begun = time.monotonic()
        with hold(tmp_path, command="train"):
            assert time.monotonic() - begun < 0.3

    def test_the_lock_in_a_copy_of_a_folder_ends_by_itself(self, tmp_path: Path) -> None:
        leave(tmp_path, folder=1)
        with hold(tmp_path, command="train"):
            assert _process_in(tmp_path) == os.getpid()

    def test_a_record_without_content_ends_by_itself(self, tmp_path: Path) -> None:
        (tmp_path / "_lock").touch()
        with hold(tmp_path, command="train"):
            assert _process_in(tmp_path) == os.getpid()

    def test_of_many_at_once_one_takes_over(self, tmp_path: Path) -> None:
        leave(tmp_path, host="node7")
        won: list[int] = []
        release = threading.Event()
        with ThreadPoolExecutor(6) as pool:
            found = [pool.submit(_try, tmp_path, won, release) for _ in range(6)]
            refused = 0
            while refused < 5:
                refused = sum(each.done() for each in found)
                time.sleep(0.01)
            release.set()
        assert len(won) == 1 and sum(each.result() for each in found) == 5


def _try(folder: Path, won: list[int], release: threading.Event) -> bool:
    """Returns whether the lock was refused."""
    try:
        with hold(folder, command="train"):
            won.append(1)
            release.wait(5)
    except UserError:
        return True
    return False


def test_the_owner_is_asked_for_before_a_write(directory: str) -> None:
    with pytest.raises(UserError, match="has taken it over"), hold(directory, command="train") as lock:
        assert lock
        token = owner_token(directory)
        lock.require_held()
        require_token(directory, token)
        files.write_atomically(files.join(directory, "_lock"), this_process("repair", folder=0).to_bytes())
        with pytest.raises(
            UserError, match=r"was held up: `textgen repair`, process .* has taken it over\. See that"
        ):
            require_token(directory, token)
        require_token(directory, "")
        lock.require_held()


def test_a_lock_that_is_missing_after_a_long_time_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="its lock could not be renewed"), hold(tmp_path, command="train") as lock:
        assert lock
        (tmp_path / "_lock").unlink()
        lock.require_held()
        assert (tmp_path / "_lock").exists()
        (tmp_path / "_lock").unlink()
        monkeypatch.setattr(folder_lock, "LEASE_SECONDS", -1.0)
        lock.require_held()
    assert list(tmp_path.iterdir()) == []


class TestHeldUp:
    @pytest.fixture(autouse=True)
    def fast(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(folder_lock, "RENEW_SECONDS", 0.02)

    def test_an_owner_gives_signs_of_life(self, directory: str) -> None:
        with hold(directory, command="train"):
            path = files.join(directory, "_lock")
            before = (files.read(path), files.stamp(path))
            deadline = time.monotonic() + 5
            while (files.read(path), files.stamp(path)) == before:
                assert time.monotonic() < deadline
                time.sleep(0.01)

    def test_a_lock_that_was_taken_over_ends_the_work(self, tmp_path: Path) -> None:
        message = r"was held up: `textgen repair`, process .* has taken it over\. See that"
        with pytest.raises(UserError, match=message), hold(tmp_path, command="prepare"):
            (tmp_path / "_lock").write_bytes(this_process("repair", folder=0).to_bytes())
            time.sleep(5)
        assert (tmp_path / "_lock").is_file()

    def test_work_in_another_thread_asks_whether_it_may_go_on(self, tmp_path: Path) -> None:
        def work() -> None:
            with hold(tmp_path, command="prepare") as lock:
                assert lock
                lock.require_held()
                (tmp_path / "_lock").write_bytes(this_process("repair", folder=0).to_bytes())
                for _ in range(500):
                    lock.require_held()
                    time.sleep(0.01)

        with ThreadPoolExecutor(1) as pool, pytest.raises(UserError, match="has taken it over"):
            pool.submit(work).result()

    def test_a_lock_that_can_not_be_renewed_is_lost_after_a_while(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(self: object, owner: Owner) -> bool:
            raise OSError(5, "Input/output error")

        monkeypatch.setattr(LocalLockFile, "renew", fail)
        with hold(tmp_path, command="prepare"):
            time.sleep(0.1)
        monkeypatch.setattr(folder_lock, "LEASE_SECONDS", 0.05)
        with pytest.raises(UserError, match="its lock could not be renewed"), hold(tmp_path, command="prepare"):
            time.sleep(5)


_FORKS = multiprocessing.get_context("fork")


def _hold_until_told(folder: Path, connection: Connection) -> None:
    try:
        with hold(folder, command="prepare"):
            connection.send("held")
            connection.recv()
    except UserError as error:
        connection.send(str(error))


@pytest.fixture
def start() -> Callable[[Path], tuple[multiprocessing.Process, Connection]]:
    def start_one(folder: Path) -> tuple[multiprocessing.Process, Connection]:
        mine, theirs = _FORKS.Pipe()
        process = _FORKS.Process(target=_hold_until_told, args=(folder, theirs))
        process.start()
        return process, mine

    return start_one


def test_processes_at_once_have_one_winner_and_a_killed_one_is_followed(start, tmp_path: Path) -> None:
    for _ in range(3):
        started = [start(tmp_path) for _ in range(4)]
        said = [connection.recv() for _, connection in started]
        assert said.count("held") == 1
        for (process, _), word in zip(started, said, strict=True):
            if word == "held":
                # A stopped process still holds its lock.
                os.kill(process.pid, signal.SIGSTOP)
                with pytest.raises(UserError, match=HELD):
                    hold(tmp_path, command="train").__enter__()
                os.kill(process.pid, signal.SIGKILL)
            process.join()


def test_a_forked_child_does_not_release_the_lock(tmp_path: Path) -> None:
    with hold(tmp_path, command="prepare") as lock:
        assert lock
        process = _FORKS.Process(target=lock.release)
        process.start()
        process.join()
        assert process.exitcode == 0 and (tmp_path / "_lock").is_file()
