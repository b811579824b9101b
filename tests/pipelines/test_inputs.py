import os
import uuid
from pathlib import Path

import fsspec
import pytest

from pipelines.inputs import find_inputs
from textgen.errors import UserError


def test_inputs_are_found_once_each_and_sorted(tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt", "c.csv"):
        (tmp_path / name).write_text(name)
    found = find_inputs([f"{tmp_path}/*.txt", f"{tmp_path}/a.txt", f"{tmp_path}/c.csv"], "auto")
    assert [(Path(file.path).name, file.format, file.size) for file in found] == [
        ("a.txt", "document", 5),
        ("b.txt", "document", 5),
        ("c.csv", "csv", 5),
    ]


def test_empty_files_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").touch()
    assert find_inputs([f"{tmp_path}/*"], "auto") == []


@pytest.mark.parametrize("pattern", ["missing.txt", "*.nothing"])
def test_a_pattern_that_names_no_file_is_refused(tmp_path: Path, pattern: str) -> None:
    with pytest.raises(UserError, match="no file matches .*Check the path"):
        find_inputs([f"{tmp_path}/{pattern}"], "auto")


@pytest.mark.parametrize("ending", ["", "/"])
def test_of_a_folder_all_files_are_taken_but_the_hidden_ones(tmp_path: Path, ending: str) -> None:
    (tmp_path / "below" / "further").mkdir(parents=True)
    for name in ("a.txt", ".hidden", "_SUCCESS", "below/b.csv.gz", "below/further/c"):
        (tmp_path / name).write_text("x")
    found = find_inputs([str(tmp_path) + ending], "auto")
    assert [(Path(file.path).relative_to(tmp_path).as_posix(), file.format) for file in found] == [
        ("a.txt", "document"),
        ("below/b.csv.gz", "csv"),
        ("below/further/c", "document"),
    ]


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no file matches"):
        find_inputs([str(tmp_path)], "auto")


def test_archives_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"x")
    with pytest.raises(UserError, match=r"is a \.zip file, which textgen can.t read\. Extract its files first"):
        find_inputs([f"{tmp_path}/a.zip"], "auto")


@pytest.fixture(params=["local", "memory", "driver"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A local folder, one in memory, and a local one that is read by a driver, as a remote one is."""
    return {"local": str(tmp_path), "memory": f"memory://{uuid.uuid4().hex}/in", "driver": f"local://{tmp_path}"}[
        request.param
    ]


def write(folder: str, *names: str) -> None:
    for name in names:
        with fsspec.open(f"{folder}/{name}", "w", auto_mkdir=True) as file:
            file.write("x")


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("*.txt", [".h.txt", "a.txt", "b1.txt", "b2.txt"]),
        ("b?.txt", ["b1.txt", "b2.txt"]),
        ("b[1].txt", ["b1.txt"]),
        ("b[!1].txt", ["b2.txt"]),
        ("[ab]*", ["a.txt", "b1.txt", "b2.txt"]),
        ("**.txt", [".h.txt", "a.txt", "b1.txt", "b2.txt", "c/d.txt", "c/e/f.txt"]),
        ("**/*.txt", ["c/d.txt", "c/e/f.txt"]),
        ("*/*.txt", ["c/d.txt"]),
        ("c", ["c/d.txt", "c/e/f.txt"]),
        ("c/", ["c/d.txt", "c/e/f.txt"]),
        ("[c]", ["c/d.txt", "c/e/f.txt"]),
        ("", ["a.txt", "b1.txt", "b2.txt", "c/d.txt", "c/e/f.txt"]),
        ("c/d.txt", ["c/d.txt"]),
    ],
)
def test_patterns_match_alike_wherever_the_files_are(folder: str, pattern: str, names: list[str]) -> None:
    write(folder, ".h.txt", "a.txt", "b1.txt", "b2.txt", "c/d.txt", "c/e/f.txt", "c/_SUCCESS")
    found = find_inputs([f"{folder}/{pattern}"], "auto")
    assert [file.path for file in found] == [f"{folder}/{name}" for name in names]
    assert all(file.size == 1 and file.modified > 1_000_000_000 for file in found)


@pytest.mark.parametrize("pattern", ["none", "none/*", "c", "["])
def test_a_pattern_without_a_match_is_an_error_wherever_the_files_are(folder: str, pattern: str) -> None:
    write(folder, "c/.hidden")
    with pytest.raises(UserError, match="no file matches"):
        find_inputs([f"{folder}/{pattern}"], "auto")


def test_an_existing_name_with_brackets_is_a_pattern(folder: str) -> None:
    write(folder, "a[1].txt", "a1.txt")
    assert [file.path for file in find_inputs([f"{folder}/a[1].txt"], "auto")] == [f"{folder}/a1.txt"]
    assert len(find_inputs([f"{folder}/a*"], "auto")) == 2


def test_patterns_may_be_relative_to_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(str(tmp_path), "a.txt", "c/d.txt")
    monkeypatch.chdir(tmp_path)
    for pattern, path in (("*.txt", "a.txt"), ("./*.txt", "./a.txt"), ("c", "c/d.txt"), ("c/*", "c/d.txt")):
        assert [file.path for file in find_inputs([pattern], "auto")] == [path]


def test_a_local_stamp_is_that_of_the_operating_system(tmp_path: Path) -> None:
    write(str(tmp_path), "a.txt")
    for pattern in ("a.txt", "*", ""):
        (found,) = find_inputs([f"{tmp_path}/{pattern}"], "auto")
        assert found.modified == os.stat(tmp_path / "a.txt").st_mtime  # noqa: PTH116


def test_links_to_files_are_taken_and_broken_links_are_left_out(tmp_path: Path) -> None:
    write(str(tmp_path), "a.txt")
    (tmp_path / "b.txt").symlink_to(tmp_path / "a.txt")
    (tmp_path / "c.txt").symlink_to(tmp_path / "none")
    assert [Path(file.path).name for file in find_inputs([str(tmp_path)], "auto")] == ["a.txt", "b.txt"]


def test_a_file_url_is_a_path_of_this_machine(tmp_path: Path) -> None:
    write(str(tmp_path), "a.txt")
    for pattern in ("a.txt", "*", ""):
        assert [file.path for file in find_inputs([f"file://{tmp_path}/{pattern}"], "auto")] == [f"{tmp_path}/a.txt"]
