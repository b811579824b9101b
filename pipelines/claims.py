"""Claims the output folder for one plan, and releases it when the manifest has committed the dataset.

`_work/plan.json` identifies the plan that is at work in the folder. A run with the same plan continues the work; a
run with another plan is refused, unless the first plan has written no shard yet.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from pipelines.plan import Plan
from pipelines.recorded_plan import differences, has_same_paths
from pipelines.stages import is_own_name
from pipelines.workspace import DUPLICATES, OVERLAP, SHARDS, TOKENS, Workspace
from textgen import files
from textgen.config import TOKENIZER_FILE, TOKENIZER_JSON, VOCABULARY_FILE, to_json
from textgen.console import printable, say
from textgen.dataset.storage import manifest, passed_over
from textgen.dataset.storage.manifest import INPUTS_FILE, PASSED_OVER_FILE
from textgen.errors import UserError


def claim(directory: str, plan: Plan) -> Workspace:
    """Claims a folder for a plan, and returns its workspace.

    Args:
        directory: path or URL of the folder; it is created if it does not exist.
        plan: the plan.

    Raises:
        UserError: the path is a file, the folder holds anything but a complete or partial dataset of this plan, or a
            link is in `_work`.
    """
    if files.size(directory) is not None:
        raise UserError(f"{directory} is a file. Name a folder with --output.")
    workspace = Workspace.locked(directory)
    workspace.require_no_links()
    theirs = _claimed_by(workspace)
    if theirs is None:
        _clear_remains(workspace, plan)
    workspace.remove_unfinished()
    if theirs and theirs["fingerprint"] != plan.fingerprint():
        _clear_for(workspace, plan, theirs["config"])
    elif (workspace.recorded_plan() or {}).get("fingerprint") != plan.fingerprint():
        # A run that was killed while it finished has left its working files.
        release(workspace)
    files.make_directory(workspace.work_path())
    # Written before all other files, so that the next run recognizes the folder if this run is interrupted here.
    workspace.record_plan(plan.fingerprint(), to_json(plan.config))
    workspace.publish_if_changed(INPUTS_FILE, plan.inputs())
    if plan.passed_over and workspace.read(PASSED_OVER_FILE) is None:
        # What the first run found is kept: a hidden file that has come or gone since changes no byte of the dataset.
        workspace.publish(PASSED_OVER_FILE, passed_over.to_lines(plan.passed_over))
    if plan.tokenizer_model:
        workspace.publish_if_changed(TOKENIZER_FILE, plan.tokenizer_model)
    if plan.vocabulary:
        workspace.record_vocabulary(plan.vocabulary)
    _forget_lost_shards(workspace)
    return workspace


def require_own(workspace: Workspace, dataset: manifest.Manifest, plan: Plan) -> None:
    """Checks that the dataset that is in the folder at the end of a preparation is that of its plan.

    Raises:
        UserError: another process has put the dataset of other settings or inputs there.
    """
    made = (dataset.fingerprint, dataset.inputs_sha256, dataset.config)
    if made != (plan.fingerprint(), plan.inputs_sha256(), plan.config):
        theirs, ours = to_json(dataset.config), to_json(plan.config)
        found = differences(theirs, ours) or "it was made from other input files"
        raise UserError(
            f"{workspace.directory} holds the dataset of another command, which wrote at the same time: "
            f"{found}. Name another folder with --output."
        )


def release(workspace: Workspace) -> None:
    """Removes the files that only a running preparation needs.

    Raises:
        UserError: a link is in `_work`.
    """
    workspace.require_no_links()
    # Removed before all other files, since without it no run takes the remaining files for complete.
    workspace.forget_plan()
    files.remove(workspace.work_path())


def committed(workspace: Workspace) -> manifest.Manifest | None:
    """Returns the manifest of a dataset that is complete or once was; None if it is missing or damaged."""
    content = workspace.read(manifest.FILE_NAME, max_bytes=manifest.MAX_BYTES)
    try:
        return None if content is None else manifest.parse(content)
    except manifest.DamageError:
        return None


def is_complete(workspace: Workspace, dataset: manifest.Manifest) -> bool:
    """Returns whether all files that a manifest names exist, with the recorded size of each shard."""
    sizes = workspace.sizes()
    has_units = all(_has_unit(sizes, report) for report in dataset.units)
    return has_units and has_vocabulary(workspace, dataset) and _has_tokenizer(workspace, dataset)


def has_vocabulary(workspace: Workspace, dataset: manifest.Manifest) -> bool:
    """Returns whether the vocabulary in the folder has the SHA-256 that a manifest records."""
    content = workspace.read(VOCABULARY_FILE) or b""
    return hashlib.sha256(content).hexdigest() == dataset.vocabulary_sha256


def _has_tokenizer(workspace: Workspace, dataset: manifest.Manifest) -> bool:
    """Returns whether `tokenizer.json` has the SHA-256 that a manifest records, if it records one."""
    content = workspace.read(TOKENIZER_JSON) or b"" if dataset.tokenizer_sha256 else None
    return content is None or hashlib.sha256(content).hexdigest() == dataset.tokenizer_sha256


def reopen(workspace: Workspace, dataset: manifest.Manifest) -> None:
    """Records all complete units of a committed dataset as done, so that a preparation makes only the lost files."""
    # A run that was killed after it wrote its manifest has left records of shards that have been lost since.
    workspace.forget(SHARDS)
    sizes = workspace.sizes()
    for report in dataset.units:
        if _has_unit(sizes, report):
            workspace.record(SHARDS, report.unit, report.to_json())
        if report.duplicates:
            workspace.record(DUPLICATES, report.unit, report.duplicates)
        if report.shared:
            workspace.record(OVERLAP, report.unit, report.shared)
    workspace.record_done(DUPLICATES)


def _has_unit(sizes: Mapping[str, int], report: manifest.UnitReport) -> bool:
    """Returns whether every shard of a unit exists with its recorded size, and the file of its dropped documents.

    Args:
        sizes: size of each file of the folder; a request for each would take days where there are a million units.
        report: the report of the unit.
    """
    shards = all(sizes.get(shard.name) == shard.bytes for shard in report.shards)
    return shards and (not report.dropped_sha256 or manifest.dropped_name(report.unit) in sizes)


def _forget_lost_shards(workspace: Workspace) -> None:
    """Removes the records of units whose files are not there, so that they are written again."""
    sizes: dict[str, int] | None = None
    for unit, record in workspace.each_recorded(SHARDS):
        sizes = workspace.sizes() if sizes is None else sizes
        if not _has_unit(sizes, manifest.UnitReport.from_json(record)):
            workspace.forget_unit(SHARDS, unit)


def _clear_remains(workspace: Workspace, plan: Plan) -> None:
    """Removes the remaining files of a dataset that has lost its manifest, if it was made from the plan's inputs.

    Raises:
        UserError: the folder holds other files.
    """
    names = workspace.names()
    if not names:
        return
    if not all(is_own_name(name) for name in names) or workspace.read(INPUTS_FILE) != plan.inputs():
        raise UserError(f"{workspace.directory} holds other files. Name an empty folder with --output.")
    say(f"{printable(workspace.directory)} has lost its {manifest.FILE_NAME}; all of it is made again.")
    # The inputs file stays, so that the next run recognizes the folder if this run is interrupted here.
    for name in names - {INPUTS_FILE}:
        files.remove(workspace.path(name))


def forget_later_passes(workspace: Workspace) -> None:
    """Removes all that a preparation makes after the first pass, whose results are read again or belong to no plan.

    The records of shards are removed first, so that no run that is interrupted here leaves records of lost shards.
    """
    workspace.forget(SHARDS)
    for name in workspace.names():
        if is_own_name(name) and name not in (INPUTS_FILE, PASSED_OVER_FILE, TOKENIZER_FILE, TOKENIZER_JSON):
            files.remove(workspace.path(name))
    workspace.forget_all_but(TOKENS)


def _clear_for(workspace: Workspace, plan: Plan, theirs: dict[str, Any]) -> None:
    """Removes the files of another plan, most likely one that ended with a user error.

    The results of its first pass stay; the first pass keeps those of units that the plans have in common.

    Raises:
        UserError: the folder holds the manifest of another plan, or shards of other settings or of files elsewhere.
    """
    names, ours = workspace.names(), to_json(plan.config)
    has_shards = any(name.endswith(".tfrecord") for name in names)
    is_of_same_files = theirs == ours and has_same_paths(plan, workspace.directory)
    if committed(workspace) or (has_shards and not is_of_same_files):
        found = differences(theirs, ours) or "its input files changed"
        raise UserError(
            f"{workspace.directory} holds another dataset: {found}. "
            "Name another folder with --output, or delete this one first."
        )
    forget_later_passes(workspace)
    for name in names:
        if is_own_name(name):
            files.remove(workspace.path(name))


def _claimed_by(workspace: Workspace) -> dict[str, Any] | None:
    dataset = committed(workspace)
    if dataset is not None:
        return {"fingerprint": dataset.fingerprint, "config": to_json(dataset.config)}
    return workspace.recorded_plan()
