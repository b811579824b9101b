"""A folder is read alike on this machine and at a URL; links and files that are not regular are not opened."""

import os
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.stored_folders import CONTENT, Folders
from textgen import files
from textgen.errors import UserError
from textgen.folder import Folder, Range


def test_a_file_is_read_whole_and_by_ranges_in_the_order_asked_for(stored_folder: Folders) -> None:
    folder = Folder(stored_folder.directory)
    assert (folder.read("a"), folder.size("a")) == (CONTENT, 100)
    assert (folder.read("b"), folder.size("b")) == (b"", 0)
    ranges = [Range("a", 90, 100), Range("a", 0, 1), Range("a", 5, 9), Range("a", 0, 1)]
    assert folder.read_ranges(ranges) == [CONTENT[start:end] for _, start, end in ranges]
    assert folder.read_ranges([]) == []


def test_of_a_range_that_a_file_is_too_short_for_there_are_fewer_bytes(stored_folder: Folders) -> None:
    ranges = [Range("a", 95, 110), Range("a", 100, 110), Range("a", 105, 110), Range("b", 0, 10)]
    assert Folder(stored_folder.directory).read_ranges(ranges) == [CONTENT[95:], b"", b"", b""]


def test_a_missing_file_is_an_error_that_names_it_or_has_no_size(stored_folder: Folders) -> None:
    folder = Folder(stored_folder.directory)
    assert folder.size("c") is None
    for read in (lambda: folder.read("c"), lambda: folder.read_ranges([Range("a", 0, 1), Range("c", 0, 1)])):
        with pytest.raises(FileNotFoundError) as error:
            read()
        assert (error.value.strerror, error.value.filename) == ("No such file or directory", folder.path("c"))


def test_a_missing_folder_is_seen_when_it_is_read(stored_folder: Folders) -> None:
    folder = Folder(f"{stored_folder.directory}/none/")
    assert folder.size("a") is None
    with pytest.raises(FileNotFoundError):
        folder.read("a")


def test_many_threads_may_read_at_once(stored_folder: Folders) -> None:
    folder = Folder(stored_folder.directory)
    with ThreadPoolExecutor(8) as pool:
        read = pool.map(lambda i: folder.read_ranges([Range("a", i, i + 7), Range("a", 0, i)]), range(90))
        assert list(read) == [[CONTENT[i : i + 7], CONTENT[:i]] for i in range(90)]


def test_a_path_is_told_as_it_was_typed(tmp_path: Path) -> None:
    assert Folder("memory://bucket/data").path("a") == "memory://bucket/data/a"
    assert Folder("memory://bucket/data/").path("a") == "memory://bucket/data/a"
    assert Folder("data").path("a") == "data/a"
    assert Folder(tmp_path).path("a") == f"{tmp_path}/a"


def test_a_folder_in_a_files_place_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    assert Folder(tmp_path).size("a") is None
    with pytest.raises(UserError, match="a is a folder; it must be a regular file of its folder"):
        Folder(tmp_path).read("a")


def test_a_file_that_is_too_large_is_not_read(stored_folder: Folders) -> None:
    folder = Folder(stored_folder.directory)
    assert folder.read("a", max_bytes=100) == CONTENT
    with pytest.raises(UserError, match="a has 100 bytes; such a file may have at most 99"):
        folder.read("a", max_bytes=99)


@pytest.mark.parametrize("what", ["symbolic link", "named pipe", "socket", "folder"])
def test_what_is_no_regular_file_is_refused_and_not_waited_for(tmp_path: Path, what: str) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    path, outside = folder / "a", tmp_path / "secret"
    outside.write_bytes(CONTENT)
    with socket.socket(socket.AF_UNIX) as server:
        if what == "symbolic link":
            path.symlink_to(outside)
        elif what == "named pipe":
            os.mkfifo(path)
        elif what == "socket":
            server.bind(str(path))
        else:
            path.mkdir()
        reads = [
            lambda: Folder(folder).read("a"),
            lambda: Folder(folder).read_ranges([Range("a", 0, 1)]),
            lambda: Folder(folder).open("a"),
        ]
        for read in reads:
            with pytest.raises(UserError, match=f"a is a {what}; it must be a regular file of its folder"):
                read()


def test_sizes_come_from_one_listing(tmp_path: Path) -> None:
    for folder in (str(tmp_path / "data"), f"memory://{tmp_path.name}/data"):
        assert Folder(folder).sizes() == {}
        files.write_atomically(f"{folder}/a", b"abc")
        files.write_atomically(f"{folder}/below/b", b"abc")
        assert Folder(folder).sizes() == {"a": 3}
