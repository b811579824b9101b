"""The local file and that of a store keep the same promises."""

import dataclasses
import fcntl
import os
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from textgen.errors import UserError
from textgen.locks import lock_file
from textgen.locks.lock_file import LocalLockFile, LockFile, is_lock_name
from textgen.locks.owners import this_process
from textgen.locks.store_lock import StoreLockFile

ONE, OTHER, THIRD = (this_process(command, folder=0) for command in ("prepare", "repair", "train"))


@pytest.fixture(params=["local", "memory"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> LockFile:
    if request.param == "local":
        return LocalLockFile(tmp_path)
    return StoreLockFile(f"memory://{uuid.uuid4().hex}/data")


def test_only_one_creates_it(file: LockFile) -> None:
    assert file.read() is None
    assert file.create(ONE) and not file.create(OTHER)
    seen = file.read()
    assert seen and seen.owner == ONE and seen.modified > 1e9


def test_an_ended_owner_is_replaced_by_one_process(file: LockFile) -> None:
    file.create(ONE)
    seen = file.read()
    assert seen
    assert file.replace(seen, OTHER) and not file.replace(seen, THIRD)
    found = file.read()
    assert found and found.owner == OTHER


def test_an_owner_that_has_given_a_sign_of_life_is_not_replaced(file: LockFile) -> None:
    file.create(ONE)
    seen = file.read()
    assert seen
    assert file.renew(dataclasses.replace(ONE, beat=1))
    assert file.read() != seen
    assert not file.replace(seen, OTHER)


def test_of_many_at_once_one_wins(file: LockFile) -> None:
    contenders = [this_process("train", folder=0) for _ in range(8)]
    start = threading.Barrier(len(contenders))
    with ThreadPoolExecutor(len(contenders)) as pool:

        def create(mine) -> bool:
            start.wait()
            return file.create(mine)

        assert sum(pool.map(create, contenders)) == 1
        seen = file.read()
        assert seen

        def replace(mine) -> bool:
            start.wait()
            return file.replace(seen, mine)

        assert sum(pool.map(replace, [this_process("train", folder=0) for _ in contenders])) == 1


def test_only_the_owner_removes_and_renews_it(file: LockFile) -> None:
    file.create(ONE)
    file.remove(OTHER)
    assert not file.renew(OTHER)
    seen = file.read()
    assert seen and seen.owner == ONE
    file.remove(ONE)
    assert file.read() is None
    file.remove(ONE)


def test_a_lock_that_somebody_has_removed_is_written_again(file: LockFile) -> None:
    assert file.renew(ONE)
    seen = file.read()
    assert seen and seen.owner == ONE
    assert not file.renew(OTHER)


def test_a_file_of_another_program_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "_lock").write_text("mine")
    file = LocalLockFile(tmp_path)
    assert not file.create(ONE)
    with pytest.raises(UserError, match="_lock is not a lock of textgen"):
        file.read()
    assert (tmp_path / "_lock").read_text() == "mine"


def make_folder(path: Path) -> None:
    path.mkdir()


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def make_link(path: Path) -> None:
    (path.parent / "target").write_text("mine")
    path.symlink_to("target")


def make_broken_link(path: Path) -> None:
    path.symlink_to("nowhere")


@pytest.mark.parametrize("make", [make_folder, make_pipe, make_link, make_broken_link])
def test_what_is_no_regular_file_is_refused(tmp_path: Path, make) -> None:
    make(tmp_path / "_lock")
    file = LocalLockFile(tmp_path)
    assert not file.create(ONE)
    with pytest.raises(UserError, match="_lock is no regular file"):
        file.read()


def test_a_lock_that_can_not_be_written_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(file: int, content: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", fail)
    with pytest.raises(OSError, match="No space"):
        LocalLockFile(tmp_path).create(ONE)
    assert list(tmp_path.iterdir()) == []


def test_a_record_is_whole_when_others_see_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, seen = os.write, []

    def slow(file: int, content: bytes) -> int:
        seen.append(LocalLockFile(tmp_path).read())
        return write(file, content)

    monkeypatch.setattr(os, "write", slow)
    assert LocalLockFile(tmp_path).create(ONE)
    assert seen == [None]
    assert [path.name for path in tmp_path.iterdir()] == ["_lock"]


def test_a_filesystem_without_links_has_locks_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(source: str, target: str) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    file = LocalLockFile(tmp_path)
    assert file.create(ONE) and not file.create(OTHER)
    assert [path.name for path in tmp_path.iterdir()] == ["_lock"]


def test_records_that_were_never_linked_are_removed(tmp_path: Path) -> None:
    (tmp_path / f"_lock-{ONE.token}").write_bytes(ONE.to_bytes()[:9])
    (tmp_path / "_lock-mine").touch()
    assert LocalLockFile(tmp_path).create(OTHER)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["_lock", "_lock-mine"]


def test_a_record_that_the_owner_has_removed_comes_too_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = os.link

    def late(source: str, target: str) -> None:
        monkeypatch.setattr(os, "link", link)
        assert LocalLockFile(tmp_path).create(OTHER)
        link(source, target)

    monkeypatch.setattr(os, "link", late)
    assert not LocalLockFile(tmp_path).create(ONE)
    seen = LocalLockFile(tmp_path).read()
    assert seen and seen.owner == OTHER


def test_without_flock_what_was_written_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(file: int, operation: int) -> None:
        raise OSError(38, "Function not implemented")

    def another_writes(seconds: float) -> None:
        (tmp_path / "_lock").write_bytes(THIRD.to_bytes())

    monkeypatch.setattr(fcntl, "flock", refuse)
    monkeypatch.setattr(lock_file, "_SETTLE_SECONDS", 0.0)
    file = LocalLockFile(tmp_path)
    file.create(ONE)
    seen = file.read()
    assert seen and file.replace(seen, OTHER)
    seen = file.read()
    monkeypatch.setattr(lock_file.time, "sleep", another_writes)
    assert seen and not file.replace(seen, ONE)


def test_names_of_the_lock_are_known() -> None:
    assert is_lock_name("_lock") and is_lock_name("_lock-" + "0a" * 16)
    assert not any(is_lock_name(name) for name in ("lock", "_locks", "_lock-1", "_lock.txt", "train-000000.tfrecord"))
