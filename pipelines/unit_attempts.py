"""Marks in `_work` which units are at work and which have failed, so that anybody can see it, whatever the engine."""

import contextlib
import json
import os
import platform
import re
import time
import traceback
from collections.abc import Iterator
from typing import Any, NamedTuple

from pipelines.inputs import stored_path
from pipelines.workspace import Workspace
from textgen import files
from textgen.config.schema import Record, SchemaError, Text, Whole
from textgen.config.strict_json import parse_json
from textgen.console import printable
from textgen.corpus.units import Unit

FOLDER = "attempts"
_NAME = re.compile(r"([a-z]+)-(\d{6,10})\.(at-work|failed)", re.ASCII)
_MAX_BYTES = 1 << 20
_MAX_TEXT = 20_000
_RECORD = Record(
    {
        "host": Text(max_length=1000),
        "process": Whole(),
        "since": Whole(),
        "file": Text(is_path=True),
        "files": Whole(),
        "error": Text(max_length=2 * _MAX_TEXT),
    }
)


class Attempt(NamedTuple):
    """Work on a unit that is going on or has failed.

    Attributes:
        stage: name of the stage.
        unit: number of the unit.
        file: path of the unit's first file.
        files: number of its files.
        host: name of the worker's machine.
        process: number of the worker's process.
        since: time at which the work began or failed, in seconds since 1970.
        error: class and message of the error, with its traceback before it; empty for work that is going on.
    """

    stage: str
    unit: int
    file: str
    files: int
    host: str
    process: int
    since: int
    error: str = ""

    @property
    def label(self) -> str:
        """The unit and its files, as messages name them."""
        others = f" and {self.files - 1:,} more" if self.files > 1 else ""
        return f"unit {self.unit} ({printable(self.file)}{others})"

    @property
    def summary(self) -> str:
        """Class and message of the error on one line."""
        return self.error.strip().rpartition("\n")[2]


@contextlib.contextmanager
def attempt(workspace: Workspace, stage: str, unit: Unit) -> Iterator[None]:
    """Inside the context, the unit is marked as being at work; an error marks it as failed, and is raised again.

    What the marks need may fail without harm: they are for people.
    """
    mark = _path(workspace, stage, unit.index, "at-work")
    _write(mark, unit, "")
    try:
        yield
    except Exception as error:
        text = "".join(traceback.format_exception(error))[-_MAX_TEXT:]
        _write(_path(workspace, stage, unit.index, "failed"), unit, text)
        raise
    finally:
        with contextlib.suppress(OSError):
            files.remove_file(mark)


def attempts(workspace: Workspace) -> list[Attempt]:
    """Returns the attempts that are marked, by stage and unit; those of units that are done since are left out.

    Raises:
        OSError: the folder cannot be read.
    """
    found = []
    done: dict[str, set[int]] = {}
    for name in files.list_names(workspace.work_path(FOLDER), files_only=True):
        matched = _NAME.fullmatch(name)
        if not matched:
            continue
        stage, unit = matched[1], int(matched[2])
        if stage not in done:
            done[stage] = workspace.recorded_units(stage)
        values = None if unit in done[stage] else _read(workspace, name)
        if values and bool(values["error"]) == (matched[3] == "failed"):
            found.append(Attempt(stage, unit, **values))
    return found


def forget_attempts(workspace: Workspace) -> None:
    """Removes the marks of an earlier job."""
    files.remove(workspace.work_path(FOLDER))


def _path(workspace: Workspace, stage: str, unit: int, kind: str) -> str:
    return workspace.work_path(FOLDER, f"{stage}-{unit:06d}.{kind}")


def _write(path: str, unit: Unit, error: str) -> None:
    paths = [stored_path(file_range.file) for file_range in unit.file_ranges]
    values = {
        "host": platform.node(),
        "process": os.getpid(),
        "since": int(time.time()),
        "file": paths[0],
        "files": len(set(paths)),
        "error": error,
    }
    with contextlib.suppress(OSError):
        files.write_atomically(path, json.dumps(values).encode())


def _read(workspace: Workspace, name: str) -> dict[str, Any] | None:
    """Returns the record of an attempt; None if it is gone, or damaged."""
    with contextlib.suppress(OSError, SchemaError):
        content = workspace.read_work(FOLDER, name, max_bytes=_MAX_BYTES)
        found: dict[str, Any] | None = None if content is None else parse_json(content, _RECORD, max_bytes=_MAX_BYTES)
        return found
    return None
