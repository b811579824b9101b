"""Whose output folder it is: claimed by one plan, committed by a manifest, released at the end.

`_work/plan.json` names the plan that is at work in the folder. The same plan may go on there; another is refused,
unless the first has not made a shard yet.
"""

import hashlib
import json
from typing import Any

from pipelines.plan import Plan
from pipelines.workspace import DUPLICATES, SHARDS, Workspace
from textgen import files
from textgen.config import TOKENIZER_FILE, VOCABULARY_FILE, to_json
from textgen.console import say
from textgen.dataset.storage import manifest
from textgen.dataset.storage.manifest import DROPPED_NAME, INPUTS_FILE, SHARD_NAME
from textgen.errors import UserError
from textgen.text import vocabulary
from textgen.text.vocabulary import Vocabulary

PLAN = "plan.json"
GIVEN_VOCABULARY = "given.jsonl"


def claim(directory: str, plan: Plan) -> Workspace:
    """Makes a folder this plan's, and returns it.

    Raises:
        UserError: the folder holds anything but this plan's dataset or a part of it.
    """
    if files.size(directory) is not None:
        raise UserError(f"{directory} is a file. Name a folder with --output.")
    workspace = Workspace(directory)
    theirs = _claimed_by(workspace)
    if theirs is None:
        _clear_remains(workspace, plan)
    elif theirs["fingerprint"] != plan.fingerprint():
        _clear_for(workspace, plan, theirs["config"])
    ours = {"fingerprint": plan.fingerprint(), "config": to_json(plan.config)}
    if _plan_at_work(workspace) != ours:
        # What is left of a run that was killed as it finished.
        release(workspace)
    files.make_directory(workspace.work_path())
    # First of all files, so that the folder is known again if this run ends here.
    files.write_atomically(workspace.work_path(PLAN), json.dumps(ours).encode())
    workspace.publish_if_changed(INPUTS_FILE, plan.inputs())
    if plan.tokenizer_model:
        workspace.publish_if_changed(TOKENIZER_FILE, plan.tokenizer_model)
    if plan.vocabulary:
        files.write_atomically(workspace.work_path(GIVEN_VOCABULARY), plan.vocabulary.to_bytes())
    return workspace


def given_vocabulary(workspace: Workspace) -> Vocabulary | None:
    """Returns the vocabulary that was given to the plan at work, or None if it is learned."""
    content = files.read_if_present(workspace.work_path(GIVEN_VOCABULARY))
    return None if content is None else vocabulary.parse(content)


def release(workspace: Workspace) -> None:
    """Removes what only a running preparation needs."""
    # First of all files, since without it no run takes the rest for complete.
    files.remove(workspace.work_path(PLAN))
    files.remove(workspace.work_path())


def committed(workspace: Workspace) -> manifest.Manifest | None:
    """Returns the manifest if the dataset is complete or was; None for a damaged one."""
    content = workspace.read(manifest.FILE_NAME)
    try:
        return None if content is None else manifest.parse(content)
    except manifest.DamageError:
        return None


def is_complete(workspace: Workspace, dataset: manifest.Manifest) -> bool:
    """Returns whether the files that a manifest names are there, shards in their full size."""
    return all(_has_unit(workspace, report) for report in dataset.units) and has_vocabulary(workspace, dataset)


def has_vocabulary(workspace: Workspace, dataset: manifest.Manifest) -> bool:
    """Returns whether the vocabulary in the folder is that of a manifest."""
    content = workspace.read(VOCABULARY_FILE) or b""
    return hashlib.sha256(content).hexdigest() == dataset.vocabulary_sha256


def reopen(workspace: Workspace, dataset: manifest.Manifest) -> None:
    """Turns a committed dataset that has lost files into a preparation that has still to make them."""
    # A run that was killed after its manifest left the records of shards that are lost since.
    workspace.forget(SHARDS)
    for report in dataset.units:
        if _has_unit(workspace, report):
            workspace.record(SHARDS, report.unit, report.to_json())
        if report.duplicates:
            workspace.record(DUPLICATES, report.unit, report.duplicates)
    workspace.record_done(DUPLICATES)


def _has_unit(workspace: Workspace, report: manifest.UnitReport) -> bool:
    """Returns whether every shard of a unit is there, in its full size, and its dropped documents."""
    shards = all(files.size(workspace.path(shard.name)) == shard.bytes for shard in report.shards)
    dropped = workspace.path(manifest.dropped_name(report.unit))
    return shards and (not report.dropped_sha256 or files.size(dropped) is not None)


def _clear_remains(workspace: Workspace, plan: Plan) -> None:
    """Removes what is left of a dataset that has lost its manifest, if it was made from the plan's files."""
    names = workspace.names()
    if not names:
        return
    if not all(_is_own(name) for name in names) or workspace.read(INPUTS_FILE) != plan.inputs():
        raise UserError(f"{workspace.directory} holds other files. Name an empty folder with --output.")
    say(f"{workspace.directory} has lost its {manifest.FILE_NAME}; all of it is made again.")
    # By the inputs the next run would know the folder, should this one end here.
    for name in names - {INPUTS_FILE}:
        files.remove(workspace.path(name))


def _clear_for(workspace: Workspace, plan: Plan, theirs: dict[str, Any]) -> None:
    """Removes another plan that ended before it made a shard, most likely on an error whose remedy is this."""
    names = workspace.names()
    if committed(workspace) or any(name.endswith(".tfrecord") for name in names):
        differences = _differences(theirs, to_json(plan.config)) or "its input files changed"
        raise UserError(
            f"{workspace.directory} holds another dataset: {differences}. "
            "Name another folder with --output, or delete this one first."
        )
    for name in names:
        if _is_own(name):
            files.remove(workspace.path(name))
    release(workspace)


def _claimed_by(workspace: Workspace) -> dict[str, Any] | None:
    dataset = committed(workspace)
    if dataset is not None:
        return {"fingerprint": dataset.fingerprint, "config": to_json(dataset.config)}
    return _plan_at_work(workspace)


def _plan_at_work(workspace: Workspace) -> dict[str, Any] | None:
    content = files.read_if_present(workspace.work_path(PLAN))
    return None if content is None else json.loads(content)


def _is_own(name: str) -> bool:
    """Returns whether a preparation gives a file of its dataset this name."""
    names = (manifest.FILE_NAME, INPUTS_FILE, VOCABULARY_FILE, TOKENIZER_FILE)
    return name in names or bool(SHARD_NAME.fullmatch(name) or DROPPED_NAME.fullmatch(name))


def _differences(theirs: dict[str, Any], ours: dict[str, Any]) -> str:
    """Returns the settings in which two plans differ, as `window is 44 there and 40 here`."""
    theirs, ours = ({**config, **config["text"], **config["selection"]} for config in (theirs, ours))
    return ", ".join(
        f"{name.replace('_', ' ')} is {theirs.get(name)} there and {value} here"
        for name, value in ours.items()
        if name not in ("text", "selection") and theirs.get(name) != value
    )
