"""Drivers that are missing, that misbehave, that have a rename and that have none."""

import errno
import functools
import http.server
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fsspec
import pyarrow.fs
import pytest
from fsspec.implementations.arrow import ArrowFSWrapper
from fsspec.implementations.memory import MemoryFileSystem
from fsspec.implementations.webhdfs import WebHDFS
from fsspec.registry import _registry

from textgen import files, remote_files, store_retries
from textgen.errors import UserError
from textgen.folder import Folder, Range
from textgen.locks import owners, store_lock
from textgen.locks.store_lock import StoreLockFile

CONTENT = bytes(range(100))


class TestDrivers:
    @pytest.mark.parametrize(
        ("url", "module", "remedy"),
        [
            ("gs://bucket/data", "gcsfs", "Install it: pip install 'textgen-stream[gcp]'."),
            ("s3://bucket/data", "s3fs", "Install it: pip install 'textgen-stream[aws]'."),
            ("hf://datasets/a/b", "huggingface_hub", "Install it: pip install 'textgen-stream[hf]'."),
            ("https://example.org/a", "aiohttp", "Install it: pip install 'textgen-stream[http]'."),
            ("abfs://bucket/data", "adlfs", "nstall adlfs"),
        ],
    )
    def test_a_missing_driver_is_told_with_what_installs_it(
        self, monkeypatch: pytest.MonkeyPatch, url: str, module: str, remedy: str
    ) -> None:
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(UserError) as error:
            Folder(url)
        assert str(error.value).startswith(f"{url} needs a driver of fsspec that is not installed. ")
        assert remedy in str(error.value)

    def test_a_scheme_that_no_driver_knows_is_told(self) -> None:
        with pytest.raises(UserError, match=r"^gopher://data cannot be opened: .*gopher.*\. Name a folder of this"):
            Folder("gopher://data")

    def test_what_a_driver_raises_is_an_os_error_with_its_text(self, failing: "type[Failing]") -> None:
        failing.error = RuntimeError("no token")
        folder = Folder("failing://bucket/data")
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
            Folder("failing://bucket/data").read("a")

    def test_a_driver_that_can_not_start_is_an_os_error(self, failing: "type[Failing]") -> None:
        failing.error_at_start = RuntimeError("no credentials")
        with pytest.raises(OSError, match="RuntimeError: no credentials: 'failing://bucket/data'"):
            Folder("failing://bucket/data")

    def test_a_store_that_refuses_a_range_after_the_end_is_as_others(self, failing: "type[Failing]") -> None:
        fsspec.filesystem("failing").pipe_file("/bucket/data/a", CONTENT)
        failing.error_after_end = True
        folder = Folder("failing://bucket/data")
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


class ObjectStore(MemoryFileSystem):
    """A store whose objects are there when they are complete, and which can't rename them."""

    protocol = "gs"
    store: dict[str, Any] = {}
    pseudo_dirs = [""]

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return super()._strip_protocol(path.removeprefix("gs://"))

    def mv(self, *paths: str, **options: Any) -> None:
        raise NotImplementedError

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        raise PermissionError("making buckets is not allowed")

    def put_file(self, local: str, path: str, **options: Any) -> None:
        self.pipe_file(path, Path(local).read_bytes())


class Hadoop(ArrowFSWrapper):
    """The driver for `hdfs://`, over a local folder."""

    protocol = "hdfs"

    def __init__(self, **options: Any):
        super().__init__(fs=pyarrow.fs.LocalFileSystem(), **options)


class TestWritingWholeFiles:
    @pytest.fixture
    def store(self) -> Any:
        fsspec.register_implementation("gs", ObjectStore, clobber=True)
        ObjectStore.store = {}
        yield ObjectStore
        _registry.pop("gs")

    @pytest.fixture
    def hadoop(self, tmp_path: Path) -> Any:
        fsspec.register_implementation("hdfs", Hadoop, clobber=True)
        yield f"hdfs://{tmp_path}/data"
        _registry.pop("hdfs")

    def test_an_object_store_gets_the_final_name_at_once(self, store: type[ObjectStore], tmp_path: Path) -> None:
        (tmp_path / "part").write_bytes(CONTENT)
        files.make_directory("gs://bucket/data")
        for content in (b"one", b"two", tmp_path / "part"):
            files.write_atomically("gs://bucket/data/a", content, temporary_folder="gs://bucket/data/_work")
        assert files.read("gs://bucket/data/a") == CONTENT
        assert list(store.store) == ["/bucket/data/a"]

    def test_a_store_with_a_rename_replaces_files_and_tells_their_times(self, hadoop: str, tmp_path: Path) -> None:
        (tmp_path / "part").write_bytes(CONTENT)
        for content in (b"one", b"two", tmp_path / "part"):
            files.write_atomically(f"{hadoop}/a", content, temporary_folder=f"{hadoop}/_work")
        assert files.read(f"{hadoop}/a") == CONTENT
        assert files.list_names(hadoop) == ["_work", "a"]
        assert files.list_names(f"{hadoop}/_work") == []
        found, now = files.stamp(f"{hadoop}/a"), (tmp_path / "data" / "a").stat().st_mtime
        assert found and found.size == 100 and found.modified == pytest.approx(now)
        assert [path for path, _, _ in remote_files.walk(hadoop)] == [f"{hadoop}/a"]
        assert Folder(hadoop).read_ranges([Range("a", 95, 110)]) == [CONTENT[95:]]
        files.remove(hadoop)
        assert files.stamp(f"{hadoop}/a") is None


class PartsShown(MemoryFileSystem):
    """A driver with the protocol of WebHDFS, which renames by its calls; the next call fails after it was done."""

    protocol = "webhdfs"
    store: dict[str, Any] = {}
    pseudo_dirs = [""]
    loses_answer = False

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return super()._strip_protocol(path.removeprefix("webhdfs://"))

    def _call(self, operation: str, *, method: str, path: str, destination: str, renameoptions: str = "") -> Any:
        assert (operation, method) == ("RENAME", "put")
        may = path in self.store and (bool(renameoptions) or destination not in self.store)
        if may:
            self.store[destination] = self.store.pop(path)
        if type(self).loses_answer:
            type(self).loses_answer = False
            raise ConnectionResetError("no answer")
        return SimpleNamespace(json=lambda: {"boolean": may})


class TestAStoreThatShowsParts:
    @pytest.fixture
    def folder(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
        fsspec.register_implementation("webhdfs", PartsShown, clobber=True)
        monkeypatch.setattr(PartsShown, "store", {})
        monkeypatch.setattr(PartsShown, "pseudo_dirs", [""])
        monkeypatch.setattr(store_retries.time, "sleep", lambda seconds: None)
        yield "webhdfs://cluster/data"
        fsspec.register_implementation("webhdfs", WebHDFS, clobber=True)

    @pytest.mark.parametrize("loses_answer", [False, True])
    def test_a_file_is_created_whole_and_once(self, folder: str, loses_answer: bool) -> None:
        PartsShown.loses_answer = loses_answer
        create = functools.partial(remote_files.create, f"{folder}/a", temporary=f"{folder}/t")
        if loses_answer:
            # The caller finds its own content there.
            with pytest.raises(FileExistsError):
                create(b"one")
        else:
            create(b"one")
        with pytest.raises(FileExistsError):
            create(b"two")
        assert files.list_names(folder) == ["a"]
        assert files.read(f"{folder}/a") == b"one"

    def test_a_file_is_replaced_although_an_answer_is_lost(self, folder: str) -> None:
        remote_files.create(f"{folder}/a", b"one", temporary=f"{folder}/t")
        PartsShown.loses_answer = True
        files.write_atomically(f"{folder}/a", b"two", temporary_folder=f"{folder}/_work")
        assert files.read(f"{folder}/a") == b"two"

    def test_a_lock_is_taken_renewed_and_released_without_a_rest(
        self, folder: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(store_lock, "SETTLE_SECONDS", 0)
        first, second = (owners.this_process(name, folder=0) for name in ("prepare", "repair"))
        file = StoreLockFile(folder)
        for loses_answer in (False, True):
            PartsShown.loses_answer = loses_answer
            assert file.create(first) and not file.create(second)
            PartsShown.loses_answer = loses_answer
            assert file.renew(first) and not file.renew(second)
            file.remove(first)
            assert files.list_names(folder) == []


class TestAWebServer:
    """A server that sends whole files only, as Python's own does."""

    @pytest.fixture
    def server(self, tmp_path: Path) -> Iterator[str]:
        pytest.importorskip("aiohttp", reason="the extra http is not installed")
        (tmp_path / "small").write_bytes(CONTENT)
        (tmp_path / "large").write_bytes(CONTENT * 50_000)
        handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{server.server_port}"
            server.shutdown()

    def test_a_file_is_read_and_a_missing_one_is_missing(self, server: str) -> None:
        assert files.stamp(f"{server}/small?version=1") == (100, 0.0)
        assert files.read_head(f"{server}/small", 7) == CONTENT[:7]
        with files.open_file(f"{server}/small") as file:
            assert (file.read(3), file.read()) == (CONTENT[:3], CONTENT[3:])
        assert files.stamp(f"{server}/none") is None

    def test_a_large_file_that_is_not_sent_in_parts_is_refused(self, server: str) -> None:
        assert files.read_head(f"{server}/large", 7) == CONTENT[:7]
        with (
            files.open_file(f"{server}/large") as file,
            pytest.raises(UserError, match=r"/large: the server sends whole files only, .* Download the file"),
        ):
            file.read()

    def test_a_failure_is_told_and_not_taken_for_a_missing_file(self) -> None:
        pytest.importorskip("aiohttp", reason="the extra http is not installed")
        with pytest.raises(OSError, match="127.0.0.1:9") as error:
            files.stamp("http://127.0.0.1:9/a")
        assert not isinstance(error.value, FileNotFoundError)
        assert "\n" not in str(error.value)
