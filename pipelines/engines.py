"""The engines that `--runner` names: what each needs, checked before any work, and the Beam runner that it is."""

import os
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import apache_beam
from apache_beam.options.pipeline_options import (
    DirectOptions,
    FlinkRunnerOptions,
    PipelineOptions,
    PortableOptions,
    PrismRunnerOptions,
    SparkRunnerOptions,
    StandardOptions,
)
from apache_beam.runners import PipelineRunner, create_runner

from pipelines import dataflow
from pipelines.endpoints import require_answer
from pipelines.flink import PyFlinkRunner, require_pyflink
from pipelines.spark import PySparkRunner, SparkOptions, require_pyspark
from textgen import files
from textgen.errors import UserError, require
from textgen.termination import before_end

LOCAL, EMBEDDED = "local", "embedded"
"""Threads of this process, and Beam's own embedded engine, in threads or processes."""

_OWN_FLINK = ("[auto]", "[local]")
"""Values of --flink_master with which the job server runs Flink inside itself."""

_DEFAULT_MODE = "in_memory"
"""Value of --direct_running_mode where it is not given."""

_ALIASES = {
    "direct": EMBEDDED,
    "switchingdirect": EMBEDDED,
    "fnapi": EMBEDDED,
}
"""Other names of engines, without the ending `Runner`. Beam's DirectRunner may download another runner first."""

_REFUSED = {
    "dask": "Beam's runner for Dask loses data: it passes outputs on to the wrong steps and drops some",
    "bundlebaseddirect": "it is Beam's runner for tests of streams, and keeps all data in memory",
    "interactive": "it is Beam's runner for notebooks, which samples the data",
}
"""Runners that this job must not use, and why."""

_OF_MACHINE = re.compile(r"(?:file|local|memory)://|(?![\w.+:-]+://)")
"""Paths that only one machine can open."""


class BeamEngine(NamedTuple):
    """An engine that `--runner` names.

    Attributes:
        check: raises a UserError if the machine or the options lack what it needs, or a ConnectionError if it cannot
            be reached.
        create: returns the Beam runner; None for that which Beam knows by the name.
        is_noisy: whether processes that it starts log to this process's standard error.
        shares_folders: whether machines of its workers may have folders of this one.
    """

    check: Callable[[PipelineOptions], None]
    create: Callable[[PipelineOptions], PipelineRunner] | None = None
    is_noisy: bool = False
    shares_folders: bool = True


def name_of(options: PipelineOptions) -> str:
    """Returns the name of the engine in lower case, without `Runner`, or a class that is not Beam's with its module.

    Without a name it is this process, unless Beam's option for the mode of its embedded engine is given.

    >>> name_of(PipelineOptions(["--runner=FlinkRunner"])), name_of(PipelineOptions([]))
    ('flink', 'local')
    >>> name_of(PipelineOptions(["--direct_running_mode=multi_processing"]))
    'embedded'
    """
    given = options.view_as(StandardOptions).runner
    if not given:
        return LOCAL if options.view_as(DirectOptions).direct_running_mode == _DEFAULT_MODE else EMBEDDED
    short = given.rpartition(".")[2].lower().removesuffix("runner")
    if "." in given and not given.startswith("apache_beam.") and short not in _REFUSED:
        return given
    return _ALIASES.get(short, short)


def has_workers_elsewhere(options: PipelineOptions) -> bool:
    """Returns whether workers may run on other machines, or in another current folder, than this process."""
    name = name_of(options)
    flink = options.view_as(FlinkRunnerOptions).flink_master
    # Without a master, PySpark takes that of the cluster's settings.
    master = options.view_as(SparkOptions).spark_master or ""
    if _spark_job_server(options):
        master = options.view_as(SparkRunnerOptions).spark_master_url
    is_local = {
        LOCAL: True,
        EMBEDDED: True,
        "prism": True,
        "flink": flink in _OWN_FLINK,
        "spark": master.startswith("local"),
    }.get(name, False)
    kind = options.view_as(PortableOptions).environment_type
    return kind not in (None, "LOOPBACK") or not is_local


def check(options: PipelineOptions) -> None:
    """Checks that the engine is known, safe and ready.

    Raises:
        UserError: it is not, or an option is missing.
        ConnectionError: it does not answer at its address.
    """
    name = name_of(options)
    others = ", ".join([LOCAL, EMBEDDED, *ENGINES])
    if name in _REFUSED:
        raise UserError(f"--runner {name} is refused: {_REFUSED[name]}. Use one of: {others}.")
    if name in ENGINES:
        ENGINES[name].check(options)
    elif name not in (LOCAL, EMBEDDED):
        _check_other(name, others)
    if name == "portable":
        _require_job_endpoint(options)
    require_answer(options.view_as(PortableOptions).job_endpoint, "--job_endpoint", "a job server of Beam")


def check_paths(options: PipelineOptions, paths: Iterable[str]) -> None:
    """Checks that workers can open paths.

    Args:
        options: the options that name the engine.
        paths: paths and URLs of inputs and output.

    Raises:
        UserError: workers run elsewhere, and a path is relative, or is of this machine and they share no folder.
    """
    if not has_workers_elsewhere(options):
        return
    name = name_of(options)
    shares_folders = name not in ENGINES or ENGINES[name].shares_folders
    for path in paths:
        require(
            shares_folders or _OF_MACHINE.match(path) is None,
            f"{path} is on this machine, and workers of --runner {name} share no folder with it. Copy it to a store, "
            "and name it as gs://bucket/folder.",
        )
        require(
            files.is_remote(path) or Path(path.removeprefix("file://")).is_absolute(),
            f"{path} is relative; workers of --runner {name} may have another current folder. "
            f"Write {Path.cwd() / path}, in a folder that all machines share.",
        )


def _check_other(name: str, others: str) -> None:
    try:
        found = isinstance(create_runner(name), PipelineRunner)
    except (ValueError, ImportError, AttributeError, TypeError):
        found = False
    require(found, f"--runner is {name!r}, which is not known; it must be one of: {others}.")


def _require_job_endpoint(options: PipelineOptions) -> None:
    require(
        bool(options.view_as(PortableOptions).job_endpoint),
        "--runner portable needs a job server of Beam. Give its address by --job_endpoint host:port.",
    )


def _check_prism(options: PipelineOptions) -> None:
    prism = options.view_as(PrismRunnerOptions)
    if options.view_as(PortableOptions).job_endpoint or prism.prism_location:
        found = prism.prism_location
        is_lost = found and "://" not in found and not Path(found).is_file()
        require(not is_lost, f"--prism_location {found}: there is no such file. Name the binary of Prism.")
        return
    # Beam would download it, without a limit of time.
    prism.prism_location = shutil.which("prism") or shutil.which("prism", path=str(Path.home() / "go" / "bin"))
    require(
        prism.prism_location is not None,
        "--runner prism needs the binary of Prism, which is not on the PATH. Install Go, then run "
        f"`go install github.com/apache/beam/sdks/v2/go/cmd/prism@v{apache_beam.__version__}`, or name it by "
        "--prism_location.",
    )


def _check_flink(options: PipelineOptions) -> None:
    master = options.view_as(FlinkRunnerOptions).flink_master
    if not _flink_job_server(options):
        require_pyflink(options)
        require(
            master not in _OWN_FLINK,
            f"--flink-master is {master}, with which Beam's job server runs Flink itself; it must be host:port here.",
        )
    elif not options.view_as(PortableOptions).job_endpoint:
        _require_job_server("flink", options.view_as(FlinkRunnerOptions).flink_job_server_jar)
    if master not in _OWN_FLINK:
        require_answer(master, "--flink-master", "the REST server of Flink's JobManager")
        if _flink_job_server(options):
            _require_workers("flink", options)


def _check_spark(options: PipelineOptions) -> None:
    if not _spark_job_server(options):
        require_pyspark()
        master = options.view_as(SparkOptions).spark_master
        if master and master.startswith("spark://"):
            require_answer(master, "--spark-master", "Spark's master")
        return
    if not options.view_as(PortableOptions).job_endpoint:
        _require_job_server("spark", options.view_as(SparkRunnerOptions).spark_job_server_jar)
    if not options.view_as(SparkRunnerOptions).spark_master_url.startswith("local"):
        _require_workers("spark", options)


def _flink_job_server(options: PipelineOptions) -> bool:
    flink = options.view_as(FlinkRunnerOptions)
    return bool(options.view_as(PortableOptions).job_endpoint or flink.flink_job_server_jar)


def _spark_job_server(options: PipelineOptions) -> bool:
    spark = options.view_as(SparkRunnerOptions)
    return bool(options.view_as(PortableOptions).job_endpoint or spark.spark_job_server_jar)


def _require_job_server(engine: str, jar: str | None) -> None:
    """Checks that Beam can start its job server; it would download the jar, without a limit of time.

    Raises:
        UserError: the jar or Java is missing.
    """
    require(
        bool(jar),
        f"--runner {engine} needs Beam's job server. Give its address by --job_endpoint, or its jar by "
        f"--{engine}_job_server_jar.",
    )
    require(
        "://" in str(jar) or Path(str(jar)).is_file(),
        f"--{engine}_job_server_jar {jar}: there is no such file. Check the path.",
    )
    java = shutil.which("java", path=str(Path(os.environ["JAVA_HOME"], "bin")) if "JAVA_HOME" in os.environ else None)
    require(java is not None, f"--runner {engine} starts Beam's job server, which needs Java. Install a JRE.")


def _require_workers(engine: str, options: PipelineOptions) -> None:
    require(
        options.view_as(PortableOptions).environment_type is not None,
        f"--runner {engine} needs workers of Beam on the cluster. Start a pool beside each of them and give "
        "--environment_type EXTERNAL --environment_config localhost:50000, or an image by --environment_type DOCKER.",
    )


def _flink(options: PipelineOptions) -> PipelineRunner:
    return create_runner("FlinkRunner") if _flink_job_server(options) else PyFlinkRunner(options)


def _spark(options: PipelineOptions) -> PipelineRunner:
    return create_runner("SparkRunner") if _spark_job_server(options) else PySparkRunner(options)


def _prism(options: PipelineOptions) -> PipelineRunner:
    runner = create_runner("PrismRunner")
    if not options.view_as(PortableOptions).job_endpoint:
        # All jobs of a process share one server, which Beam would end at the exit of Python.
        before_end(runner.default_job_server(options).stop)
    return runner


ENGINES: Mapping[str, BeamEngine] = {
    "prism": BeamEngine(_check_prism, _prism),
    "flink": BeamEngine(_check_flink, _flink, is_noisy=True),
    "spark": BeamEngine(_check_spark, _spark, is_noisy=True),
    "dataflow": BeamEngine(dataflow.check, dataflow.create, shares_folders=False),
}
"""The engines by name, besides those in this process."""
