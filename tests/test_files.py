"""Paths of this machine, files in fsspec's memory, and a local folder that is reached by a driver as a store is."""

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
import tensorflow as tf

from tests.stored_folders import CONTENT, Folders
from textgen import files
from textgen.dataset import read_manifest
from textgen.errors import UserError
from textgen.files import is_remote
from textgen.folder import Folder
from textgen.text import preprocessor, vocabulary


class TestReading:
    def test_a_file_is_read_whole_or_from_any_position(self, stored_folder: Folders) -> None:
        path = files.join(stored_folder.directory, "a")
        assert files.read(path) == files.read_if_present(path) == CONTENT
        with files.open_file(path) as file:
            assert (file.read(3), file.tell(), file.seek(90), file.read()) == (CONTENT[:3], 3, 90, CONTENT[90:])
            assert (file.seek(-1, 2), file.read(5), file.read(5), file.seek(200), file.read()) == (
                99, CONTENT[99:], b"", 200, b"",
            )  # fmt: skip

    def test_two_readers_of_a_file_do_not_disturb_each_other(self, stored_folder: Folders) -> None:
        path = files.join(stored_folder.directory, "a")
        with files.open_file(path) as one, files.open_file(path) as other:
            assert (one.read(10), other.read(20), one.read(10)) == (CONTENT[:10], CONTENT[:20], CONTENT[10:20])

    def test_lines_are_read_as_of_any_file(self, stored_folder: Folders) -> None:
        stored_folder.write("lines", b"one\ntwo\nthree")
        with files.open_file(files.join(stored_folder.directory, "lines")) as file:
            assert list(file) == [b"one\n", b"two\n", b"three"]

    def test_a_stamp_tells_a_version_from_another(self, stored_folder: Folders) -> None:
        path = files.join(stored_folder.directory, "a")
        one = files.stamp(path)
        stored_folder.write("a", CONTENT + b"x")
        other = files.stamp(path)
        assert one and other and (one.size, other.size) == (100, files.size(path)) == (100, 101)
        assert 1_000_000_000 < one.modified <= other.modified

    def test_a_missing_file_is_none_or_an_error(self, stored_folder: Folders) -> None:
        path = files.join(stored_folder.directory, "no", "file")
        assert (files.read_if_present(path), files.stamp(path), files.size(path)) == (None, None, None)
        for read in (files.read, files.open_file):
            with pytest.raises(FileNotFoundError):
                read(path)

    def test_a_folder_is_no_file(self, stored_folder: Folders) -> None:
        stored_folder.write("c/d", b"x")
        assert files.stamp(files.join(stored_folder.directory, "c")) is None
        assert files.read_if_present(files.join(stored_folder.directory, "c")) is None

    def test_a_folder_is_listed_sorted_and_not_what_is_below_it(self, stored_folder: Folders) -> None:
        stored_folder.write("c/d", b"x")
        assert files.list_names(stored_folder.directory) == ["a", "b", "c"]
        assert files.list_names(f"{stored_folder.directory}/", files_only=True) == ["a", "b"]
        assert files.list_names(files.join(stored_folder.directory, "none")) == []

    def test_a_listing_sees_what_was_written_since_the_last_one(self, stored_folder: Folders) -> None:
        for name in "xyz":
            before = files.list_names(stored_folder.directory)
            stored_folder.write(name, b"")
            assert files.list_names(stored_folder.directory) == [*before, name]

    def test_a_head_is_the_start_of_a_file_or_all_of_a_short_one(self, stored_folder: Folders) -> None:
        assert files.read_head(files.join(stored_folder.directory, "a"), 7) == CONTENT[:7]
        assert files.read_head(files.join(stored_folder.directory, "a"), 700) == CONTENT
        assert files.read_head(files.join(stored_folder.directory, "b"), 7) == b""
        with pytest.raises(FileNotFoundError):
            files.read_head(files.join(stored_folder.directory, "none"), 7)

    def test_a_file_or_folder_exists_by_its_very_name(self, stored_folder: Folders) -> None:
        stored_folder.write("c[1]/d*", b"x")
        for name, there in (("a", True), ("c[1]", True), ("c[1]/d*", True), ("c1", False), ("*", False)):
            assert files.exists(files.join(stored_folder.directory, name)) == there


class TestWriting:
    @pytest.mark.parametrize("temporary_folder", [None, "_work"])
    def test_a_file_is_replaced_whole_and_nothing_else_is_left(
        self, stored_folder: Folders, temporary_folder: str | None
    ) -> None:
        path, folder = files.join(stored_folder.directory, "a"), files.join(stored_folder.directory, "_work")
        for content in (b"one", b"two"):
            files.write_atomically(path, content, temporary_folder=temporary_folder and folder)
            assert files.read(path) == content
        assert files.list_names(stored_folder.directory, files_only=True) == ["a", "b"]
        assert files.list_names(folder) == []

    def test_missing_folders_are_made(self, stored_folder: Folders) -> None:
        path = files.join(stored_folder.directory, "x", "y", "z")
        files.write_atomically(path, b"z")
        assert files.read(path) == b"z"

    def test_a_local_file_takes_its_final_name_when_it_is_finished(
        self, stored_folder: Folders, tmp_path: Path
    ) -> None:
        with files.scratch_folder(stored_folder.directory) as folder:
            (folder / "part").write_bytes(b"x")
            files.write_atomically(files.join(stored_folder.directory, "a"), folder / "part")
            assert files.read(files.join(stored_folder.directory, "a")) == b"x"
        assert files.list_names(stored_folder.directory) == ["a", "b"]
        assert not folder.exists()

    def test_a_scratch_folder_is_on_the_disk_of_a_local_folder(self, tmp_path: Path) -> None:
        for directory in (str(tmp_path), f"file://{tmp_path}"):
            with files.scratch_folder(directory) as folder:
                assert folder.parent == tmp_path
        with files.scratch_folder(f"local://{tmp_path}") as folder:
            assert folder.parent != tmp_path

    def test_a_failed_write_leaves_the_old_content_and_no_other_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "a"
        path.write_bytes(CONTENT)

        def full(path: Path, content: bytes) -> None:
            path.touch()
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(Path, "write_bytes", full)
        with pytest.raises(OSError, match="No space left"):
            files.write_atomically(path, b"new")
        assert path.read_bytes() == CONTENT
        assert [path.name for path in tmp_path.iterdir()] == ["a"]

    def test_unfinished_files_are_known_by_their_names(self) -> None:
        for name in ("", "history.csv", "a.tmp"):
            assert files.finished_name(files.temporary_name(name)) == name
        assert files.temporary_name("a") != files.temporary_name("a")
        for name in ("a", "a.tmp", ".tmp", f"a{'0f' * 16}.tmp", f"a.{'0F' * 16}.tmp", f"a.{'0f' * 16}.tmp.txt"):
            assert files.finished_name(name) is None

    def test_what_a_killed_process_has_not_finished_is_removed_and_nothing_else(self, stored_folder: Folders) -> None:
        unfinished = [files.temporary_name(), files.temporary_name("a")]
        kept = [files.temporary_name("b"), "a.tmp"]
        for name in (*unfinished, *kept, f"c/{files.temporary_name('a')}", f"{unfinished[0]}-c/d"):
            stored_folder.write(name, b"x")
        files.remove_unfinished(stored_folder.directory, ("", "a").__contains__)
        files.remove_unfinished(files.join(stored_folder.directory, "none"), ("", "a").__contains__)
        left = files.list_names(stored_folder.directory)
        assert left == sorted(["a", "b", "c", *kept, f"{unfinished[0]}-c"])

    def test_folders_of_unfinished_files_are_removed_and_links_are_not(self, tmp_path: Path) -> None:
        names = [files.temporary_name() for _ in range(3)]
        (tmp_path / names[0]).mkdir()
        (tmp_path / names[0] / "part").touch()
        (tmp_path / "mine").mkdir()
        (tmp_path / names[1]).symlink_to(tmp_path / "mine")
        (tmp_path / names[2]).symlink_to(tmp_path / "nowhere")
        files.remove_unfinished(str(tmp_path), "".__eq__)
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["mine", *names[1:]])

    def test_files_and_folders_are_removed(self, stored_folder: Folders) -> None:
        stored_folder.write("c/d/e", b"x")
        for name in ("a", "c", "none"):
            files.remove(files.join(stored_folder.directory, name))
        assert files.list_names(stored_folder.directory) == ["b"]

    def test_a_local_folder_with_brackets_in_its_name_is_removed(self, tmp_path: Path) -> None:
        (tmp_path / "a[1]" / "b").mkdir(parents=True)
        files.remove(str(tmp_path / "a[1]"))
        assert list(tmp_path.iterdir()) == []

    def test_a_folder_is_made_once_or_again(self, stored_folder: Folders) -> None:
        path = files.join(stored_folder.directory, "x", "y")
        for _ in range(2):
            files.make_directory(path)
        files.write_atomically(files.join(path, "z"), b"")
        assert files.list_names(path) == ["z"]


def test_paths_are_joined_as_they_were_written() -> None:
    assert files.join("gs://bucket/data/", "a", "b") == "gs://bucket/data/a/b"
    assert files.join("gs://bucket", "a") == "gs://bucket/a"
    assert files.join("./data/", "a") == "./data/a"
    assert files.join("file:///data", "a") == "/data/a"


def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    for path, expanded in (
        ("~", "/home/me"), ("~/a", "/home/me/a"), ("./~/a", "./~/a"), ("a~", "a~"), ("~no one/a", "~no one/a"),
        ("gs://~/a", "gs://~/a"), ("file:///a", "/a"),
    ):  # fmt: skip
        assert files.expand_home(path) == expanded
    assert files.local_path("~/runs", what="a run") == Path("/home/me/runs")
    assert Folder("~/data").path("x") == "/home/me/data/x"


def test_what_must_be_on_this_machine_is_refused_at_a_url() -> None:
    assert files.local_path("file:///runs/a", what="a run") == Path("/runs/a")
    assert files.local_path("runs/a", what="a run") == Path("runs/a")
    with pytest.raises(UserError, match=r"^gs://b/run is a URL; a run must be in a folder of this machine\. Name a"):
        files.local_path("gs://b/run", what="a run")


def test_nothing_is_written_to_a_web_server() -> None:
    for path in ("out", "/out", "gs://b/out", "file:///out"):
        files.require_writable(path)
    with pytest.raises(UserError, match=r"^https://example\.org/out is a URL of a web server, .* read\. Name"):
        files.require_writable("https://example.org/out")


@pytest.mark.parametrize(
    ("directory", "remote"),
    [
        ("gs://bucket/data", True), ("s3://bucket", True), ("memory://data", True), ("filecache::gs://bucket", True),
        ("data", False), ("/data", False), ("file:///data", False), ("./gs:/data", False), ("a/b://c", False),
        (Path("data"), False),
    ],
)  # fmt: skip
def test_a_url_is_told_from_a_path(directory: str | Path, remote: bool) -> None:
    assert is_remote(directory) == remote


class TestADatasetAtAUrl:
    @pytest.fixture
    def url(self, make_dataset: Callable[..., Path], tmp_path: Path) -> str:
        folder = make_dataset(tmp_path / "data", train=[[4, 5, 6, 4]], test=[[5]])
        remote = Folders(f"memory://{uuid.uuid4().hex}/data")
        for path in folder.iterdir():
            remote.write(path.name, path.read_bytes())
        return remote.directory

    def test_its_manifest_vocabulary_and_preprocessor_are_those_of_the_folder(self, url: str, tmp_path: Path) -> None:
        manifest = read_manifest(url)
        assert manifest == read_manifest(tmp_path / "data")
        assert vocabulary.load(url) == vocabulary.load(tmp_path / "data")
        made = preprocessor.load(url, manifest.text)
        assert made.encode(tf.constant(["abca"])).to_list() == [[4, 5, 6, 4]]

    def test_a_url_without_a_dataset_is_told(self) -> None:
        with pytest.raises(UserError, match=r"^memory://none/data is not a dataset: it has no manifest\.json\. Make"):
            read_manifest("memory://none/data")
        with pytest.raises(
            UserError, match=r"^memory://none/data has no vocabulary\.jsonl; .* Give another folder\."
        ):
            vocabulary.load("memory://none/data")
