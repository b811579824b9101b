"""Only regular files of a folder are opened and removed, and nothing outside it."""

import os
import stat
import tracemalloc
from pathlib import Path

import pytest

from textgen.errors import UserError
from textgen.regular_files import open_regular, read_regular, remove_file, require_no_links, unusual


def test_a_regular_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"text")
    assert unusual(tmp_path / "a") == ""
    assert read_regular(tmp_path / "a") == b"text"
    with open_regular(tmp_path / "a") as file:
        assert file.read(2) == b"te"


def test_a_missing_file_is_one(tmp_path: Path) -> None:
    assert unusual(tmp_path / "a") == unusual(tmp_path / "a" / "b") == ""
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "a")


def test_a_device_is_not_opened() -> None:
    assert unusual(Path("/dev/zero")) == "a device"
    with pytest.raises(UserError, match="^/dev/zero is a device; it must be a regular file of its folder"):
        read_regular(Path("/dev/zero"))


def test_a_file_of_any_size_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with (tmp_path / "a").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(UserError, match="a has 1,099,511,627,776 bytes; such a file may have at most 10"):
        read_regular(tmp_path / "a", max_bytes=10)


def test_no_more_memory_is_reserved_than_a_file_needs(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"text")
    tracemalloc.start()
    try:
        assert read_regular(tmp_path / "a", max_bytes=1 << 34) == b"text"
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("max_bytes", "is_read"), [(9, True), (8, False), (6, False)])
def test_a_file_that_grows_while_it_is_read_is_read_or_refused_whole(
    max_bytes: int, is_read: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_bytes(b"123456789")

    def grown(number: int) -> os.stat_result:
        return os.stat_result((stat.S_IFREG, *[0] * 5, 2, *[0] * 3))

    monkeypatch.setattr(os, "fstat", grown)
    if is_read:
        assert read_regular(tmp_path / "a", max_bytes=max_bytes) == b"123456789"
    else:
        with pytest.raises(UserError, match=f"at most {max_bytes}"):
            read_regular(tmp_path / "a", max_bytes=max_bytes)


def test_of_a_link_the_link_is_removed(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("text")
    (tmp_path / "link").symlink_to(tmp_path / "kept")
    remove_file(tmp_path / "link")
    remove_file(tmp_path / "link")
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_a_folder_is_never_removed_in_place_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(UserError, match="a is a folder, where a file is expected; folders are not removed"):
        remove_file(tmp_path / "a")
    assert (tmp_path / "a").is_dir()


def test_links_anywhere_in_a_folder_are_found(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    require_no_links(folder)
    (folder / "tokens").mkdir(parents=True)
    (folder / "plan.json").write_text("{}")
    require_no_links(folder)
    (folder / "tokens" / "link").symlink_to(tmp_path)
    with pytest.raises(UserError, match="link is a symbolic link"):
        require_no_links(folder)
    (tmp_path / "other").symlink_to(folder)
    with pytest.raises(UserError, match="other is a symbolic link"):
        require_no_links(tmp_path / "other")
