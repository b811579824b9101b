"""The output folder of a preparation, and what of the work is done already.

While a preparation runs, the folder holds `_work/plan.json` (what is being made) and a small result for each unit
that is done with a stage. A second run of the same plan finds them and does the rest; a run of another plan is
refused. When the manifest stands, `_work` goes.
"""

import dataclasses
import hashlib
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pipelines import storage
from textgen.config import VOCABULARY_FILE, PrepareConfig, to_json
from textgen.corpus.units import InputFile
from textgen.dataset import manifest
from textgen.errors import UserError

WORK = "_work"


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a preparation makes: two of the same fingerprint make the same bytes."""

    config: PrepareConfig
    files: tuple[InputFile, ...]

    @property
    def bytes(self) -> int:
        """The input bytes of all files."""
        return sum(file.size for file in self.files)

    def fingerprint(self) -> str:
        """SHA-256 over the settings, the files with their sizes and times, and the versions that shape the bytes."""
        values = {
            "config": to_json(self.config),
            "files": [dataclasses.astuple(file) for file in self.files],
            "manifest": manifest.VERSION,
            "tensorflow-text": version("tensorflow-text"),
        }
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


@dataclasses.dataclass(frozen=True)
class Workspace:
    """The folder of a plan."""

    directory: str

    def path(self, *names: str) -> str:
        """A path in the folder."""
        return storage.join(self.directory, *names)

    def work_path(self, *names: str) -> str:
        """A path in the folder's `_work`."""
        return self.path(WORK, *names)

    def claim(self, plan: Plan) -> None:
        """Makes the folder this plan's.

        Raises:
            UserError: the folder holds anything but this plan's dataset or a part of it.
        """
        if storage.is_local(self.directory) and Path(self.directory).is_file():
            raise UserError(f"{self.directory} is a file. Name a folder with --output.")
        theirs = self._claimed_by()
        if theirs is None:
            if storage.list_files(self.path("*")):
                raise UserError(f"{self.directory} holds other files. Name an empty folder with --output.")
        elif theirs["fingerprint"] != plan.fingerprint():
            self._clear_for(plan, theirs["config"])
        storage.make_directory(self.work_path())
        content = {"fingerprint": plan.fingerprint(), "config": to_json(plan.config)}
        storage.write(self.work_path("plan.json"), json.dumps(content).encode())

    def committed(self) -> manifest.Manifest | None:
        """The manifest, if the dataset is complete or was."""
        content = storage.read(self.path(manifest.FILE_NAME))
        return None if content is None else manifest.parse(content)

    def reopen(self, committed: manifest.Manifest) -> None:
        """Turns a committed dataset that has lost files into a preparation that has still to make them."""
        for report in committed.units:
            if self.holds(report):
                self.record("shards", report.unit, report.to_json())

    def holds(self, report: manifest.UnitReport) -> bool:
        """Whether every shard of the report is there, in its full size."""
        return all(storage.size(self.path(shard.name)) == shard.bytes for shard in report.shards)

    def record(self, stage: str, unit: int, result: dict[str, Any]) -> None:
        """Keeps the result of a unit's stage: this is what says that it is done."""
        storage.write(self._record_path(stage, unit), json.dumps(result).encode())

    def recorded(self, stage: str, unit: int) -> dict[str, Any] | None:
        """The result of a unit's stage, if it is done."""
        content = storage.read(self._record_path(stage, unit))
        return None if content is None else json.loads(content)

    def recorded_units(self, stage: str) -> set[int]:
        """The units that are done with a stage."""
        paths = [path for path, _ in storage.list_files(self.work_path(stage, "*.json"))]
        return {int(path.rsplit("/", 1)[-1].removesuffix(".json")) for path in paths}

    def finish(self) -> None:
        """Removes what only a running preparation needs."""
        storage.remove(self.work_path())

    def holds_vocabulary(self, committed: manifest.Manifest) -> bool:
        """Whether the vocabulary is the manifest's."""
        content = storage.read(self.path(VOCABULARY_FILE)) or b""
        return hashlib.sha256(content).hexdigest() == committed.vocabulary_sha256

    def _clear_for(self, plan: Plan, theirs: dict[str, Any]) -> None:
        """Removes another plan that ended before it made a shard, most likely on an error whose remedy is this."""
        if self.committed() or storage.list_files(self.path("*.tfrecord")):
            differences = _differences(theirs, to_json(plan.config)) or "its input files changed"
            raise UserError(
                f"{self.directory} holds another dataset: {differences}. "
                "Name another folder with --output, or delete this one first."
            )
        self.finish()
        storage.remove(self.path(VOCABULARY_FILE))

    def _record_path(self, stage: str, unit: int) -> str:
        return self.work_path(stage, f"{unit:06d}.json")

    def _claimed_by(self) -> dict[str, Any] | None:
        committed = self.committed()
        if committed is not None:
            return {"fingerprint": committed.fingerprint, "config": to_json(committed.config)}
        content = storage.read(self.work_path("plan.json"))
        return None if content is None else json.loads(content)


def _differences(theirs: dict[str, Any], ours: dict[str, Any]) -> str:
    """The settings in which two plans differ, as `window is 44 there, 40 here`."""
    theirs, ours = {**theirs, **theirs["text"]}, {**ours, **ours["text"]}
    return ", ".join(
        f"{name.replace('_', ' ')} is {theirs.get(name)} there and {value} here"
        for name, value in ours.items()
        if name != "text" and theirs.get(name) != value
    )
