"""Folders of this machine, those in fsspec's memory, and those of a driver that misbehaves."""

import errno
import os
import sys
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import fsspec
import pytest
import tensorflow as tf
from fsspec.implementations.memory import MemoryFileSystem
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.dataset import read_manifest
from textgen.errors import UserError
from textgen.files import Cache, Range, is_remote, open_folder
from textgen.text import preprocessor, vocabulary

CONTENT = bytes(range(100))


class Folders:
    """A folder that is named `directory`, and how to fill it."""

    def __init__(self, directory: str, write: Callable[[str, bytes], object]):
        self.directory, self.write = directory, write


def in_memory() -> Folders:
    directory = f"memory://{uuid.uuid4().hex}/data"
    files = fsspec.filesystem("memory")
    return Folders(directory, lambda name, content: files.pipe_file(f"{directory}/{name}", content))


@pytest.fixture(params=["local", "file", "memory"])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Folders:
    if request.param == "memory":
        folders = in_memory()
    else:
        folders = Folders(
            f"file://{tmp_path}" if request.param == "file" else str(tmp_path),
            lambda name, content: (tmp_path / name).write_bytes(content),
        )
    folders.write("a", CONTENT)
    folders.write("b", b"")
    return folders


class TestFolder:
    def test_a_file_is_read_whole_and_by_ranges_in_the_order_asked_for(self, made: Folders) -> None:
        folder = open_folder(made.directory)
        assert (folder.read("a"), folder.size("a")) == (CONTENT, 100)
        assert (folder.read("b"), folder.size("b")) == (b"", 0)
        ranges = [Range("a", 90, 100), Range("a", 0, 1), Range("a", 5, 9), Range("a", 0, 1)]
        assert folder.read_ranges(ranges) == [CONTENT[start:end] for _, start, end in ranges]
        assert folder.read_ranges([]) == []

    def test_of_a_range_that_a_file_is_too_short_for_there_are_fewer_bytes(self, made: Folders) -> None:
        ranges = [Range("a", 95, 110), Range("a", 100, 110), Range("a", 105, 110), Range("b", 0, 10)]
        assert open_folder(made.directory).read_ranges(ranges) == [CONTENT[95:], b"", b"", b""]

    def test_a_missing_file_is_an_error_that_names_it_or_has_no_size(self, made: Folders) -> None:
        folder = open_folder(made.directory)
        assert folder.size("c") is None
        for read in (lambda: folder.read("c"), lambda: folder.read_ranges([Range("a", 0, 1), Range("c", 0, 1)])):
            with pytest.raises(FileNotFoundError) as error:
                read()
            assert (error.value.strerror, error.value.filename) == ("No such file or directory", folder.path("c"))

    def test_a_missing_folder_is_seen_when_it_is_read(self, made: Folders) -> None:
        folder = open_folder(f"{made.directory}/none/")
        assert folder.size("a") is None
        with pytest.raises(FileNotFoundError):
            folder.read("a")

    def test_many_threads_may_read_at_once(self, made: Folders) -> None:
        folder = open_folder(made.directory)
        with ThreadPoolExecutor(8) as pool:
            read = pool.map(lambda i: folder.read_ranges([Range("a", i, i + 7), Range("a", 0, i)]), range(90))
            assert list(read) == [[CONTENT[i : i + 7], CONTENT[:i]] for i in range(90)]

    def test_a_path_is_told_as_it_was_typed(self, tmp_path: Path) -> None:
        assert open_folder("memory://bucket/data").path("a") == "memory://bucket/data/a"
        assert open_folder("memory://bucket/data/").path("a") == "memory://bucket/data/a"
        assert open_folder("data").path("a") == "data/a"
        assert open_folder(tmp_path).path("a") == f"{tmp_path}/a"

    def test_a_folder_in_a_files_place_is_no_file(self, tmp_path: Path) -> None:
        (tmp_path / "a").mkdir()
        assert open_folder(tmp_path).size("a") is None
        with pytest.raises(FileNotFoundError):
            open_folder(tmp_path).read("a")


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


class TestDrivers:
    @pytest.mark.parametrize(
        ("url", "module", "remedy"),
        [
            ("gs://bucket/data", "gcsfs", "Install it: pip install 'textgen-stream[gcp]'."),
            ("s3://bucket/data", "s3fs", "Install it: pip install 'textgen-stream[aws]'."),
            ("abfs://bucket/data", "adlfs", "nstall adlfs"),
        ],
    )
    def test_a_missing_driver_is_told_with_what_installs_it(
        self, monkeypatch: pytest.MonkeyPatch, url: str, module: str, remedy: str
    ) -> None:
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(UserError) as error:
            open_folder(url)
        assert str(error.value).startswith(f"{url} is read by a driver of fsspec that is not installed here. ")
        assert remedy in str(error.value)

    def test_a_scheme_that_no_driver_knows_is_told(self) -> None:
        with pytest.raises(UserError, match=r"^gopher://data cannot be read: .*gopher.*\. Name a folder of this"):
            open_folder("gopher://data")

    def test_what_a_driver_raises_is_an_os_error_with_its_text(self, failing: "type[Failing]") -> None:
        failing.error = RuntimeError("no token")
        folder = open_folder("failing://bucket/data")
        for call in (
            lambda: folder.read("a"),
            lambda: folder.size("a"),
            lambda: folder.read_ranges([Range("a", 0, 1)]),
        ):
            with pytest.raises(OSError, match="RuntimeError: no token") as error:
                call()
            assert (error.value.strerror, error.value.filename) == (
                "RuntimeError: no token",
                "failing://bucket/data/a",
            )

    def test_the_number_of_an_os_error_is_kept(self, failing: "type[Failing]") -> None:
        failing.error = PermissionError(errno.EACCES, "Access Denied")
        with pytest.raises(PermissionError, match=r"Access Denied: 'failing://bucket/data/a'"):
            open_folder("failing://bucket/data").read("a")

    def test_a_driver_that_can_not_start_is_an_os_error(self, failing: "type[Failing]") -> None:
        failing.error_at_start = RuntimeError("no credentials")
        with pytest.raises(OSError, match="RuntimeError: no credentials: 'failing://bucket/data'"):
            open_folder("failing://bucket/data")

    def test_a_store_that_refuses_a_range_after_the_end_is_as_others(self, failing: "type[Failing]") -> None:
        fsspec.filesystem("failing").pipe_file("/bucket/data/a", CONTENT)
        failing.error_after_end = True
        folder = open_folder("failing://bucket/data")
        ranges = [Range("a", 95, 110), Range("a", 100, 110), Range("a", 200, 210)]
        assert folder.read_ranges(ranges) == [CONTENT[95:], b"", b""]


class Failing(MemoryFileSystem):
    """Files in memory, with the errors that a store may have."""

    protocol = "failing"
    cachable = False
    error: Exception | None = None
    error_at_start: Exception | None = None
    error_after_end = False

    def __init__(self, **options: Any):
        if self.error_at_start:
            raise self.error_at_start
        super().__init__(**options)

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return super()._strip_protocol(path.removeprefix("failing://"))

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **options: Any) -> bytes:
        if self.error:
            raise self.error
        if self.error_after_end and start and start >= self.size(path):
            raise OSError(errno.EINVAL, "The requested range is not satisfiable")
        return super().cat_file(path, start, end, **options)

    def info(self, path: str, **options: Any) -> dict[str, Any]:
        if self.error:
            raise self.error
        return super().info(path, **options)


@pytest.fixture
def failing() -> type[Failing]:
    class Fresh(Failing):
        store: dict[str, Any] = {}

    fsspec.register_implementation("failing", Fresh, clobber=True)
    return Fresh


class TestReadingWithACache:
    @pytest.fixture
    def remote(self) -> Folders:
        folders = in_memory()
        folders.write("a", CONTENT)
        return folders

    def test_what_was_read_once_is_not_fetched_again(self, remote: Folders, tmp_path: Path) -> None:
        folder = open_folder(remote.directory, cache=Cache(tmp_path, 1000))
        ranges = [Range("a", 0, 10), Range("a", 10, 20)]
        folder.read_ranges(ranges)
        remote.write("a", b"?" * 100)
        asked = [Range("a", 30, 33), *ranges[::-1], Range("a", 1, 10)]
        assert folder.read_ranges(asked) == [b"???", CONTENT[10:20], CONTENT[:10], b"?" * 9]
        assert open_folder(remote.directory).read_ranges(ranges) == [b"?" * 10] * 2

    def test_a_fresh_read_replaces_what_was_kept(self, remote: Folders, tmp_path: Path) -> None:
        cache, wanted = Cache(tmp_path, 1000), [Range("a", 0, 10)]
        open_folder(remote.directory, cache=cache).read_ranges(wanted)
        remote.write("a", b"?" * 100)
        folder = open_folder(remote.directory, cache=cache)
        assert folder.read_ranges(wanted) == [CONTENT[:10]]
        assert folder.read_ranges(wanted, fresh=True) == [b"?" * 10]
        assert folder.read_ranges(wanted) == [b"?" * 10]

    def test_files_of_the_same_name_in_other_folders_are_others(self, remote: Folders, tmp_path: Path) -> None:
        other, cache = in_memory(), Cache(tmp_path, 1000)
        other.write("a", b"?" * 100)
        wanted = [Range("a", 0, 10)]
        assert open_folder(remote.directory, cache=cache).read_ranges(wanted) == [CONTENT[:10]]
        assert open_folder(other.directory, cache=cache).read_ranges(wanted) == [b"?" * 10]

    def test_what_a_crash_cut_is_fetched_again(self, remote: Folders, tmp_path: Path) -> None:
        folder, wanted = open_folder(remote.directory, cache=Cache(tmp_path, 1000)), [Range("a", 0, 10)]
        folder.read_ranges(wanted)
        (kept,) = tmp_path.iterdir()
        kept.write_bytes(CONTENT[:5])
        assert folder.read_ranges(wanted) == [CONTENT[:10]]
        assert kept.read_bytes() == CONTENT[:10]

    def test_a_range_that_was_too_short_is_not_kept(self, remote: Folders, tmp_path: Path) -> None:
        folder = open_folder(remote.directory, cache=Cache(tmp_path, 1000))
        assert folder.read_ranges([Range("a", 95, 110)]) == [CONTENT[95:]]
        assert list(tmp_path.iterdir()) == []

    def test_a_file_read_whole_and_one_of_this_machine_are_not_kept(self, remote: Folders, tmp_path: Path) -> None:
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / "a").write_bytes(CONTENT)
        cache = Cache(tmp_path / "cache", 1000)
        open_folder(remote.directory, cache=cache).read("a")
        open_folder(tmp_path / "data", cache=cache).read_ranges([Range("a", 0, 10)])
        assert list((tmp_path / "cache").iterdir()) == []


class TestCache:
    def test_what_is_put_is_got_and_nothing_else(self, tmp_path: Path) -> None:
        cache = Cache(tmp_path / "a" / "b", 100)
        cache.put("one", b"1")
        assert (cache.get("one"), cache.get("two")) == (b"1", None)
        cache.put("one", b"2")
        assert cache.get("one") == b"2"
        assert len(list((tmp_path / "a" / "b").iterdir())) == 1

    @given(sizes=st.lists(st.integers(0, 120), max_size=40), limit=st.integers(1, 100))
    @settings(max_examples=40, deadline=None)
    def test_the_limit_is_kept(self, tmp_path_factory: pytest.TempPathFactory, sizes: list[int], limit: int) -> None:
        folder = tmp_path_factory.mktemp("cache")
        cache = Cache(folder, limit)
        for i, size in enumerate(sizes):
            cache.put(str(i), bytes(size))
            assert cache.get(str(i)) == (bytes(size) if size <= limit else None)
            assert sum(path.stat().st_size for path in folder.iterdir()) <= limit

    def test_the_least_recently_used_go_first(self, tmp_path: Path) -> None:
        cache = Cache(tmp_path, 160)
        for i in range(16):
            cache.put(str(i), bytes(10))
            _age(tmp_path, seconds=60)
        assert cache.get("0") == bytes(10)
        _age(tmp_path, seconds=60)
        cache.put("16", bytes(30))
        assert [i for i in range(17) if cache.get(str(i))] == [0, *range(4, 17)]

    def test_what_was_there_before_counts(self, tmp_path: Path) -> None:
        Cache(tmp_path, 100).put("old", bytes(60))
        _age(tmp_path, seconds=60)
        cache = Cache(tmp_path, 100)
        cache.put("new", bytes(60))
        assert (cache.get("old"), cache.get("new")) == (None, bytes(60))

    def test_several_may_share_a_folder(self, tmp_path: Path) -> None:
        caches, limit = [Cache(tmp_path, 1600) for _ in range(4)], 1600
        for i in range(400):
            caches[i % 4].put(str(i), bytes(10))
            assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= limit * (1 + len(caches) / 16)
        assert all(cache.get("399") == bytes(10) for cache in caches)

    def test_threads_that_write_at_once_lose_nothing_and_keep_the_limit(self, tmp_path: Path) -> None:
        cache, begin = Cache(tmp_path, 500), threading.Barrier(4)

        def work(first: int) -> bool:
            begin.wait()
            for i in range(first, first + 100):
                cache.put(str(i), bytes([i % 256]) * 10)
                if cache.get(str(i)) not in (None, bytes([i % 256]) * 10):
                    return False
            return True

        with ThreadPoolExecutor(4) as pool:
            assert all(pool.map(work, (0, 50, 100, 150)))
        assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 500

    def test_files_that_vanish_meanwhile_are_no_error(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        cache = Cache(tmp_path, 100)
        cache.put("0", bytes(90))
        stat = Path.stat

        def vanish(path: Path, **options: Any) -> os.stat_result:
            if os.path.isfile(path):  # noqa: PTH113
                path.unlink()
            return stat(path, **options)

        monkeypatch.setattr(Path, "stat", vanish)
        cache.put("1", bytes(20))
        monkeypatch.undo()
        assert (cache.get("0"), cache.get("1")) == (None, bytes(20))

    def test_what_others_put_into_the_folder_stays(self, tmp_path: Path) -> None:
        (tmp_path / "thesis.tex").write_bytes(bytes(1000))
        cache = Cache(tmp_path, 100)
        for i in range(20):
            cache.put(str(i), bytes(30))
        assert (tmp_path / "thesis.tex").stat().st_size == 1000
        assert cache.get("19") == bytes(30)

    def test_what_a_killed_process_left_goes_too(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Path, "replace", _killed)
        with pytest.raises(KeyboardInterrupt):
            Cache(tmp_path, 100).put("0", bytes(90))
        monkeypatch.undo()
        assert len(list(tmp_path.iterdir())) == 1
        Cache(tmp_path, 100).put("1", bytes(90))
        assert [path.stat().st_size for path in tmp_path.iterdir()] == [90]
        assert Cache(tmp_path, 100).get("1") == bytes(90)

    def test_what_can_not_be_kept_is_not(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(path: Path, content: bytes) -> None:
            path.touch()
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(Path, "write_bytes", full)
        cache = Cache(tmp_path, 100)
        cache.put("0", bytes(9))
        assert cache.get("0") is None
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("limit", [0, -1])
    def test_a_limit_below_one_is_refused(self, tmp_path: Path, limit: int) -> None:
        with pytest.raises(UserError, match=rf"has a limit of {limit} bytes; it must be at least 1\."):
            Cache(tmp_path, limit)


def _age(folder: Path, *, seconds: int) -> None:
    """Makes all files look as if they had been used so much earlier."""
    for path in folder.iterdir():
        used = path.stat().st_mtime - seconds
        os.utime(path, (used, used))


def _killed(path: Path, target: Path) -> None:
    raise KeyboardInterrupt


class TestADatasetAtAUrl:
    @pytest.fixture
    def url(self, make_dataset: Callable[..., Path], tmp_path: Path) -> str:
        folder = make_dataset(tmp_path / "data", train=[[4, 5, 6, 4]], test=[[5]])
        remote = in_memory()
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
            UserError, match=r"^memory://none/data has no vocabulary\.jsonl; .* Name another folder\."
        ):
            vocabulary.load("memory://none/data")
