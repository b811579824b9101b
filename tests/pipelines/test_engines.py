import shutil
import socket
from pathlib import Path

import pytest
from apache_beam.options.pipeline_options import PipelineOptions, PrismRunnerOptions

from pipelines import engines
from textgen.errors import UserError


def options(*flags: str) -> PipelineOptions:
    return PipelineOptions(list(flags))


@pytest.mark.parametrize("name", ["DirectRunner", "direct", "embedded", "FnApiRunner", "SwitchingDirectRunner"])
def test_the_embedded_engine_has_several_names(name: str) -> None:
    assert engines.name_of(options(f"--runner={name}")) == engines.EMBEDDED
    engines.check(options(f"--runner={name}"))


@pytest.mark.parametrize("name", ["dask", "DaskRunner", "apache_beam.runners.dask.dask_runner.DaskRunner"])
def test_an_engine_that_loses_data_is_refused_with_the_reason(name: str) -> None:
    with pytest.raises(UserError, match="dask is refused: Beam's runner for Dask loses data.*embedded, prism"):
        engines.check(options(f"--runner={name}"))


def test_an_unknown_engine_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UserError, match="'nosuch', which is not known.*embedded, prism, flink, spark, dataflow"):
        engines.check(options("--runner=nosuch"))


def test_prism_is_found_on_the_path_and_never_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    given = options("--runner=prism")
    with pytest.raises(UserError, match="go install .*/prism@v2"):
        engines.check(given)
    (tmp_path / "prism").touch(0o755)
    engines.check(given)
    assert given.view_as(PrismRunnerOptions).prism_location == str(tmp_path / "prism")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--runner=prism", "--prism_location=/nowhere"], "no such file"),
        (["--runner=flink"], "--flink-python"),
        (["--runner=flink", "--flink_python=/nowhere"], "cannot be run"),
        (["--runner=flink", "--flink_job_server_jar=/nowhere.jar"], "no such file"),
        (["--runner=spark", "--spark_job_server_jar=/nowhere.jar"], "no such file"),
        (["--runner=PortableRunner", "--job_endpoint=localhost"], "no port"),
        (["--runner=PortableRunner"], "needs a job server of Beam. Give its address by --job_endpoint"),
        (["--runner=os.path"], "'os.path', which is not known"),
        (["--runner=pathlib.Path"], "'pathlib.Path', which is not known"),
        (["--runner=apache_beam.runners.dataflow.dataflow_runner.DataflowRunner"], "dataflow lacks --project"),
    ],
)
def test_what_an_engine_lacks_is_told(flags: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        engines.check(options(*flags))


@pytest.mark.skipif(shutil.which("java") is None, reason="no Java")
def test_a_cluster_needs_workers(tmp_path: Path) -> None:
    jar = tmp_path / "server.jar"
    jar.touch()
    with socket.create_server(("localhost", 0)) as server:
        master = f"--flink_master=localhost:{server.getsockname()[1]}"
        with pytest.raises(UserError, match="worker_pool_main|--environment_type EXTERNAL"):
            engines.check(options("--runner=flink", f"--flink_job_server_jar={jar}", master))


def test_an_address_that_nothing_answers_is_an_error_at_once() -> None:
    with socket.create_server(("localhost", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(ConnectionError, match=f"--job_endpoint localhost:{port}"):
        engines.check(options("--runner=PortableRunner", f"--job_endpoint=localhost:{port}"))


@pytest.mark.parametrize(
    ("flags", "elsewhere"),
    [
        ([], False),
        (["--runner=prism"], False),
        (["--runner=prism", "--environment_type=EXTERNAL"], True),
        (["--runner=flink", "--flink_master=host:1"], True),
        (["--runner=spark", "--spark_master=local[2]"], False),
        (["--runner=spark"], True),
        (["--runner=spark", "--spark_job_server_jar=x.jar"], False),
        (["--runner=spark", "--spark_master=spark://host:1"], True),
        (["--runner=dataflow"], True),
    ],
)
def test_workers_elsewhere(flags: list[str], elsewhere: bool) -> None:
    assert engines.has_workers_elsewhere(options(*flags)) == elsewhere
