"""The output folder of a preparation, and what of the work is done already.

While a preparation runs, the folder holds `_work/plan.json` (what is being made) and a small result for each unit
that is done with a stage. A second run of the same plan finds them and does the rest; a run of another plan is
refused. When the manifest stands, `_work` goes.
"""

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

from pipelines.plan import Plan
from textgen import files
from textgen.config import TOKENIZER_FILE, VOCABULARY_FILE, to_json
from textgen.console import say
from textgen.dataset.storage import manifest
from textgen.dataset.storage.manifest import DROPPED_NAME, INPUTS_FILE, SHARD_NAME, WORK_FOLDER
from textgen.errors import UserError
from textgen.text import vocabulary
from textgen.text.vocabulary import Vocabulary

PLAN = "plan.json"
GIVEN = "given.jsonl"


@dataclasses.dataclass(frozen=True)
class Workspace:
    """The folder of a plan."""

    directory: str

    def path(self, *names: str) -> str:
        """A path in the folder."""
        return files.join(self.directory, *names)

    def work_path(self, *names: str) -> str:
        """A path in the folder's `_work`."""
        return self.path(WORK_FOLDER, *names)

    def claim(self, plan: Plan) -> None:
        """Makes the folder this plan's.

        Raises:
            UserError: the folder holds anything but this plan's dataset or a part of it.
        """
        if files.size(self.directory) is not None:
            raise UserError(f"{self.directory} is a file. Name a folder with --output.")
        theirs = self._claimed_by()
        if theirs is None:
            self._clear_remains(plan)
        elif theirs["fingerprint"] != plan.fingerprint():
            self._clear_for(plan, theirs["config"])
        ours = {"fingerprint": plan.fingerprint(), "config": to_json(plan.config)}
        if self._plan_at_work() != ours:
            # What is left of a run that was killed as it finished.
            self.finish()
        files.make_directory(self.work_path())
        # First of all files, so that the folder is known again if this run ends here.
        files.write_atomically(self.work_path(PLAN), json.dumps(ours).encode())
        self.commit(INPUTS_FILE, plan.inputs())
        if plan.tokenizer_model:
            self.commit(TOKENIZER_FILE, plan.tokenizer_model)
        if plan.vocabulary:
            files.write_atomically(self.work_path(GIVEN), plan.vocabulary.to_bytes())

    def committed(self) -> manifest.Manifest | None:
        """The manifest, if the dataset is complete or was; a damaged one is none."""
        content = files.read_if_present(self.path(manifest.FILE_NAME))
        try:
            return None if content is None else manifest.parse(content)
        except manifest.DamageError:
            return None

    def reopen(self, committed: manifest.Manifest) -> None:
        """Turns a committed dataset that has lost files into a preparation that has still to make them."""
        # A run that was killed after its manifest left the records of shards that are lost since.
        self.forget("shards")
        for report in committed.units:
            if self.holds(report):
                self.record("shards", report.unit, report.to_json())
            if report.duplicates:
                self.record("duplicates", report.unit, report.duplicates)
        self.record_done("duplicates")

    def holds(self, report: manifest.UnitReport) -> bool:
        """Whether every shard of a unit is there, in its full size, and what was dropped of it."""
        shards = all(files.size(self.path(shard.name)) == shard.bytes for shard in report.shards)
        letters = self.path(manifest.dropped_name(report.unit))
        return shards and (not report.dropped_sha256 or files.size(letters) is not None)

    def record(self, stage: str, unit: int, result: dict[str, Any]) -> None:
        """Keeps the result of a unit's stage: this is what says that it is done."""
        files.write_atomically(self._record_path(stage, unit), json.dumps(result).encode())

    def recorded(self, stage: str, unit: int) -> dict[str, Any] | None:
        """The result of a unit's stage, if it is done."""
        content = files.read_if_present(self._record_path(stage, unit))
        return None if content is None else json.loads(content)

    def recorded_units(self, stage: str) -> set[int]:
        """The units that are done with a stage."""
        names = files.list_names(self.work_path(stage), files_only=True)
        return {int(name.removesuffix(".json")) for name in names if name.endswith(".json")}

    def record_done(self, stage: str) -> None:
        """Keeps that a stage is done for all units."""
        files.write_atomically(self._done_path(stage), b"")

    def is_done(self, stage: str) -> bool:
        """Whether `record_done` was called."""
        return files.size(self._done_path(stage)) is not None

    def forget(self, stage: str) -> None:
        """Removes the results of a stage."""
        files.remove(self.work_path(stage))

    def commit(self, name: str, content: bytes) -> None:
        """Writes a file of the dataset, unless it is there already."""
        if files.read_if_present(self.path(name)) != content:
            self.publish(name, content)

    def publish(self, name: str, content: bytes | Path) -> None:
        """Writes a file of the dataset, or moves a finished local one there; one cut short stays in `_work`."""
        files.write_atomically(self.path(name), content, temporary_folder=self.work_path())

    def given_vocabulary(self) -> Vocabulary | None:
        """The vocabulary that was given, if one was."""
        content = files.read_if_present(self.work_path(GIVEN))
        return None if content is None else vocabulary.parse(content)

    def tokenizer_model(self) -> bytes:
        """The content of the tokenizer's model; empty for one that has none."""
        return files.read_if_present(self.path(TOKENIZER_FILE)) or b""

    def finish(self) -> None:
        """Removes what only a running preparation needs."""
        # First of all files, since without it no run takes the rest for whole.
        files.remove(self.work_path(PLAN))
        files.remove(self.work_path())

    def holds_vocabulary(self, committed: manifest.Manifest) -> bool:
        """Whether the vocabulary is the manifest's."""
        content = files.read_if_present(self.path(VOCABULARY_FILE)) or b""
        return hashlib.sha256(content).hexdigest() == committed.vocabulary_sha256

    def _clear_remains(self, plan: Plan) -> None:
        """Removes what is left of a dataset that has lost its manifest, if it was made from the plan's files."""
        names = self._names()
        if not names:
            return
        if not all(_is_own(name) for name in names) or files.read_if_present(self.path(INPUTS_FILE)) != plan.inputs():
            raise UserError(f"{self.directory} holds other files. Name an empty folder with --output.")
        say(f"{self.directory} has lost its {manifest.FILE_NAME}; all of it is made again.")
        # By the inputs the next run would know the folder, should this one end here.
        for name in names - {INPUTS_FILE}:
            files.remove(self.path(name))

    def _clear_for(self, plan: Plan, theirs: dict[str, Any]) -> None:
        """Removes another plan that ended before it made a shard, most likely on an error whose remedy is this."""
        if self.committed() or any(name.endswith(".tfrecord") for name in self._names()):
            differences = _differences(theirs, to_json(plan.config)) or "its input files changed"
            raise UserError(
                f"{self.directory} holds another dataset: {differences}. "
                "Name another folder with --output, or delete this one first."
            )
        for name in self._names():
            if _is_own(name):
                files.remove(self.path(name))
        self.finish()

    def _names(self) -> set[str]:
        """The files of the folder."""
        return set(files.list_names(self.directory, files_only=True))

    def _done_path(self, stage: str) -> str:
        return self.work_path(f"{stage}.done")

    def _record_path(self, stage: str, unit: int) -> str:
        return self.work_path(stage, f"{unit:06d}.json")

    def _claimed_by(self) -> dict[str, Any] | None:
        committed = self.committed()
        if committed is not None:
            return {"fingerprint": committed.fingerprint, "config": to_json(committed.config)}
        return self._plan_at_work()

    def _plan_at_work(self) -> dict[str, Any] | None:
        content = files.read_if_present(self.work_path(PLAN))
        return None if content is None else json.loads(content)


def _is_own(name: str) -> bool:
    """Whether a preparation gives a file of its dataset this name."""
    files = (manifest.FILE_NAME, INPUTS_FILE, VOCABULARY_FILE, TOKENIZER_FILE)
    return name in files or bool(SHARD_NAME.fullmatch(name) or DROPPED_NAME.fullmatch(name))


def _differences(theirs: dict[str, Any], ours: dict[str, Any]) -> str:
    """The settings in which two plans differ, as `window is 44 there, 40 here`."""
    theirs, ours = ({**config, **config["text"], **config["selection"]} for config in (theirs, ours))
    return ", ".join(
        f"{name.replace('_', ' ')} is {theirs.get(name)} there and {value} here"
        for name, value in ours.items()
        if name not in ("text", "selection") and theirs.get(name) != value
    )
