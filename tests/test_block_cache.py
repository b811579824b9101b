"""The cache, and remote folders that are read through it."""

import errno
import os
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import fsspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.block_cache import BlockCache, open_folder
from textgen.errors import UserError
from textgen.folder import Range

CONTENT = bytes(range(100))


class Remote:
    """A new folder in fsspec's memory."""

    def __init__(self) -> None:
        self.directory = f"memory://{uuid.uuid4().hex}/data"

    def write(self, name: str, content: bytes) -> None:
        fsspec.filesystem("memory").pipe_file(f"{self.directory}/{name}", content)


class TestReadingWithACache:
    @pytest.fixture
    def remote(self) -> Remote:
        made = Remote()
        made.write("a", CONTENT)
        return made

    def test_what_was_read_once_is_not_fetched_again(self, remote: Remote, tmp_path: Path) -> None:
        folder = open_folder(remote.directory, cache=BlockCache(tmp_path, 1000))
        ranges = [Range("a", 0, 10), Range("a", 10, 20)]
        folder.read_ranges(ranges)
        remote.write("a", b"?" * 100)
        asked = [Range("a", 30, 33), *ranges[::-1], Range("a", 1, 10)]
        assert folder.read_ranges(asked) == [b"???", CONTENT[10:20], CONTENT[:10], b"?" * 9]
        assert open_folder(remote.directory, cache=None).read_ranges(ranges) == [b"?" * 10] * 2

    def test_a_fresh_read_replaces_what_was_kept(self, remote: Remote, tmp_path: Path) -> None:
        cache, wanted = BlockCache(tmp_path, 1000), [Range("a", 0, 10)]
        open_folder(remote.directory, cache=cache).read_ranges(wanted)
        remote.write("a", b"?" * 100)
        folder = open_folder(remote.directory, cache=cache)
        assert folder.read_ranges(wanted) == [CONTENT[:10]]
        assert folder.read_ranges(wanted, fresh=True) == [b"?" * 10]
        assert folder.read_ranges(wanted) == [b"?" * 10]

    def test_files_of_the_same_name_in_other_folders_are_others(self, remote: Remote, tmp_path: Path) -> None:
        other, cache = Remote(), BlockCache(tmp_path, 1000)
        other.write("a", b"?" * 100)
        wanted = [Range("a", 0, 10)]
        assert open_folder(remote.directory, cache=cache).read_ranges(wanted) == [CONTENT[:10]]
        assert open_folder(other.directory, cache=cache).read_ranges(wanted) == [b"?" * 10]

    def test_what_a_crash_cut_is_fetched_again(self, remote: Remote, tmp_path: Path) -> None:
        folder, wanted = open_folder(remote.directory, cache=BlockCache(tmp_path, 1000)), [Range("a", 0, 10)]
        folder.read_ranges(wanted)
        (kept,) = tmp_path.iterdir()
        kept.write_bytes(CONTENT[:5])
        assert folder.read_ranges(wanted) == [CONTENT[:10]]
        assert kept.read_bytes() == CONTENT[:10]

    def test_a_range_that_was_too_short_is_not_kept(self, remote: Remote, tmp_path: Path) -> None:
        folder = open_folder(remote.directory, cache=BlockCache(tmp_path, 1000))
        assert folder.read_ranges([Range("a", 95, 110)]) == [CONTENT[95:]]
        assert list(tmp_path.iterdir()) == []

    def test_a_file_read_whole_and_one_of_this_machine_are_not_kept(self, remote: Remote, tmp_path: Path) -> None:
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / "a").write_bytes(CONTENT)
        cache = BlockCache(tmp_path / "cache", 1000)
        open_folder(remote.directory, cache=cache).read("a")
        open_folder(tmp_path / "data", cache=cache).read_ranges([Range("a", 0, 10)])
        assert list((tmp_path / "cache").iterdir()) == []


class TestCache:
    def test_what_is_put_is_got_and_nothing_else(self, tmp_path: Path) -> None:
        cache = BlockCache(tmp_path / "a" / "b", 100)
        cache.put("one", b"1")
        assert (cache.get("one"), cache.get("two")) == (b"1", None)
        cache.put("one", b"2")
        assert cache.get("one") == b"2"
        assert len(list((tmp_path / "a" / "b").iterdir())) == 1

    @given(sizes=st.lists(st.integers(0, 120), max_size=40), limit=st.integers(1, 100))
    @settings(max_examples=40, deadline=None)
    def test_the_limit_is_kept(self, tmp_path_factory: pytest.TempPathFactory, sizes: list[int], limit: int) -> None:
        folder = tmp_path_factory.mktemp("cache")
        cache = BlockCache(folder, limit)
        for i, size in enumerate(sizes):
            cache.put(str(i), bytes(size))
            assert cache.get(str(i)) == (bytes(size) if size <= limit else None)
            assert sum(path.stat().st_size for path in folder.iterdir()) <= limit

    def test_the_least_recently_used_go_first(self, tmp_path: Path) -> None:
        cache = BlockCache(tmp_path, 160)
        for i in range(16):
            cache.put(str(i), bytes(10))
            _age(tmp_path, seconds=60)
        assert cache.get("0") == bytes(10)
        _age(tmp_path, seconds=60)
        cache.put("16", bytes(30))
        assert [i for i in range(17) if cache.get(str(i))] == [0, *range(4, 17)]

    def test_what_was_there_before_counts(self, tmp_path: Path) -> None:
        BlockCache(tmp_path, 100).put("old", bytes(60))
        _age(tmp_path, seconds=60)
        cache = BlockCache(tmp_path, 100)
        cache.put("new", bytes(60))
        assert (cache.get("old"), cache.get("new")) == (None, bytes(60))

    def test_several_may_share_a_folder(self, tmp_path: Path) -> None:
        caches, limit = [BlockCache(tmp_path, 1600) for _ in range(4)], 1600
        for i in range(400):
            caches[i % 4].put(str(i), bytes(10))
            assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= limit * (1 + len(caches) / 16)
        assert all(cache.get("399") == bytes(10) for cache in caches)

    def test_threads_that_write_at_once_lose_nothing_and_keep_the_limit(self, tmp_path: Path) -> None:
        cache, begin = BlockCache(tmp_path, 500), threading.Barrier(4)

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
        cache = BlockCache(tmp_path, 100)
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
        cache = BlockCache(tmp_path, 100)
        for i in range(20):
            cache.put(str(i), bytes(30))
        assert (tmp_path / "thesis.tex").stat().st_size == 1000
        assert cache.get("19") == bytes(30)

    def test_what_a_killed_process_left_goes_too(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Path, "replace", _killed)
        with pytest.raises(KeyboardInterrupt):
            BlockCache(tmp_path, 100).put("0", bytes(90))
        monkeypatch.undo()
        assert len(list(tmp_path.iterdir())) == 1
        BlockCache(tmp_path, 100).put("1", bytes(90))
        assert [path.stat().st_size for path in tmp_path.iterdir()] == [90]
        assert BlockCache(tmp_path, 100).get("1") == bytes(90)

    def test_what_can_not_be_kept_is_not(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(path: Path, content: bytes) -> None:
            path.touch()
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(Path, "write_bytes", full)
        cache = BlockCache(tmp_path, 100)
        cache.put("0", bytes(9))
        assert cache.get("0") is None
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("limit", [0, -1])
    def test_a_limit_below_one_is_refused(self, tmp_path: Path, limit: int) -> None:
        with pytest.raises(UserError, match=rf"has a limit of {limit} bytes; it must be at least 1\."):
            BlockCache(tmp_path, limit)


def _age(folder: Path, *, seconds: int) -> None:
    """Makes all files look as if they had been used so much earlier."""
    for path in folder.iterdir():
        used = path.stat().st_mtime - seconds
        os.utime(path, (used, used))


def _killed(path: Path, target: Path) -> None:
    raise KeyboardInterrupt
