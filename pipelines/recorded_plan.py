"""Reads the plan of a dataset back from its `inputs.jsonl`."""

import dataclasses
import os
from typing import Any

from pipelines.plan import Plan
from pipelines.workspace import Workspace
from textgen.config import PrepareConfig
from textgen.config.schema import SchemaError, shown
from textgen.corpus.readers.base import InputFile
from textgen.corpus.units import input_file
from textgen.dataset.storage import inputs_schema
from textgen.dataset.storage.manifest import INPUTS_FILE
from textgen.errors import UserError
from textgen.files import is_remote


def parse_plan(inputs: bytes, config: PrepareConfig, *, files: int | None = None) -> Plan:
    """Returns the plan of a dataset, given its `inputs.jsonl` and its settings.

    Args:
        inputs: content of the file.
        config: settings of the dataset.
        files: number of input files that the manifest records; None for any.

    Raises:
        UserError: the content is not the list of the input files of such a dataset.
    """
    try:
        rows = inputs_schema.parse(inputs, config, files=files)
        return Plan(config, tuple(map(input_file, rows)))
    except SchemaError as error:
        raise UserError(
            f"{INPUTS_FILE} is damaged: {error}. It names the input files, one JSON object per line. Run "
            "the same `textgen prepare` again, which writes it."
        ) from None


def as_spelled_before(plan: Plan, directory: str) -> Plan:
    """Returns a plan with the paths under which the folder's own preparation names the same files, if it does.

    `~/a.txt`, `./a.txt` and `a.txt` may be one file, and the paths decide by which name a dataset is known.

    Args:
        plan: the plan.
        directory: path or URL of the output folder.
    """
    before = _files_before(plan, directory)
    same = [_absolute(file) for file in before] == [_absolute(file) for file in plan.files]
    return dataclasses.replace(plan, files=before) if same else plan


def has_same_paths(plan: Plan, directory: str) -> bool:
    """Returns whether the folder's own preparation names files of the same paths, which may have changed since.

    Args:
        plan: the plan.
        directory: path or URL of the output folder.
    """
    before = _files_before(plan, directory)
    return [_absolute(file).path for file in before] == [_absolute(file).path for file in plan.files]


def differences(theirs: dict[str, Any], ours: dict[str, Any]) -> str:
    """Returns the settings in which two plans differ, such as `window is 44 there and 40 here`."""
    before, now = _flat(theirs), _flat(ours)
    return ", ".join(
        f"{name.replace('_', ' ')} is {_brief(before.get(name))} there and {_brief(value)} here"
        for name, value in now.items()
        if before.get(name) != value
    )


def _flat(config: dict[str, Any]) -> dict[str, Any]:
    """Returns all settings in one dictionary; those of another version, or of a stranger, may have any values."""
    nested = {name: config[name] for name in ("text", "selection") if isinstance(config.get(name), dict)}
    own = {name: value for name, value in config.items() if name not in nested}
    return {**own, **nested.get("text", {}), **nested.get("selection", {})}


def _brief(value: Any) -> str:
    return shown(value).strip("'") if isinstance(value, (str, list, dict)) else str(value)


def _files_before(plan: Plan, directory: str) -> tuple[InputFile, ...]:
    """Returns the files that `inputs.jsonl` of a folder names; none if it is damaged, or of another version."""
    try:
        return parse_plan(Workspace(directory).read(INPUTS_FILE) or b"", plan.config).files
    except UserError:
        return ()


def _absolute(file: InputFile) -> InputFile:
    if is_remote(file.path):
        return file
    member = file.member
    if member:
        member = member._replace(archive=os.path.abspath(member.archive))  # noqa: PTH100
    return dataclasses.replace(file, path=os.path.abspath(file.path), member=member)  # noqa: PTH100
