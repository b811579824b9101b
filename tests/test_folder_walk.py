"""Folders of this machine, in memory, and a local folder that is reached by a driver as a store is."""

import os
import uuid
from pathlib import Path

import fsspec
import pytest

from textgen import folder_walk
from textgen.folder_walk import AGAIN, BROKEN_LINK, FILE, FOLDER, SPECIAL, UNREADABLE, Parts, walk


def everything(parts: Parts) -> bool:
    return True


def kinds(root: str) -> dict[str, str]:
    """The kind of each entry below a folder, by its path from there."""
    return {
        "/".join((*listed.parts, entry.name)): entry.kind
        for listed in walk(root, everything)
        for entry in listed.entries
    }


@pytest.mark.parametrize("scheme", ["", "memory://", "local://"])
def test_a_folder_is_walked_to_its_last_file(scheme: str, tmp_path: Path) -> None:
    root = f"memory://{uuid.uuid4().hex}/in" if scheme == "memory://" else f"{scheme}{tmp_path}"
    for name, content in (("a", b"x" * 100), ("b", b""), ("c/d/e", b"xy")):
        with fsspec.open(f"{root}/{name}", "wb", auto_mkdir=True) as file:
            file.write(content)
    assert kinds(root) == {"a": FILE, "b": FILE, "c": FOLDER, "c/d": FOLDER, "c/d/e": FILE}
    found = {e.path: e.stamp for listed in walk(root, everything) for e in listed.entries if e.kind == FILE}
    assert {path: stamp.size for path, stamp in found.items()} == {
        f"{root}/a": 100,
        f"{root}/b": 0,
        f"{root}/c/d/e": 2,
    }
    assert all(stamp.modified > 1_000_000_000 for stamp in found.values())
    assert kinds(f"{root}/none") == {}


def test_only_wanted_folders_are_listed(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "c").mkdir()
    listed = [each.parts for each in walk(str(tmp_path), lambda parts: parts == ("a",))]
    assert listed == [(), ("a",)]


def test_the_current_folder_has_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").touch()
    monkeypatch.chdir(tmp_path)
    assert [[entry.path for entry in listed.entries] for listed in walk("", everything)] == [["a"]]


def test_what_is_no_file_has_a_kind_of_its_own(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "lost").symlink_to("nowhere")
    (tmp_path / "self").symlink_to("self")
    (tmp_path / "device").symlink_to("/dev/null")
    assert kinds(str(tmp_path)) == {"pipe": SPECIAL, "lost": BROKEN_LINK, "self": BROKEN_LINK, "device": SPECIAL}


def test_folders_behind_links_are_listed_once_and_after_all_others(tmp_path: Path) -> None:
    (tmp_path / "in" / "z").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a").touch()
    for link, target in (("a", "z"), ("b", "../other"), ("c", "../other"), ("z/up", "..")):
        (tmp_path / "in" / link).symlink_to(tmp_path / "in" / Path(link).parent / target)
    listed = [(each.parts, [entry.kind for entry in each.entries]) for each in walk(f"{tmp_path}/in", everything)]
    assert listed[1:] == [
        (("z",), [FOLDER]), (("a",), [AGAIN]), (("b",), [FILE]), (("c",), [AGAIN]), (("z", "up"), [AGAIN]),
    ]  # fmt: skip


def test_a_folder_or_file_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").touch()
    (tmp_path / "c").touch()
    original = os.stat

    def listdir(path: str) -> list[str]:
        if path.endswith("/a"):
            raise PermissionError(13, "Permission denied", path)
        return ["a", "b", "c"]

    def stat(path: str) -> os.stat_result:
        if str(path).endswith("/b"):
            raise PermissionError(13, "Permission denied", path)
        return original(path)

    monkeypatch.setattr(folder_walk.os, "listdir", listdir)
    monkeypatch.setattr(folder_walk.os, "stat", stat)
    entries = [entry for listed in walk(str(tmp_path), everything) for entry in listed.entries]
    found = [(entry.path, entry.kind, entry.detail) for entry in entries if entry.kind == UNREADABLE]
    denied = "Permission denied"
    assert found == [(f"{tmp_path}/b", UNREADABLE, denied), (f"{tmp_path}/a/", UNREADABLE, denied)]


def test_files_that_disappear_meanwhile_are_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_walk.os, "listdir", lambda path: ["gone"])
    assert kinds(str(tmp_path)) == {}
