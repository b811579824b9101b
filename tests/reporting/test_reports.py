import shutil
from pathlib import Path

import pytest

import textgen
from tests.conftest import MakeDataset
from tests.reporting.reading import check
from textgen.dataset.storage.manifest import FILE_NAME, WORK_FOLDER
from textgen.errors import UserError
from textgen.reporting.reports import report


def test_a_dataset_and_a_run_are_told_apart(reported_data: Path, reported_run: Path, tmp_path: Path):
    textgen.report(reported_data, tmp_path / "new" / "data.html")
    textgen.report(str(reported_run), str(tmp_path / "run.html"))
    assert check((tmp_path / "new" / "data.html").read_text()).text_of("h1") == ["Dataset data"]
    assert check((tmp_path / "run.html").read_text()).text_of("h1") == ["Run run"]


def test_a_report_is_replaced_and_nothing_else(reported_data: Path, tmp_path: Path):
    output = tmp_path / "report.html"
    report(reported_data, output)
    output.write_text(output.read_text() + "old")
    report(reported_data, output)
    assert not output.read_text().endswith("old")
    output.write_text("<html>my page")
    with pytest.raises(UserError, match=r"is there already, and is no report of textgen; only a report is replaced"):
        report(reported_data, output)
    assert output.read_text() == "<html>my page"
    with pytest.raises(UserError, match="is a folder; only a report is replaced"):
        report(reported_data, tmp_path)


def test_a_report_does_not_join_the_files_of_a_dataset(reported_data: Path):
    with pytest.raises(UserError, match="in the folder of the dataset"):
        report(reported_data, reported_data / "report.html")
    assert not (reported_data / "report.html").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: (data / FILE_NAME).unlink(), "has neither the manifest.json of a dataset nor the run.json"),
        (
            lambda data: ((data / FILE_NAME).unlink(), (data / WORK_FOLDER).mkdir()),
            "is not complete: it has no manifest.json. Run the same `textgen prepare` again",
        ),
        (lambda data: (data / FILE_NAME).write_bytes((data / FILE_NAME).read_bytes()[:99]), "is damaged"),
        (lambda data: (data / FILE_NAME).write_text('{"version": 3}'), "has version 3; this textgen reads version"),
        (shutil.rmtree, "is not there. Name a folder that `textgen prepare` or `textgen train` wrote"),
    ],
    ids=["neither", "unfinished", "damaged", "older", "missing"],
)
def test_what_has_no_report_says_why(make_dataset: MakeDataset, tmp_path: Path, change, message: str):
    data = make_dataset(tmp_path / "data", train=[[4, 5]])
    change(data)
    with pytest.raises(UserError, match=message):
        report(data, tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


def test_options_of_the_other_kind_are_refused(reported_data: Path, reported_run: Path, tmp_path: Path):
    output = tmp_path / "report.html"
    with pytest.raises(UserError, match="--data and --split are of the report of a run"):
        report(reported_data, output, data=reported_data)
    with pytest.raises(UserError, match="Add --data with the dataset of this run"):
        report(reported_run, output, split="test")
