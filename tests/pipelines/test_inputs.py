import bz2
import gzip
import os
import re
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import fsspec
import pytest

from pipelines.inputs import (
    check_all,
    check_unchanged,
    check_unchanged_while_read,
    find_inputs,
    require_readable,
    say_passed_over,
    tags_while_read,
)
from pipelines.listing.search import HIDDEN, OWN
from textgen import files
from textgen.corpus.readers.base import InputFile, Member
from textgen.dataset.storage.passed_over import PassedOver
from textgen.errors import UserError


def test_inputs_are_found_once_each_and_sorted(tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt", "c.csv"):
        (tmp_path / name).write_text(name)
    found = find_inputs([f"{tmp_path}/*.txt", f"{tmp_path}/a.txt", f"{tmp_path}/c.csv"], "auto").files
    assert [(Path(file.path).name, file.format, file.size) for file in found] == [
        ("a.txt", "document", 5),
        ("b.txt", "document", 5),
        ("c.csv", "csv", 5),
    ]


def test_empty_files_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").touch()
    (tmp_path / "a.txt").write_text("x")
    found = find_inputs([f"{tmp_path}/*"], "auto")
    assert [file.path for file in found.files] == [f"{tmp_path}/a.txt"]
    assert found.passed_over == [PassedOver(f"{tmp_path}/empty.txt", "empty")]
    assert found.summary() == "2 found: 1 read, passed over: 1 empty"
    assert find_inputs([f"{tmp_path}/empty.txt"], "auto").files == []


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
    assert [(each.path, each.reason) for each in found.passed_over] == [
        (f"{tmp_path}/.hidden", HIDDEN),
        (f"{tmp_path}/_SUCCESS", HIDDEN),
    ]
    assert [(Path(file.path).relative_to(tmp_path).as_posix(), file.format) for file in found.files] == [
        ("a.txt", "document"),
        ("below/b.csv.gz", "csv"),
        ("below/further/c", "document"),
    ]


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no file matches"):
        find_inputs([str(tmp_path)], "auto")


def test_archives_that_can_not_be_read_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.7z").write_bytes(b"7z\xbc\xaf\x27\x1c")
    error = find_inputs([f"{tmp_path}/a.7z"], "auto").error
    assert re.search(r"is not text \(7z archive\), so .* can.t read it\. Extract its files first", str(error))


def test_files_are_told_by_their_first_bytes(tmp_path: Path) -> None:
    contents = {
        "a.txt": gzip.compress(b"one\n"),
        "b.txt.gz": gzip.compress(bz2.compress(b"two\n")),
        "c.jsonl.gz": b'[{"text": "three"}]',
        "d.pdf": b"%PDF-1.7",
        "e": b"\x89PNG\r\n\x1a\n",
        "f.txt": b"\x89PNG\r\n\x1a\n",
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    found = find_inputs([str(tmp_path)], "auto")
    assert [(Path(file.path).name, file.format, file.compression) for file in found.files] == [
        ("a.txt", "document", ("gzip",)),
        ("b.txt.gz", "document", ("gzip", "bz2")),
        ("c.jsonl.gz", "json", ()),
    ]
    assert [(Path(each.path).name, each.reason) for each in found.passed_over] == [
        ("d.pdf", "not text (PDF)"),
        ("e", "not text (PNG image)"),
        ("f.txt", "not text (PNG image)"),
    ]
    assert "f.txt is not text (PNG image)" in str(find_inputs([f"{tmp_path}/f.txt"], "auto").error)


def test_files_that_may_be_something_else_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for i in range(5):
        (tmp_path / f"{i}.txt").write_text('{"text": "a"}\n{"text": "b"}\n')
    (tmp_path / "page.html").write_text("<html><p>One")
    find_inputs([str(tmp_path)], "auto")
    told = "".join(capsys.readouterr())
    assert "0.txt" in told and "2.txt and 2 others each looks like JSON Lines, but is read as one document;" in told
    assert "page.html is HTML, and is read with its tags; use --html strip to remove them." in told
    find_inputs([str(tmp_path)], "lines", html="strip")
    assert not "".join(capsys.readouterr())


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
        ("*.txt", ["a.txt", "b1.txt", "b2.txt"]),
        (".*", [".h.txt"]),
        ("b?.txt", ["b1.txt", "b2.txt"]),
        ("b[1].txt", ["b1.txt"]),
        ("b[!1].txt", ["b2.txt"]),
        ("[ab]*", ["a.txt", "b1.txt", "b2.txt"]),
        ("**.txt", ["a.txt", "b1.txt", "b2.txt"]),
        ("**/*.txt", ["a.txt", "b1.txt", "b2.txt", "c/d.txt", "c/e/f.txt"]),
        ("c/**/*.txt", ["c/d.txt", "c/e/f.txt"]),
        ("{b?,c/d}.txt", ["b1.txt", "b2.txt", "c/d.txt"]),
        ("**", ["a.txt", "b1.txt", "b2.txt", "c/d.txt", "c/e/f.txt"]),
        ("*/**/f*", ["c/e/f.txt"]),
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
    found = find_inputs([f"{folder}/{pattern}"], "auto").files
    assert [file.path for file in found] == [f"{folder}/{name}" for name in names]
    assert all(file.size == 1 and file.modified > 1_000_000_000 for file in found)


@pytest.mark.parametrize("pattern", ["none", "none/*", "c/*.txt", "["])
def test_a_pattern_without_a_match_is_an_error_wherever_the_files_are(folder: str, pattern: str) -> None:
    write(folder, "c/.hidden")
    with pytest.raises(UserError, match="no file matches"):
        find_inputs([f"{folder}/{pattern}"], "auto")


@pytest.mark.parametrize("name", ["a[1].txt", "[a1]/x.txt", "who?.txt", "*", "{a,b}.txt", "[a1]"])
def test_a_name_that_exists_is_that_file_and_no_pattern(folder: str, name: str) -> None:
    write(folder, name, "a1.txt", "a/x.txt", "who1.txt", "b.txt")
    assert [file.path for file in find_inputs([f"{folder}/{name}"], "auto").files] == [f"{folder}/{name}"]
    assert find_inputs([f"{folder}/[a]1.txt"], "auto").files[0].path == f"{folder}/a1.txt"


def test_a_folder_whose_files_do_not_match_is_told(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, "a.txt", "c/d.txt")
    assert [file.path for file in find_inputs([f"{folder}/*"], "auto").files] == [f"{folder}/a.txt"]
    assert f"{folder}/c matches too, but its files do not; to read them, add {folder}/c." in capsys.readouterr().err


def test_a_dataset_below_a_folder_is_passed_over_wherever_it_is(folder: str) -> None:
    write(folder, "a.txt", "out/_work/plan.json", "out/inputs.jsonl", "out/x/y.txt")
    found = find_inputs([folder], "auto")
    assert [file.path for file in found.files] == [f"{folder}/a.txt"]
    assert {(each.reason, each.detail) for each in found.passed_over} == {(OWN, f"in {folder}/out")}
    assert len(found.passed_over) == 3
    assert find_inputs([folder], "auto", output=f"{folder}/out").passed_over == []
    with pytest.raises(UserError, match="holds the input"):
        find_inputs([f"{folder}/out/x"], "auto", output=f"{folder}/out")


def test_patterns_may_be_relative_to_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(str(tmp_path), "a.txt", "c/d.txt")
    monkeypatch.chdir(tmp_path)
    for pattern, path in (("*.txt", "a.txt"), ("./*.txt", "./a.txt"), ("c", "c/d.txt"), ("c/*", "c/d.txt")):
        assert [file.path for file in find_inputs([pattern], "auto").files] == [path]


def test_a_local_stamp_is_that_of_the_operating_system(tmp_path: Path) -> None:
    write(str(tmp_path), "a.txt")
    for pattern in ("a.txt", "*", ""):
        (found,) = find_inputs([f"{tmp_path}/{pattern}"], "auto").files
        assert found.modified == os.stat(tmp_path / "a.txt").st_mtime  # noqa: PTH116


def test_a_file_of_several_names_is_read_once(tmp_path: Path) -> None:
    write(str(tmp_path), "in/b.txt", "other.txt")
    (tmp_path / "in" / "c.txt").symlink_to("b.txt")
    (tmp_path / "in" / "d.txt").hardlink_to(tmp_path / "in" / "b.txt")
    (tmp_path / "in" / "e.txt").symlink_to(tmp_path / "none")
    (tmp_path / "in" / "f.txt").symlink_to("../other.txt")
    found = find_inputs([f"{tmp_path}/in", f"{tmp_path}/in/../in/b.txt"], "auto")
    assert [Path(file.path).name for file in found.files] == ["b.txt", "f.txt"]
    first = f"{tmp_path}/in/b.txt"
    assert [(Path(each.path).name, each.reason, each.detail) for each in found.passed_over] == [
        ("c.txt", "already read by another name", f"as {first}"),
        ("d.txt", "already read by another name", f"as {first}"),
        ("e.txt", "broken link", f"to {tmp_path}/none"),
    ]


def test_a_hidden_file_that_is_named_is_read(tmp_path: Path) -> None:
    write(str(tmp_path), "a.txt", ".b.txt")
    found = find_inputs([str(tmp_path), f"{tmp_path}/.b.txt"], "auto")
    assert (len(found.files), found.passed_over) == (2, [])


def test_an_unreadable_file_stops_the_job_or_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(str(tmp_path), "a.txt", "b.txt", "c.txt")
    original = files.read_head

    def read_head(path: str, size: int) -> bytes:
        if path.endswith("a.txt"):
            return original(path, size)
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(files, "read_head", read_head)
    found = find_inputs([str(tmp_path)], "auto")
    assert [Path(file.path).name for file in found.files] == ["a.txt"]
    message = r"b\.txt \(and 1 more\) can't be read: Permission denied\. .*--on-unreadable skip\."
    with pytest.raises(UserError, match=message):
        require_readable(found.passed_over, "fail")
    require_readable(found.passed_over, "skip")
    say_passed_over(found)
    assert capsys.readouterr().err == f"passed over 2 unreadable: {tmp_path}/b.txt, {tmp_path}/c.txt\n"


def test_a_file_url_is_a_path_of_this_machine(tmp_path: Path) -> None:
    write(str(tmp_path), "a.txt")
    for pattern in ("a.txt", "*", ""):
        (found,) = find_inputs([f"file://{tmp_path}/{pattern}"], "auto").files
        assert found.path == f"{tmp_path}/a.txt"


def input_file(path: Path) -> InputFile:
    stat = path.stat()
    return InputFile(str(path), stat.st_size, stat.st_mtime, "document")


def test_the_tag_of_a_file_changes_with_a_rewrite_that_keeps_size_and_time(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"one")
    file, before = input_file(path), path.stat()
    tags = tags_while_read([file])
    assert tags_while_read([file, file]) == tags
    # The clock of a file system goes in steps of some milliseconds.
    time.sleep(0.05)
    path.write_bytes(b"two")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    check_unchanged_while_read(file)
    assert tags_while_read([file]).keys() == tags.keys()
    assert tags_while_read([file]) != tags


@pytest.mark.parametrize("check", [check_unchanged, check_unchanged_while_read])
def test_the_first_changed_file_is_named(tmp_path: Path, check: Callable[[InputFile], None]) -> None:
    paths = [tmp_path / name for name in ("a.txt", "b.txt", "c.txt")]
    for path in paths:
        path.write_bytes(b"one")
    inputs = [input_file(path) for path in paths]
    check_all(inputs, check)
    paths[1].write_bytes(b"longer")
    paths[2].unlink()
    with pytest.raises(UserError, match=r"b\.txt .* it had 3 bytes, .* and it has 6 bytes"):
        check_all(inputs, check)
    with pytest.raises(UserError, match=r"c\.txt .* it is not there now"):
        check_all(inputs[2:], check)
    with pytest.raises(UserError, match=r"b\.txt has changed while it was read"):
        tags_while_read(inputs)


def test_for_files_of_an_archive_the_archive_is_looked_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "a.zip"
    archive.write_bytes(b"PK")
    member = Member(str(archive), (), 2, 0, 1, "", -1, 1)
    inputs = [InputFile(f"{archive}/{name}", 1, archive.stat().st_mtime, "document", member=member) for name in "ab"]
    seen = []
    real = files.version
    monkeypatch.setattr(files, "version", lambda path: seen.append(path) or real(path))
    assert list(tags_while_read(inputs)) == seen == [str(archive)]


def test_of_remote_files_the_tag_of_the_store_is_taken() -> None:
    url = f"memory://{uuid.uuid4().hex}/a.txt"
    files.write_atomically(url, b"one")
    version = files.version(url)
    assert version
    file = InputFile(url, 3, version.stamp.modified, "document")
    assert tags_while_read([file]) == {url: version.tag}
    files.write_atomically(url, b"longer")
    with pytest.raises(UserError, match="has changed while it was read: it had 3 bytes"):
        tags_while_read([file])
