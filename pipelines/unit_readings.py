"""Records a checksum of what was read of each file, and checks later that the files still hold it."""

import hashlib
import itertools
import json
from importlib.metadata import version
from typing import Any

import google_crc32c

from pipelines.inputs import changed_while_read, read_options, stored_path, tags_while_read
from pipelines.workspace import TOKENS, Workspace
from textgen import files
from textgen.config import PrepareConfig, to_json
from textgen.corpus.formats import READERS
from textgen.corpus.readers.base import FileRange, ReadOptions, TextBatch
from textgen.corpus.units import Unit
from textgen.dataset.storage import manifest
from textgen.errors import UserError


def extend_checksum(checksum: int, batch: TextBatch) -> int:
    """Returns the CRC-32C of a batch after those before it: of its texts, labels and rejected items."""
    rejected = (item.content for item in batch.rejected)
    labels = itertools.chain.from_iterable(
        (label.group or b"", (label.split or "").encode()) for label in batch.labels
    )
    return google_crc32c.extend(checksum, b"\0".join([*batch.texts, *labels, *rejected, b""]))


def tags(unit: Unit) -> list[str]:
    """Returns the tag of the file of each range of a unit; see `files.Version`.

    Raises:
        UserError: a file has another size or time than when the command began, or is missing.
    """
    found = tags_while_read(file_range.file for file_range in unit.file_ranges)
    return [found[stored_path(file_range.file)] for file_range in unit.file_ranges]


def check_still_holds(unit: Unit, config: PrepareConfig, workspace: Workspace) -> None:
    """Checks that the files of a unit still hold what was read of them; a file with the same tag is not read again.

    Args:
        unit: the unit.
        config: the settings of the preparation.
        workspace: the output folder, in which the unit has been read.

    Raises:
        UserError: a file has changed or is missing; the unit is then recorded as not read. Or the record of the unit
            is missing, or not that of its file ranges.
    """
    result = workspace.recorded(TOKENS, unit.index)
    if result is None:
        raise workspace.damage(workspace.unit_path(TOKENS, unit.index, "json"), "it is missing")
    lists, ranges = ("tags", "checksums"), len(unit.file_ranges)
    if any(len(result.get(name, ())) != ranges for name in lists):
        raise workspace.damage(
            workspace.unit_path(TOKENS, unit.index, "json"),
            f"its {' and '.join(lists)} are not of {ranges:,} file ranges",
        )
    try:
        _require_same(unit, result, read_options(config))
    except UserError:
        workspace.forget_unit(TOKENS, unit.index)
        raise


def source_of(unit: Unit, config: PrepareConfig) -> str:
    """Returns the SHA-256 of all that determines the tokens of a unit but the content of its files.

    This is the settings, the file ranges with the sizes and times of their files, and what `made_by` returns.
    """
    values = [json.dumps(made_by(config), sort_keys=True), repr(unit.file_ranges)]
    return hashlib.sha256("\n".join(values).encode()).hexdigest()


def made_by(config: PrepareConfig) -> dict[str, Any]:
    """Returns the settings of a preparation, and the versions on which the bytes of a dataset depend."""
    return {
        "config": to_json(config),
        "manifest": manifest.VERSION,
        "tensorflow-text": version("tensorflow-text"),
    }


def _require_same(unit: Unit, result: dict[str, Any], options: ReadOptions) -> None:
    readings = zip(unit.file_ranges, result["checksums"], result["tags"], tags(unit), strict=True)
    for file_range, checksum, before, now in readings:
        if now != before and _checksum(file_range, options) != checksum:
            change = "its content is another, with the same size and time"
            raise changed_while_read(stored_path(file_range.file), change)


def _checksum(file_range: FileRange, options: ReadOptions) -> int | None:
    """Returns the checksum of a file range as it is now; None if it cannot be read any more."""
    checksum = 0
    try:
        for batch in READERS[file_range.file.format].read(file_range, files.open_file, options):
            checksum = extend_checksum(checksum, batch)
    except UserError:
        return None
    return checksum
