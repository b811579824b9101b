"""What only stores have: drivers with and without a conditional write, and markers of take-overs."""

from collections.abc import Callable, Iterator
from typing import Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from fsspec.registry import _registry

from textgen import files
from textgen.errors import UserError
from textgen.locks import store_lock
from textgen.locks.owners import Owner, this_process
from textgen.locks.store_lock import StoreLockFile

ONE, OTHER, THIRD = (this_process(command, folder=0) for command in ("prepare", "repair", "train"))
FOLDER = "plain://bucket/data"


class Plain(MemoryFileSystem):
    """A store that replaces an object that is there, and whose driver has no exclusive creation."""

    protocol = "plain"
    store: dict[str, Any] = {}
    pseudo_dirs = [""]

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return super()._strip_protocol(path.removeprefix("plain://"))

    def pipe_file(self, path: str, value: bytes) -> None:  # type: ignore[override]
        super().pipe_file(path, value)


class Failing(Plain):
    """A store that can only be read."""

    protocol = "plain"

    def pipe_file(self, path: str, value: bytes) -> None:  # type: ignore[override]
        raise RuntimeError("403 Forbidden")


@pytest.fixture(params=[Plain])
def store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Plain]]:
    fsspec.register_implementation("plain", request.param, clobber=True)
    Plain.store.clear()
    monkeypatch.setattr(store_lock, "SETTLE_SECONDS", 0.0)
    yield request.param
    _registry.pop("plain")


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Owner], None]:
    """Has another process write a record while the next one that has written waits."""

    def write(name: str, owner: Owner) -> None:
        def sleep(seconds: float) -> None:
            files.write_atomically(f"{FOLDER}/{name}", owner.to_bytes())

        monkeypatch.setattr(store_lock.time, "sleep", sleep)

    return write


def owner_of(file: StoreLockFile) -> Owner | None:
    seen = file.read()
    return seen.owner if seen else None


def test_without_a_conditional_write_the_last_of_two_has_the_lock(
    store: type[Plain], meanwhile: Callable[[str, Owner], None]
) -> None:
    file = StoreLockFile(FOLDER)
    meanwhile("_lock", OTHER)
    assert not file.create(ONE)
    assert owner_of(file) == OTHER


def test_without_a_conditional_write_a_lock_is_not_replaced_once_it_is_there(store: type[Plain]) -> None:
    file = StoreLockFile(FOLDER)
    assert file.create(ONE) and not file.create(OTHER)
    seen = file.read()
    assert seen and file.replace(seen, OTHER)
    assert files.list_names(FOLDER) == ["_lock"]


def test_of_two_that_take_over_the_one_with_the_marker_wins(
    store: type[Plain], meanwhile: Callable[[str, Owner], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = StoreLockFile(FOLDER)
    file.create(ONE)
    seen = file.read()
    assert seen
    monkeypatch.setattr(file, "_remove", lambda url: None)
    file.replace(seen, OTHER)
    (marker,) = [name for name in files.list_names(FOLDER) if name != "_lock"]
    meanwhile(marker, OTHER)
    files.write_atomically(f"{FOLDER}/_lock", seen.content)
    assert not file.replace(seen, THIRD)


def test_the_marker_of_a_process_that_was_killed_is_removed_in_the_end(
    store: type[Plain], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = StoreLockFile(FOLDER)
    file.create(ONE)
    seen = file.read()
    assert seen
    with monkeypatch.context() as patch:
        patch.setattr(file, "_remove", lambda url: None)
        file.replace(seen, OTHER)
    files.write_atomically(f"{FOLDER}/_lock", seen.content)
    seen = file.read()
    assert seen and not file.replace(seen, THIRD)
    monkeypatch.setattr(store_lock, "MARKER_SECONDS", -1.0)
    assert not file.replace(seen, THIRD)
    assert file.replace(seen, THIRD)
    assert files.list_names(FOLDER) == ["_lock"]


@pytest.mark.parametrize("store", [Failing], indirect=True)
def test_a_store_that_can_not_be_written_is_an_error_of_the_store(store: type[Plain]) -> None:
    with pytest.raises(OSError, match="RuntimeError: 403 Forbidden"):
        StoreLockFile(FOLDER).create(ONE)


@pytest.mark.parametrize("content", [b"mine", b"x" * 10_000])
def test_an_object_of_another_program_is_refused(store: type[Plain], content: bytes) -> None:
    files.write_atomically(f"{FOLDER}/_lock", content)
    with pytest.raises(UserError, match="_lock is not a lock of textgen"):
        StoreLockFile(FOLDER).read()
