import re
import zipfile
from pathlib import Path

import pytest
from apache_beam.options.pipeline_options import (
    DebugOptions,
    GoogleCloudOptions,
    PipelineOptions,
    SetupOptions,
    WorkerOptions,
)

from pipelines import dataflow
from textgen.cli import main
from textgen.errors import UserError

GIVEN = ["--project=whales", "--region=sea-north1", "--temp_location=gs://corpora/tmp"]


@pytest.fixture(autouse=True)
def without_gcloud(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    dataflow._own_wheel.cache_clear()
    monkeypatch.delenv("CLOUDSDK_COMPUTE_REGION", raising=False)


def test_all_missing_options_are_told_at_once() -> None:
    with pytest.raises(
        UserError, match=r"lacks --project, --region, --temp_location. Add --project my-project --reg"
    ):
        dataflow.check(PipelineOptions([]))


@pytest.mark.parametrize("missing", range(3))
def test_a_missing_option_is_told(missing: int) -> None:
    flags = GIVEN[:missing] + GIVEN[missing + 1 :]
    name = GIVEN[missing].partition("=")[0]
    with pytest.raises(UserError, match=f"--runner dataflow lacks {name}. Add {name} "):
        dataflow.check(PipelineOptions(flags))


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--temp_location=/tmp/here", r"Invalid GCS path \(/tmp/here\), given for the option: temp_location"),
        ("--temp_location=s3://bucket/tmp", "Invalid GCS path"),
        ("--temp_location=gs://B/tmp", "Invalid GCS bucket"),
        ("--staging_location=here", r"Invalid GCS path \(here\), given for the option: staging_location"),
        ("--project=123456", "not project number"),
        ("--project=My Project", "Invalid Project ID"),
        ("--job_name=Not A Name", "Invalid job_name"),
        ("--max_num_workers=-3", r"Invalid value \(-3\) for option: max_num_workers"),
        ("--worker_region=a --worker_zone=b", "worker_region and worker_zone are mutually exclusive"),
        ("--dataflow_endpoint=nowhere", r"Invalid url \(nowhere\) for dataflow endpoint"),
    ],
)
def test_a_value_that_dataflow_cannot_use_is_refused(flag: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        dataflow.check(PipelineOptions([*GIVEN, *re.split(" (?=--)", flag)]))


def test_the_command_ends_with_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = ["prepare", "--input", str(tmp_path), "--output", str(tmp_path / "data")]
    for flags in (
        ["--runner=dataflow"],
        ["--runner", "DataflowRunner"],
        ["--runner=dataflow", "--zone=x", *GIVEN[1:]],
    ):
        assert main([*words, *flags]) == 2
        errors = capfd.readouterr().err
        assert errors.startswith("error: --runner dataflow lacks --project") and errors.count("\n") == 1, errors


def test_the_location_of_staged_files_serves_for_others() -> None:
    options = PipelineOptions([*GIVEN[:2], "--staging_location=gs://corpora/staging"])
    with pytest.raises((UserError, ConnectionError), match="driver of Google Cloud|no credentials"):
        dataflow.check(options)
    assert options.view_as(GoogleCloudOptions).temp_location == "gs://corpora/staging"


def test_without_an_image_workers_install_the_running_code(capfd: pytest.CaptureFixture[str]) -> None:
    options = PipelineOptions(GIVEN)
    dataflow.create(options)
    (wheel,) = options.view_as(SetupOptions).extra_packages
    assert "textgen/cli.py" in zipfile.ZipFile(wheel).namelist()
    assert options.view_as(DebugOptions).number_of_worker_harness_threads == 1
    assert "deploy/Dockerfile" in capfd.readouterr().err


@pytest.mark.parametrize(
    "flag", ["--sdk_container_image=image", "--extra_package=x/textgen-stream-0.1.tar.gz", "--setup_file=setup.py"]
)
def test_what_the_user_gives_is_not_installed_again(flag: str) -> None:
    options = PipelineOptions([*GIVEN, flag])
    before = options.view_as(SetupOptions).extra_packages
    dataflow.create(options)
    assert options.view_as(SetupOptions).extra_packages == before
    assert options.view_as(WorkerOptions).sdk_container_image == ("image" if "image" in flag else None)
    assert options.view_as(SetupOptions).setup_file in (None, str(Path("setup.py").resolve()))
