import sys
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from pipelines import flink
from textgen.errors import UserError


def options(python: str) -> PipelineOptions:
    return PipelineOptions(["--flink_master=localhost:8081", f"--flink_python={python}"])


def test_a_python_without_pyflink_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="apache-flink.*--flink-python"):
        flink.require_pyflink(PipelineOptions([]))
    with pytest.raises(UserError, match="cannot be run: No such file"):
        flink.require_pyflink(options(str(tmp_path / "python")))
    with pytest.raises(UserError, match="has no PyFlink"):
        flink.require_pyflink(options(sys.executable))


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> flink.PyFlinkRunner:
    """A runner whose `flink` prints its arguments and fails with what is in the file `said`."""
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin" / "flink"
    script.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/words; cat {tmp_path}/said 2>/dev/null && exit 1; exit 0\n')
    script.chmod(0o755)
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\necho {tmp_path}\n")
    python.chmod(0o755)
    monkeypatch.setattr(flink.PyFlinkRunner, "_slots", lambda self: "3")
    return flink.PyFlinkRunner(options(str(python)))


def pipeline() -> beam.Pipeline:
    made = beam.Pipeline()
    _ = made | beam.Create([1]) | beam.Reshuffle() | beam.WithKeys(None) | beam.GroupByKey()
    return made


def test_a_job_is_a_program_of_flink(engine: flink.PyFlinkRunner, tmp_path: Path) -> None:
    assert engine.run_pipeline(pipeline(), PipelineOptions([])).wait_until_finish() == "DONE"
    words = (tmp_path / "words").read_text().split()
    assert words[2:6] == ["--jobmanager", "localhost:8081", "--parallelism", "3"]
    assert not Path(words[-1]).exists(), "the file of the job is removed"


def test_the_traceback_of_a_worker_is_raised(engine: flink.PyFlinkRunner, tmp_path: Path) -> None:
    said = (
        "Caused by: java.lang.RuntimeException: Traceback (most recent call last):\n  File x\nRuntimeError: Traceback"
    )
    (tmp_path / "said").write_text(f"{said} (most recent call last):\n  File y\nValueError: the reason\n\tat java\n")
    with pytest.raises(RuntimeError, match="ValueError: the reason$"):
        engine.run_pipeline(pipeline(), PipelineOptions([]))
