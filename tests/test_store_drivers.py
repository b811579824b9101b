"""What fsspec's drivers do each in their own way."""

from typing import Any

import fsspec
import pytest
from fsspec.implementations.webhdfs import WebHDFS

from textgen import remote_files, store_drivers


class TestRenameOver:
    def test_a_file_is_replaced(self) -> None:
        driver = fsspec.filesystem("memory")
        driver.pipe({"/drivers/old": b"old", "/drivers/new": b"new"})
        store_drivers.rename_over(driver, "/drivers/new", "/drivers/old")
        assert driver.cat("/drivers/old") == b"new" and not driver.exists("/drivers/new")

    def test_webhdfs_is_asked_to_overwrite(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked = []

        def record(driver: WebHDFS, operation: str, **options: Any) -> None:
            asked.append((operation, options))

        monkeypatch.setattr(WebHDFS, "_call", record)
        monkeypatch.setattr(WebHDFS, "makedirs", lambda *_, **options: None)
        monkeypatch.setattr(WebHDFS, "pipe_file", lambda *_, **options: None)
        host = "webhdfs://localhost:9870"
        remote_files.write_atomically(f"{host}/data/a", b"text", temporary=f"{host}/data/_work/a")
        names = {"path": "/data/_work/a", "destination": "/data/a"}
        assert asked == [("RENAME", {"method": "put", **names, "renameoptions": "OVERWRITE"})]


@pytest.mark.parametrize("url", ["memory://a", "webhdfs://localhost:9870/a"])
def test_a_store_with_a_rename_is_no_object_store(url: str) -> None:
    driver, _ = remote_files.connect(url)
    assert not store_drivers.is_object_store(driver)
