from pathlib import Path

import pytest

from pipelines import storage
from textgen.errors import UserError


def test_inputs_are_found_once_each_and_sorted(tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt", "c.csv"):
        (tmp_path / name).write_text(name)
    found = storage.find_inputs([f"{tmp_path}/*.txt", f"{tmp_path}/a.txt", f"{tmp_path}/c.csv"], "auto")
    assert [(Path(file.path).name, file.format, file.size) for file in found] == [
        ("a.txt", "document", 5),
        ("b.txt", "document", 5),
        ("c.csv", "csv", 5),
    ]


def test_empty_files_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").touch()
    assert storage.find_inputs([f"{tmp_path}/*"], "auto") == []


@pytest.mark.parametrize("pattern", ["missing.txt", "*.nothing"])
def test_a_pattern_that_names_no_file_is_refused(tmp_path: Path, pattern: str) -> None:
    with pytest.raises(UserError, match="no file matches .*Check the path"):
        storage.find_inputs([f"{tmp_path}/{pattern}"], "auto")


@pytest.mark.parametrize("ending", ["", "/"])
def test_of_a_folder_all_files_are_taken_but_the_hidden_ones(tmp_path: Path, ending: str) -> None:
    (tmp_path / "below" / "further").mkdir(parents=True)
    for name in ("a.txt", ".hidden", "_SUCCESS", "below/b.csv.gz", "below/further/c"):
        (tmp_path / name).write_text("x")
    found = storage.find_inputs([str(tmp_path) + ending], "auto")
    assert [(Path(file.path).relative_to(tmp_path).as_posix(), file.format) for file in found] == [
        ("a.txt", "document"),
        ("below/b.csv.gz", "csv"),
        ("below/further/c", "document"),
    ]


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no file matches"):
        storage.find_inputs([str(tmp_path)], "auto")


def test_archives_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"x")
    with pytest.raises(UserError, match="npack"):
        storage.find_inputs([f"{tmp_path}/a.zip"], "auto")


def test_a_write_replaces_the_file_whole_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = str(tmp_path / "x")
    storage.write(path, b"one")
    storage.write(path, b"two")
    assert storage.read(path) == b"two"
    assert storage.size(path) == 3
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


def test_what_is_not_there_is_none() -> None:
    assert storage.read("/no/such/file") is None
    assert storage.size("/no/such/file") is None
    assert storage.list_files("/no/such/*") == []


def test_a_scratch_folder_is_gone_afterwards_and_what_was_published_stays(tmp_path: Path) -> None:
    with storage.scratch(str(tmp_path)) as folder:
        (folder / "part").write_bytes(b"x")
        storage.publish(folder / "part", str(tmp_path / "whole"))
        assert folder.parent == tmp_path
    assert [p.name for p in tmp_path.iterdir()] == ["whole"]
