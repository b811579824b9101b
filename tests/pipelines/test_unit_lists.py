from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to

from pipelines import runners, unit_lists
from pipelines.unit_lists import CreateUnits, ReadUnits, write_lists
from pipelines.workspace import Workspace
from textgen.corpus.readers.base import FileRange, InputFile, Member
from textgen.corpus.units import Unit
from textgen.errors import UserError

FILES = (
    InputFile("a/ü.txt", 30, 1.5, "lines", split="test"),
    InputFile(
        "b.zip/c.txt", 30, 0.25, "lines", ("gzip",), "utf-16", None, Member("b.zip", ("xz",), 9, 2, 3, "", -1, 4)
    ),
)


def unit_of(number: int) -> Unit:
    return Unit(number, tuple(FileRange(file, number, number + 10) for file in FILES))


def test_units_are_the_same_within_a_job_and_in_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    units = [unit_of(i) for i in range(5)]
    for most in (10, 4):
        monkeypatch.setattr(unit_lists, "MAX_IN_JOB", most)
        monkeypatch.setattr(unit_lists, "PER_LIST", 2)
        with beam.Pipeline(runner=runners.FnApiRunner()) as pipeline:
            assert_that(pipeline | CreateUnits(units, Workspace(str(tmp_path))), equal_to(units))
    assert len(list((tmp_path / "_work" / "units").iterdir())) == 3


def test_a_damaged_list_is_refused(tmp_path: Path) -> None:
    workspace = Workspace(str(tmp_path))
    (digest,) = write_lists([unit_of(1)], workspace)
    assert list(ReadUnits(workspace).process(digest)) == [unit_of(1)]
    (tmp_path / "_work" / "units" / f"{digest}.jsonl").write_bytes(b"[]")
    with pytest.raises(UserError, match="another SHA-256 than its name"):
        list(ReadUnits(workspace).process(digest))


def test_the_job_of_many_files_is_small(tmp_path: Path) -> None:
    units = [unit_of(i) for i in range(20_000)]
    pipeline = beam.Pipeline(runner=runners.FnApiRunner())
    _ = pipeline | CreateUnits(units, Workspace(str(tmp_path)))
    # A million files are a job fifty times as large.
    assert len(pipeline.to_runner_api().SerializeToString()) < 100_000
