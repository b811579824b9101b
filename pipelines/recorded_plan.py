"""Reads the plan of a dataset back from its `inputs.jsonl`."""

import dataclasses
import os

from pipelines.plan import Plan
from pipelines.workspace import Workspace
from textgen.config import PrepareConfig
from textgen.config.schema import SchemaError
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
    try:
        before = parse_plan(Workspace(directory).read(INPUTS_FILE) or b"", plan.config).files
    except UserError:
        # The file is damaged, or of another version.
        return plan
    same = [_absolute(file) for file in before] == [_absolute(file) for file in plan.files]
    return dataclasses.replace(plan, files=before) if same else plan


def _absolute(file: InputFile) -> InputFile:
    if is_remote(file.path):
        return file
    member = file.member
    if member:
        member = member._replace(archive=os.path.abspath(member.archive))  # noqa: PTH100
    return dataclasses.replace(file, path=os.path.abspath(file.path), member=member)  # noqa: PTH100
