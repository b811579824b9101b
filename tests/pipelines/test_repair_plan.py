import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.plan import Plan
from pipelines.repair_plan import repair_plan
from textgen.corpus.readers.base import InputFile
from textgen.dataset import read_manifest
from textgen.dataset.storage.verification import Problem
from textgen.errors import UserError

LOST = [Problem("train-000000.tfrecord", 0, "missing")]


@pytest.fixture
def data(make_dataset: Callable[..., Path], tmp_path: Path) -> Path:
    """A dataset that names an input file which is not there."""
    folder = make_dataset(tmp_path / "data", train=[[4, 5]])
    made = read_manifest(folder)
    plan = Plan(made.config, (InputFile("/nowhere/a.txt", 3, 1.0, "document"),))
    (folder / "inputs.jsonl").write_bytes(plan.inputs())
    write(folder, fingerprint=plan.fingerprint(), inputs_sha256=plan.inputs_sha256(), files=1)
    return folder


def write(folder: Path, **changes: object) -> None:
    changed = dataclasses.replace(read_manifest(folder), **changes)  # type: ignore[arg-type]
    (folder / "manifest.json").write_bytes(changed.to_bytes())


@pytest.mark.parametrize(
    ("file", "remedy"),
    [
        ("manifest.json", "Restore the dataset's own copy, or delete it"),
        ("inputs.jsonl", "Run the same `textgen prepare` again, which writes it, then `textgen repair`"),
        ("passed_over.jsonl", "Run the same `textgen prepare` again, which writes it"),
        ("tokenizer.model", "with the same --tokenizer-model"),
    ],
)
def test_a_file_that_cannot_be_made_from_the_inputs_has_a_remedy(data: Path, file: str, remedy: str) -> None:
    with pytest.raises(UserError, match=remedy):
        repair_plan(str(data), [*LOST, Problem(file, None, "missing")], yes=True)


def test_the_user_is_asked_before_a_file_is_looked_at_and_after_all_other_checks(data: Path) -> None:
    with pytest.raises(UserError, match="read only if you agree"):
        repair_plan(str(data), LOST)
    with pytest.raises(UserError, match="/nowhere/a.txt is not the file that the dataset was made from"):
        repair_plan(str(data), LOST, yes=True)
    write(data, fingerprint="0" * 64)
    with pytest.raises(UserError, match="was made by another version of textgen or of tensorflow-text"):
        repair_plan(str(data), LOST)
