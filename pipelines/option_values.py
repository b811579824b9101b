"""Checks the values of Beam's own options before any work; Beam itself checks some only while a job is submitted."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from apache_beam.options.pipeline_options import (
    DirectOptions,
    PipelineOptions,
    PortableOptions,
    SetupOptions,
)
from apache_beam.options.pipeline_options_validator import PipelineOptionsValidator
from apache_beam.transforms.resources import resource_hints_from_options

from textgen.errors import one_line, require

_ENVIRONMENTS = ("DOCKER", "PROCESS", "EXTERNAL", "LOOPBACK")
_SETUP_FILES = ("setup.py", "pyproject.toml")
_PACKAGES = (".tar", ".tar.gz", ".whl", ".zip")
_OF_IMAGE = ("", "default", "container")
"""Values of --sdk_location that name no file."""


def require_valid(options: PipelineOptions) -> None:
    """Checks the values of options that any engine reads.

    Raises:
        UserError: Beam would refuse a value, or a file that it would stage for workers is not there.
    """
    errors = [*_errors_of_beam(options), *_errors_of_environment(options), *_errors_of_files(options)]
    workers = options.view_as(DirectOptions).direct_num_workers
    if workers < 0:
        errors.append(f"--direct_num_workers is {workers}; it must be 0 or more")
    require(not errors, f"Beam cannot use these options: {'. '.join(errors)}. Correct them.")


def _errors_of_beam(options: PipelineOptions) -> list[str]:
    try:
        # Without a runner, those of Dataflow alone are left out.
        errors = [str(each) for each in PipelineOptionsValidator(options, None).validate()]
        resource_hints_from_options(options)
    except Exception as error:
        # Its checks read the values as they come, and raise errors of many kinds.
        return [one_line(error)]
    return [each.rstrip(".") for each in errors]


def _errors_of_environment(options: PipelineOptions) -> Iterator[str]:
    portable = options.view_as(PortableOptions)
    kind, config = portable.environment_type, portable.environment_config
    if kind is None or kind.startswith("beam:env:"):
        return
    if kind.upper() not in _ENVIRONMENTS:
        yield f"--environment_type is {kind!r}; it must be one of: {', '.join(_ENVIRONMENTS)}"
    elif kind.upper() == "PROCESS" and config and not _object(config).get("command"):
        yield f"--environment_config is {config!r}; for PROCESS it must have the form " + '{"command": "/path/boot"}'
    elif kind.upper() == "EXTERNAL" and config and config.lstrip().startswith("{") and not _object(config).get("url"):
        yield f"--environment_config is {config!r}; for EXTERNAL it must be host:port, or " + '{"url": "host:port"}'


def _object(text: str) -> dict[str, Any]:
    """Returns an object of JSON; an empty one for anything else."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _errors_of_files(options: PipelineOptions) -> Iterator[str]:
    setup = options.view_as(SetupOptions)
    packages, others = list(setup.extra_packages or ()), list(setup.files_to_stage or ())
    location = [] if (setup.sdk_location or "") in _OF_IMAGE else [setup.sdk_location]
    named = {
        "setup_file": [setup.setup_file],
        "requirements_file": [setup.requirements_file],
        "extra_packages": packages,
        "files_to_stage": others,
        "sdk_location": location,
    }
    for name, paths in named.items():
        for path in filter(None, paths):
            if "://" not in path and not Path(path).exists():
                yield f"--{name} {path}: there is no such file"
    if setup.setup_file and Path(setup.setup_file).name not in _SETUP_FILES:
        yield f"--setup_file {setup.setup_file}: it must be named {' or '.join(_SETUP_FILES)}"
    for path in packages:
        if not path.endswith(_PACKAGES):
            yield f"--extra_packages {path}: it must end in {', '.join(_PACKAGES)}"
