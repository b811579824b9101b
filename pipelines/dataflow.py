"""Google Cloud Dataflow: what a job needs, checked before any work, and what its workers install."""

import functools
import importlib
import re
import tempfile
from pathlib import Path

from apache_beam.options.pipeline_options import (
    DebugOptions,
    GoogleCloudOptions,
    PipelineOptions,
    SetupOptions,
    WorkerOptions,
)
from apache_beam.options.pipeline_options_validator import PipelineOptionsValidator
from apache_beam.runners import PipelineRunner, create_runner

from pipelines.endpoints import require_answer
from pipelines.own_package import DISTRIBUTION, write_wheel
from textgen.console import say
from textgen.errors import UserError, require

_NAME = "DataflowRunner"
_EXAMPLES = {"project": "my-project", "region": "us-central1", "temp_location": "gs://my-bucket/tmp"}


def check(options: PipelineOptions) -> None:
    """Checks that a job can be submitted, and completes the options as Beam reads them.

    Raises:
        UserError: an option is missing or not allowed, or Beam's driver or the credentials are not there.
        ConnectionError: the endpoint is of this machine, and does not answer.
    """
    cloud = options.view_as(GoogleCloudOptions)
    runner = create_runner(_NAME)
    cloud.temp_location = cloud.temp_location or cloud.staging_location
    # The variable CLOUDSDK_COMPUTE_REGION, or the setting of gcloud.
    cloud.region = cloud.region or runner.get_default_gcp_region()
    _require_given(cloud)
    errors = _errors(options, runner)
    require(not errors, f"Dataflow cannot use these options: {'. '.join(errors)}. Correct them.")
    _require_driver()
    if _is_local(cloud):
        # Beam speaks plain HTTP to `localhost` alone. Nothing of this machine asks for credentials.
        cloud.dataflow_endpoint = re.sub(r"127\.0\.0\.1|\[::1\]", "localhost", cloud.dataflow_endpoint)
        cloud.no_auth = True
        require_answer(cloud.dataflow_endpoint, "--dataflow_endpoint", "a server in place of Dataflow")
    elif not cloud.no_auth:
        _require_credentials(cloud)


def create(options: PipelineOptions) -> PipelineRunner:
    """Returns Beam's runner. Without an image or a package of the user, workers install the code of this process."""
    setup, image = options.view_as(SetupOptions), options.view_as(WorkerOptions).sdk_container_image
    debug = options.view_as(DebugOptions)
    # There is a process per core, and a unit takes a core; by default each process would have 12 units in memory.
    debug.number_of_worker_harness_threads = debug.number_of_worker_harness_threads or 1
    if not image:
        _stage_own_package(setup)
    if setup.setup_file:
        # Beam changes to the folder of the file, which must not be empty.
        setup.setup_file = str(Path(setup.setup_file).resolve())
    return create_runner(_NAME)


def _require_given(cloud: GoogleCloudOptions) -> None:
    missing = [name for name in _EXAMPLES if not getattr(cloud, name)]
    example = " ".join(f"--{name} {_EXAMPLES[name]}" for name in missing)
    require(not missing, f"--runner dataflow lacks {', '.join(f'--{name}' for name in missing)}. Add {example}.")


def _errors(options: PipelineOptions, runner: PipelineRunner) -> list[str]:
    """Returns what the service would refuse; Beam checks it only if the endpoint is not of this machine."""
    cloud, workers = options.view_as(GoogleCloudOptions), options.view_as(WorkerOptions)
    validator = PipelineOptionsValidator(options, runner)
    found = validator.validate_cloud_options(cloud) + validator.validate_gcs_path(cloud, "temp_location")
    if cloud.staging_location:
        found += validator.validate_gcs_path(cloud, "staging_location")
    found += validator.validate_num_workers(workers) + validator.validate_worker_region_zone(workers)
    # It knows no endpoint with a port.
    return [str(each).rstrip(".") for each in found if not (_is_local(cloud) and "for dataflow endpoint" in each)]


def _require_driver() -> None:
    try:
        importlib.import_module("apache_beam.runners.dataflow.internal.apiclient")
    except ImportError:
        raise UserError("--runner dataflow needs Beam's driver of Google Cloud. Install the extra [gcp].") from None


def _require_credentials(cloud: GoogleCloudOptions) -> None:
    auth = importlib.import_module("google.auth")
    try:
        auth.default(scopes=cloud.gcp_oauth_scopes)
    except auth.exceptions.DefaultCredentialsError:
        raise UserError(
            "--runner dataflow found no credentials of Google Cloud. Run `gcloud auth application-default login`, or "
            "name a key file by GOOGLE_APPLICATION_CREDENTIALS."
        ) from None


def _is_local(cloud: GoogleCloudOptions) -> bool:
    host = str(cloud.dataflow_endpoint).rpartition("//")[2]
    return bool(re.match(r"(?:localhost|127\.0\.0\.1|\[::1\])(?:[:/]|$)", host))


def _stage_own_package(setup: SetupOptions) -> None:
    own = DISTRIBUTION.replace("-", "_")
    given = [Path(each).name.replace("-", "_") for each in setup.extra_packages or ()]
    if setup.setup_file or any(name.startswith(own) for name in given):
        return
    setup.extra_packages = [*(setup.extra_packages or ()), _own_wheel()]


@functools.cache
def _own_wheel() -> str:
    """Returns the path of the package of the running code, which all jobs of a preparation stage."""
    say(
        "workers install textgen and TensorFlow when they start, which takes minutes; an image that has them "
        "(deploy/Dockerfile), named by --sdk_container_image, starts sooner."
    )
    # Beam's own image lacks the driver of the store.
    return str(write_wheel(Path(tempfile.mkdtemp()), extras=["gs"]))
