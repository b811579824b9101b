"""Reports the progress of a preparation by what its folder holds, on this machine or elsewhere, running or ended."""

import dataclasses
import time
from typing import Any

from pipelines.census_file import FILE_NAME as CENSUS
from pipelines.claims import committed
from pipelines.job_record import JobRecord, recorded_job
from pipelines.unit_attempts import Attempt, attempts
from pipelines.workspace import COUNTS, DUPLICATES, SHARDS, TOKENS, Workspace
from textgen import files, locks
from textgen.config import VOCABULARY_FILE
from textgen.dataset.storage.manifest import Manifest
from textgen.errors import UserError

_TITLES = {
    TOKENS: "reading text",
    DUPLICATES: "looking for duplicates",
    COUNTS: "counting tokens",
    SHARDS: "writing shards",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class StageReport:
    """Progress of one stage.

    Attributes:
        title: what the stage does.
        state: "done", "running", "interrupted" or "left".
        units: number of units of the preparation; 0 where it is not known yet.
        done: number of units that are done.
        running: number of units that workers have begun and not ended.
    """

    title: str
    state: str
    units: int
    done: int
    running: int = 0

    @property
    def left(self) -> int:
        """Number of units that no worker has begun."""
        return max(0, self.units - self.done - self.running)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ProgressReport:
    """Progress of a preparation, or of the repair of a dataset.

    Attributes:
        folder: path or URL of its folder.
        state: "complete", "running", "interrupted" or "failed".
        holder: the process that writes, or wrote when it was killed; None if it has ended by itself.
        job: the job that was begun last; None before the first, and when all is done.
        stages: the stages, in order; none when all is done.
        attempts: units at work, and units that have failed.
        seconds_left: expected time to the end of the running stage; None where it is not known.
        dataset: the manifest of the complete dataset; None if there is none yet.
    """

    folder: str
    state: str
    holder: locks.Holder | None
    job: JobRecord | None
    stages: tuple[StageReport, ...]
    attempts: tuple[Attempt, ...]
    seconds_left: float | None
    dataset: Manifest | None

    def to_json(self) -> dict[str, Any]:
        """Returns the report as plain JSON values."""
        owner = self.holder.owner if self.holder else None
        total = self.dataset.total if self.dataset else None
        return {
            "folder": self.folder,
            "state": self.state,
            "process": owner and {
                "command": owner.command, "host": owner.host, "pid": owner.pid, "since": owner.since,
                "silent_seconds": self.holder.silent_seconds if self.holder else None,
            },
            "job": self.job and {
                "title": self.job.title, "engine": self.job.engine, "id": self.job.job, "since": self.job.since
            },
            "stages": [{**dataclasses.asdict(stage), "left": stage.left} for stage in self.stages],
            "seconds_left": self.seconds_left,
            "running": [_attempt(each) for each in self.attempts if not each.error],
            "failed": [{**_attempt(each), "error": each.summary} for each in self.attempts if each.error],
            "dataset": total and {
                "units": len(self.dataset.units) if self.dataset else 0,
                "shards": len(total.shards),
                "bytes": sum(shard.bytes for shard in total.shards),
                "pairs": {split: counts.pairs for split, counts in total.splits.items()},
            },
        }  # fmt: skip


def report_progress(directory: str) -> ProgressReport:
    """Returns the progress of the preparation in a folder, which is not changed.

    Args:
        directory: path or URL of the folder.

    Raises:
        UserError: there is no preparation and no dataset in the folder.
        OSError: the folder cannot be read.
    """
    workspace = Workspace(directory)
    holder, dataset, plan = locks.holder(directory), committed(workspace), workspace.recorded_plan()
    if not (holder or dataset or plan):
        what = "holds no dataset, and no preparation has begun there" if files.exists(directory) else "is not there"
        raise UserError(f"{directory} {what}. Begin one with `textgen prepare --output {directory}`.")
    is_running = holder is not None and holder.is_running
    if dataset and not is_running and not plan:
        return ProgressReport(
            folder=directory, state="complete", holder=None, job=None, stages=(), attempts=(), seconds_left=None,
            dataset=dataset,
        )  # fmt: skip
    job, tried = recorded_job(workspace), tuple(attempts(workspace))
    has_failed = any(each.error for each in tried)
    state = "running" if is_running else "failed" if has_failed else "interrupted"
    return ProgressReport(
        folder=directory,
        state=state,
        holder=holder,
        job=job,
        stages=_stages(workspace, job, tried, is_running=is_running),
        attempts=tried,
        seconds_left=_seconds_left(workspace, job) if is_running else None,
        dataset=dataset,
    )


def _stages(
    workspace: Workspace, job: JobRecord | None, tried: tuple[Attempt, ...], *, is_running: bool
) -> tuple[StageReport, ...]:
    units = job.units if job else 0
    current = job.stage or DUPLICATES if job else TOKENS
    found = []
    for stage, title in _TITLES.items():
        at_work = sum(each.stage == stage and not each.error for each in tried)
        done = _done(workspace, stage, units)
        is_done = bool(units) and done >= units
        now = "running" if is_running else "interrupted"
        state = "done" if is_done else now if stage == current else "left"
        if stage == DUPLICATES and state == "left" and list(_TITLES).index(current) > list(_TITLES).index(stage):
            # These settings look for none.
            continue
        found.append(StageReport(title=title, state=state, units=units, done=done, running=at_work))
    return tuple(found)


def _done(workspace: Workspace, stage: str, units: int) -> int:
    """Returns the number of units for which a stage is done; the search for duplicates is done for all at once."""
    if stage == DUPLICATES:
        return units if workspace.is_done(DUPLICATES) else 0
    if stage == COUNTS and (
        files.exists(workspace.work_path(CENSUS)) or files.exists(workspace.path(VOCABULARY_FILE))
    ):
        return units
    return len(workspace.recorded_units(stage))


def _seconds_left(workspace: Workspace, job: JobRecord | None) -> float | None:
    if not job or not job.stage:
        return None
    done = len(workspace.recorded_units(job.stage))
    seconds = time.time() - job.since
    return (job.units - done) * seconds / (done - job.done) if done > job.done else None


def _attempt(each: Attempt) -> dict[str, Any]:
    return {
        "stage": each.stage, "unit": each.unit, "file": each.file, "files": each.files, "host": each.host,
        "pid": each.process, "since": each.since,
    }  # fmt: skip
