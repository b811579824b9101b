from pathlib import Path

import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from pipelines.option_values import require_valid
from textgen.errors import UserError


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--direct_num_workers=-2"], "--direct_num_workers is -2; it must be 0 or more"),
        (["--resource_hint=luck=much"], "luck"),
        (["--pickle_library=dill"], "dill"),
        (["--environment_type=MAGIC"], "--environment_type is 'MAGIC'; it must be one of: DOCKER, PROCESS"),
        (["--environment_type=EXTERNAL"], "external_service_address"),
        (["--environment_type=EXTERNAL", "--environment_config={}"], "it must be host:port"),
        (["--environment_type=PROCESS"], "process_command"),
        (["--environment_type=PROCESS", "--environment_config=x"], r'form \{"command": "/path/boot"\}'),
        (["--setup_file=/nowhere/setup.py"], "--setup_file /nowhere/setup.py: there is no such file"),
        (["--requirements_file=/nowhere"], "--requirements_file /nowhere: there is no such file"),
        (["--extra_package=/nowhere.whl"], "--extra_packages /nowhere.whl: there is no such file"),
        (["--files_to_stage=/nowhere"], "--files_to_stage /nowhere: there is no such file"),
        (["--sdk_location=/nowhere"], "--sdk_location /nowhere: there is no such file"),
        (["--dataflow_job_file=a", "--template_location=b"], "mutually exclusive"),
    ],
)
def test_a_value_that_beam_would_refuse_is_told(flags: list[str], message: str) -> None:
    with pytest.raises(UserError, match=rf"^Beam cannot use these options: .*{message}.* Correct them\.$"):
        require_valid(PipelineOptions(flags))


def test_files_have_names_that_beam_knows(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    for flag, message in (
        ("setup_file", "must be named setup.py or pyproject.toml"),
        ("extra_package", "end in .tar"),
    ):
        with pytest.raises(UserError, match=message):
            require_valid(PipelineOptions([f"--{flag}={path}"]))


def test_values_that_beam_uses_pass(tmp_path: Path) -> None:
    (tmp_path / "setup.py").touch()
    flags = [
        "--environment_type=external", '--environment_config={"url": "host:1"}', f"--setup_file={tmp_path}/setup.py",
        "--extra_package=gs://bucket/a.whl", "--sdk_location=container", "--project=P",
        "--direct_num_workers=0", "--resource_hint=min_ram=4GB",
    ]  # fmt: skip
    require_valid(PipelineOptions(flags))
