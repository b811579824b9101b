import os
from pathlib import Path

import pytest

from pipelines.listing.words import resolve
from textgen import files
from textgen.errors import UserError


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "[a]").mkdir()
    (tmp_path / "[a]" / "b*.txt").write_text("x")
    return tmp_path


def test_a_name_that_exists_is_that_file_whatever_is_in_it(folder: Path) -> None:
    (folder / "a").mkdir()
    (folder / "a" / "bc.txt").write_text("x")
    assert [resolve(word, None).file.path for word in ("[a]/b*.txt", "~/[a]/b*.txt", "./[a]/b*.txt")] == [  # type: ignore[union-attr]
        "[a]/b*.txt", f"{folder}/[a]/b*.txt", "./[a]/b*.txt",
    ]  # fmt: skip
    assert resolve("[a]", None) == ("[a]", None, None)
    found = resolve("[a]/*.txt", None)
    assert found.root == "[a]" and found.glob and not found.file
    assert resolve("[a]/", None).root == "[a]"


def test_a_broken_link_that_is_named_is_an_error(folder: Path) -> None:
    (folder / "link").symlink_to("nowhere")
    with pytest.raises(UserError, match=r"^link is a link to nowhere, where there is no file\. Name the file itself"):
        resolve("link", None)


def test_a_pipe_is_refused_with_the_reason_and_a_remedy(folder: Path) -> None:
    os.mkfifo("pipe")
    reader, writer = os.pipe()
    try:
        for word in ("pipe", f"/dev/fd/{reader}", "/dev/null"):
            with pytest.raises(UserError, match=rf"^{word} is a pipe or a device, .* only once.*Save it in a file"):
                resolve(word, None)
    finally:
        os.close(reader)
        os.close(writer)


def test_a_file_that_is_a_processs_standard_input_has_its_own_name(folder: Path) -> None:
    (folder / "a.txt").write_text("x")
    with (folder / "a.txt").open() as file:
        found = resolve(f"/dev/fd/{file.fileno()}", None).file
        assert found and found.path == f"{folder}/a.txt"
        (folder / "a.txt").unlink()
        with pytest.raises(UserError, match="can be read only once"):
            resolve(f"/dev/fd/{file.fileno()}", None)


@pytest.mark.parametrize("word", ["in", "in/a.txt", "in/*.txt", "link", "in/below", "in/below/none*"])
def test_an_output_folder_that_holds_the_input_is_refused(folder: Path, word: str) -> None:
    (folder / "in" / "below").mkdir(parents=True)
    (folder / "in" / "a.txt").write_text("x")
    (folder / "link").symlink_to("in")
    with pytest.raises(UserError, match=r"the output folder in holds the input .*Name a folder with --output"):
        resolve(word, "in")
    resolve("in", "in/out")


def test_of_a_web_server_only_single_files_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "stamp", lambda path: None)
    with pytest.raises(UserError, match=r"^there is no file https://example\.org/\*\.txt\. Check the URL; of a web"):
        resolve("https://example.org/*.txt", None)


def test_a_url_that_went_through_pathlib_is_told() -> None:
    with pytest.raises(UserError, match=r"no file matches 'gs:/b/x'\. A URL has two slashes .* as a string"):
        resolve(str(Path("gs://b/x")), None)


@pytest.mark.parametrize("word", ["", " "])
def test_an_empty_name_is_an_error(word: str) -> None:
    with pytest.raises(UserError, match="names no file"):
        resolve(word, None)
