"""Records in `_work/job.json` which job of a preparation is running, and on which engine."""

import json
import time
from typing import NamedTuple

from pipelines.workspace import Workspace
from textgen import files
from textgen.config.schema import Record, SchemaError, Text, Whole
from textgen.config.strict_json import parse_json

FILE_NAME = "job.json"
_MAX_BYTES = 1 << 16
_RECORD = Record(
    {
        "title": Text(max_length=200),
        "stage": Text(max_length=200),
        "engine": Text(max_length=1000),
        "job": Text(max_length=1000),
        "since": Whole(),
        "units": Whole(),
        "done": Whole(),
        "token": Text(max_length=200),
    }
)


class JobRecord(NamedTuple):
    """A job of a preparation.

    Attributes:
        title: what it does.
        stage: name of its stage; empty for a job that records no result per unit.
        engine: name of its engine.
        since: time of its begin, in seconds since 1970.
        units: number of units of the preparation.
        done: number of the units for which the stage was done before.
        token: token of the command that has begun it; empty without a lock.
        job: name of the job at the engine; empty if it gives none.
    """

    title: str
    stage: str
    engine: str
    since: int
    units: int
    done: int
    token: str
    job: str = ""


def record_job(
    workspace: Workspace, *, title: str, stage: str, engine: str, units: int, done: int, job: str = ""
) -> None:
    """Writes the record of a job that begins now."""
    record = JobRecord(title, stage, engine, int(time.time()), units, done, workspace.token, job)
    files.write_atomically(workspace.work_path(FILE_NAME), json.dumps(record._asdict()).encode())


def recorded_job(workspace: Workspace) -> JobRecord | None:
    """Returns the job that was begun last; None if there is none, or if its record is damaged."""
    content = workspace.read_work(FILE_NAME, max_bytes=_MAX_BYTES)
    try:
        values = None if content is None else parse_json(content, _RECORD, max_bytes=_MAX_BYTES)
    except SchemaError:
        return None
    return JobRecord(**values) if values else None
