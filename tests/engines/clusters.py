"""Clusters of engines on this machine, by the name that `--runner` gives them."""

import contextlib
import json
import shutil
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

from tests.engines import installation
from tests.engines.processes import Daemon, answers, free_port, started, wait

ROOT = Path(__file__).parents[2]


_SHORT_LIVED = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""Options of Java for processes that end before optimized code would have paid; they halve the processor time."""


class Cluster(NamedTuple):
    """An engine that is ready for jobs.

    Attributes:
        options: options of `textgen prepare`.
        variables: environment variables of the command.
        workers: processes that do the work, of which one may be killed; empty if the command does it itself.
        note: returns what the engine tells about the jobs so far.
        program: words of the command line of a process that the command starts, and that may be killed; or empty.
    """

    options: list[str]
    variables: dict[str, str] = {}  # noqa: RUF012 - It is never changed.
    workers: list[Daemon] = []  # noqa: RUF012
    program: str = ""
    note: Callable[[], str] = str


@contextlib.contextmanager
def local(folder: Path, *, threads: int = 1) -> Iterator[Cluster]:
    """Threads of the command itself, the default."""
    yield Cluster([f"--direct_num_workers={threads}"])


@contextlib.contextmanager
def embedded(folder: Path) -> Iterator[Cluster]:
    """Beam's embedded engine with two threads."""
    yield Cluster(["--runner=embedded", "--direct_num_workers=2"])


@contextlib.contextmanager
def processes(folder: Path) -> Iterator[Cluster]:
    """Beam's embedded engine with two worker processes."""
    yield Cluster(["--direct_num_workers=2", "--direct_running_mode=multi_processing"])


@contextlib.contextmanager
def prism(folder: Path) -> Iterator[Cluster]:
    """Prism, which each command starts for itself."""
    installation.install_prism()
    yield Cluster(["--runner=prism", f"--prism_location={installation.PRISM}"], program=str(installation.PRISM))


@contextlib.contextmanager
def prism_server(folder: Path) -> Iterator[Cluster]:
    """Prism as a server of jobs, with a pool of worker processes, as Beam's job servers of clusters have them."""
    installation.install_prism()
    jobs, pool = free_port(), free_port()
    # The pool starts its workers by the name `python`.
    path = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
    pool_module = "apache_beam.runners.worker.worker_pool_main"
    daemons = [
        Daemon([str(installation.PRISM), f"--job_port={jobs}", "--serve_http=false"], folder / "prism.log"),
        Daemon(
            [sys.executable, "-m", pool_module, f"--service_port={pool}"],
            folder / "pool.log", PATH=path, PYTHONPATH=str(ROOT),
        ),
    ]  # fmt: skip
    with started(*daemons):
        wait(lambda: answers(pool), "the pool of workers starts")
        options = ["--runner=PortableRunner", f"--job_endpoint=localhost:{jobs}"]
        yield Cluster([*options, "--environment_type=EXTERNAL", f"--environment_config=localhost:{pool}"])


_SPARK_SETTINGS = """
spark.driver.extraJavaOptions {java}
spark.executor.extraJavaOptions {java}
"""


@contextlib.contextmanager
def spark(folder: Path, *, settings: str = "") -> Iterator[Cluster]:
    """A master of Spark and two workers with a core each, which have addresses of their own as two machines have."""
    installation.install_spark()
    home = installation.SPARK / "pyspark"
    (folder / "conf").mkdir(exist_ok=True)
    (folder / "conf" / "spark-defaults.conf").write_text(_SPARK_SETTINGS.format(java=_SHORT_LIVED) + settings)
    variables = {
        "SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_NO_DAEMONIZE": "1",
        "SPARK_CONF_DIR": str(folder / "conf"), "SPARK_DAEMON_JAVA_OPTS": _SHORT_LIVED,
        "PYTHONPATH": f"{ROOT}:{installation.SPARK}",
    }  # fmt: skip
    port = free_port()
    address = f"spark://localhost:{port}"
    deploy, start = "org.apache.spark.deploy", str(home / "bin" / "spark-class")
    at = ["--webui-port", "0", "--host"]
    master = Daemon(
        [start, f"{deploy}.master.Master", *at, "localhost", "--port", str(port)],
        folder / "spark-master.log", **variables,
    )  # fmt: skip
    workers = []
    with started(master), contextlib.ExitStack() as stack:
        wait(lambda: "I have been elected leader" in master.log, "Spark's master starts")
        for number in range(2):
            host = f"127.0.0.{number + 2}"
            sizes = ["--cores", "1", "--memory", "2g", "--work-dir", str(folder / f"spark-{number}")]
            workers.append(
                Daemon(
                    [start, f"{deploy}.worker.Worker", *at, host, *sizes, address],
                    folder / f"spark-worker-{number}.log",
                    **{**variables, "SPARK_LOCAL_IP": host, "SPARK_LOCAL_DIRS": str(folder / "local")},
                )  # fmt: skip
            )
            stack.enter_context(started(workers[-1]))
        wait(lambda: master.log.count("Registering worker") >= 2, "Spark's workers register")
        yield Cluster(["--runner=spark", f"--spark_master={address}"], variables, workers)


_SPECULATION = """
spark.speculation true
spark.speculation.interval 50ms
spark.speculation.multiplier 1.01
spark.speculation.quantile 0.1
spark.speculation.minTaskRuntime 1ms
spark.eventLog.enabled true
spark.eventLog.dir {events}
"""


@contextlib.contextmanager
def speculating_spark(folder: Path) -> Iterator[Cluster]:
    """Spark as before, which gives a task to the other worker too when it takes longer than others."""
    events = folder / "events"
    events.mkdir()
    with spark(folder, settings=_SPECULATION.format(events=events.as_uri())) as cluster:
        yield cluster._replace(note=lambda: f"{_tasks_twice(events)} tasks given to both workers")


def _tasks_twice(events: Path) -> int:
    """Returns the number of tasks that were started a second time, by Spark's logs of events."""
    with contextlib.suppress(TimeoutError):
        # The driver, which ends after the command, completes the log.
        wait(lambda: not list(events.glob("*.inprogress")), "Spark's log of events", seconds=30.0)
    lines = [line for path in events.iterdir() for line in path.read_text().splitlines()]
    return sum("SparkListenerTaskStart" in line and '"Speculative":true' in line for line in lines)


_FLINK_SETTINGS = """
python.executable: {python}
python.client.executable: {python}
jobmanager.rpc.port: {rpc}
rest.port: {rest}
rest.bind-port: {rest}
env.java.opts.jobmanager: {java}
env.java.opts.taskmanager: {java}
heartbeat.interval: 1000
heartbeat.timeout: 8000
restart-strategy.type: fixed-delay
restart-strategy.fixed-delay.attempts: 20
restart-strategy.fixed-delay.delay: 1 s
"""


@contextlib.contextmanager
def flink(folder: Path) -> Iterator[Cluster]:
    """A JobManager of Flink and two TaskManagers with a slot each."""
    installation.install_flink()
    home, python = installation.flink_home(), str(installation.FLINK / "bin" / "python")
    settings = _FLINK_SETTINGS.format(python=python, java=_SHORT_LIVED, rpc=free_port(), rest=(port := free_port()))
    shutil.copytree(home / "conf", folder / "conf")
    with (folder / "conf" / "config.yaml").open("a") as file:
        file.write(settings)
    variables = {"FLINK_CONF_DIR": str(folder / "conf"), "FLINK_LOG_DIR": str(folder), "PYTHONPATH": str(ROOT)}
    daemons = [
        Daemon([str(home / "bin" / f"{name}.sh"), "start-foreground"], folder / f"flink-{number}.log", **variables)
        for number, name in enumerate(("jobmanager", "taskmanager", "taskmanager"))
    ]
    with started(*daemons):
        wait(lambda: _task_managers(port) == 2, "Flink's TaskManagers register")
        options = ["--runner=flink", f"--flink-master=localhost:{port}", f"--flink-python={python}"]
        yield Cluster(options, variables, daemons[1:])


def _task_managers(port: int) -> int:
    try:
        with urllib.request.urlopen(f"http://localhost:{port}/overview", timeout=5) as answer:
            return int(json.load(answer)["taskmanagers"])
    except (OSError, ValueError):
        return 0


CLUSTERS: Mapping[str, Callable[[Path], AbstractContextManager[Cluster]]] = {
    "local, 1 thread": local,
    "local, 2 threads": lambda folder: local(folder, threads=2),
    "embedded, 2 threads": embedded,
    "embedded, 2 processes": processes,
    "Prism": prism,
    "Prism, worker pool": prism_server,
    "Spark": spark,
    "Spark, speculation": speculating_spark,
    "Flink": flink,
}
"""All clusters; what they make is compared with what one thread made before."""
