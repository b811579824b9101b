"""Assigns input files to splits where the user has named files of their own for validation or test."""

import dataclasses
import os
from collections.abc import Mapping

from pipelines.inputs import Inputs
from textgen import files
from textgen.config import SPLITS
from textgen.errors import UserError

OPTIONS: Mapping[str, str] = {"train": "--input", "validation": "--validation-input", "test": "--test-input"}
"""The option that names the files of each split."""


def join_splits(found: Mapping[str, Inputs]) -> Inputs:
    """Returns the inputs of all splits as one, with the split of each file: those of training first, then the others.

    Args:
        found: the inputs of each split, by its name.

    Raises:
        UserError: a file is named for two splits.
    """
    owners: dict[str, str] = {}
    for split in SPLITS:
        for file in found[split].files:
            owner = owners.setdefault(_identity(file.path), split)
            if owner != split:
                raise UserError(
                    f"{file.path} is named by {OPTIONS[owner]} and by {OPTIONS[split]}; a file belongs to one split. "
                    f"Name other files after one of them."
                )
    passed_over = {each for inputs in found.values() for each in inputs.passed_over}
    return Inputs(
        [dataclasses.replace(file, split=split) for split in SPLITS for file in found[split].files],
        sorted(passed_over),
    )


def _identity(path: str) -> str:
    """Returns the URL of a remote file, or the path of a local one without links."""
    return path if files.is_remote(path) else os.path.realpath(path)
