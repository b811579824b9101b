"""Runs a staged pipeline in this process, which has textgen from one folder alone.

python dataflow_worker.py pipeline.pb FOLDER
"""

import sys
from pathlib import Path

from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability import python_urns
from apache_beam.portability.api import beam_runner_api_pb2
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

import textgen


def main(pipeline: Path, installed: Path) -> None:
    assert Path(textgen.__file__).is_relative_to(installed), textgen.__file__
    job = beam_runner_api_pb2.Pipeline.FromString(pipeline.read_bytes())
    for environment in job.components.environments.values():
        # In place of the image, this process.
        environment.urn, environment.payload = python_urns.EMBEDDED_PYTHON, b""
        del environment.dependencies[:]
    result = FnApiRunner().run_via_runner_api(job, PipelineOptions([]))
    result.wait_until_finish()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
