"""Only regular files of a folder are opened and removed, and nothing outside it."""

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
