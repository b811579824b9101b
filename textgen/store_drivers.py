"""In what fsspec's drivers differ: their schemes, and how a file is written and replaced."""

from pathlib import Path
from typing import Any

_OBJECT_STORES = {"gs", "gcs", "s3", "s3a", "abfs", "abfss", "az", "oss", "r2"}
"""Schemes of stores that show an object only when it is complete, and that have no rename."""


def protocols(driver: Any) -> set[str]:
    """Returns the schemes of a driver, such as {"gs", "gcs"}."""
    return {driver.protocol} if isinstance(driver.protocol, str) else set(driver.protocol)


def is_object_store(driver: Any) -> bool:
    """Returns whether the store of a driver shows an object only when it is complete, and has no rename."""
    return not _OBJECT_STORES.isdisjoint(protocols(driver))


def put(driver: Any, name: str, content: bytes | Path) -> None:
    """Writes a file, or copies a local one."""
    if isinstance(content, Path):
        driver.put_file(str(content), name)
    else:
        driver.pipe_file(name, content)


def shows_parts(driver: Any) -> bool:
    """Returns whether the store of a driver shows files while they are written, and `rename_new` works there."""
    return "webhdfs" in protocols(driver)


def rename_new(driver: Any, name: str, target: str) -> bool:
    """Renames a file of a store that shows parts; returns False, and changes nothing, if the target is there."""
    answer = driver._call("RENAME", method="put", path=name, destination=target)
    return bool(answer.json()["boolean"])


def rename_over(driver: Any, name: str, target: str) -> None:
    """Renames a file, in place of one that may be there."""
    if shows_parts(driver):
        # The driver's own call changes nothing if there is a file, and raises nothing.
        driver._call("RENAME", method="put", path=name, destination=target, renameoptions="OVERWRITE")
    else:
        driver.mv(name, target)
