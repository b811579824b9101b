"""Object stores as processes of this machine, and the environment in which commands find them.

Their programs are those that `make test-stores` has put into `.stores`.
"""

import contextlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from tests.faults.trial import CannotTry

PROGRAMS = Path(__file__).parents[2] / ".stores"
BUCKET = "corpora"
_START_SECONDS = 30.0


class Store(NamedTuple):
    """A store that is running.

    Attributes:
        root: URL of its bucket.
        port: its port on localhost.
        environment: variables with which commands find it.
        process: its process.
        data_port: port of a server that it sends requests for the content of files to; 0 if it sends none.
    """

    root: str
    port: int
    environment: dict[str, str]
    process: "subprocess.Popen[bytes]"
    data_port: int = 0


Start = Callable[[Path, "int | None"], "contextlib.AbstractContextManager[Store]"]


@contextlib.contextmanager
def google(folder: Path, seen_at: int | None = None, host: str = "127.0.0.1") -> Iterator[Store]:
    """Runs a server with the interface of Google's store.

    Args:
        folder: an empty folder for its log.
        seen_at: port of a proxy in front of it; None for none.
        host: address of this machine that it listens at; of others it listens at localhost too.
    """
    port = free_port()
    address = f"http://{host}:{seen_at or port}"
    listens = host if host == "127.0.0.1" else "0.0.0.0"
    words = f"-backend memory -scheme http -host {listens} -port {port} -external-url {address}"
    environment = {"STORAGE_EMULATOR_HOST": address}
    command = [_program("fake-gcs-server"), *words.split(), "-public-host", address[7:]]
    with _running(command, folder, port) as process:
        _send(port, "POST", "/storage/v1/b?project=test", f'{{"name": "{BUCKET}"}}')
        yield Store(f"gs://{BUCKET}", port, environment, process)


@contextlib.contextmanager
def amazon(folder: Path, seen_at: int | None = None) -> Iterator[Store]:
    """Runs a server with the interface of S3; see `google`."""
    port = free_port()
    (folder / "files" / BUCKET).mkdir(parents=True)
    (folder / "attributes").mkdir()
    words = f"--quiet --port 127.0.0.1:{port} --access user --secret password posix --sidecar"
    environment = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{seen_at or port}",
        "AWS_ACCESS_KEY_ID": "user",
        "AWS_SECRET_ACCESS_KEY": "password",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    paths = [str(folder / "attributes"), str(folder / "files")]
    with _running([_program("versitygw"), *words.split(), *paths], folder, port) as process:
        yield Store(f"s3://{BUCKET}", port, environment, process)


_CORE_SETTINGS = {"fs.defaultFS": "hdfs://127.0.0.1:{names}"}
_HDFS_SETTINGS = {
    "dfs.namenode.name.dir": "{folder}/names", "dfs.datanode.data.dir": "{folder}/blocks",
    "dfs.namenode.http-address": "127.0.0.1:{web}", "dfs.datanode.address": "127.0.0.1:{data}",
    "dfs.datanode.http.address": "127.0.0.1:{data_web}", "dfs.datanode.ipc.address": "127.0.0.1:{ipc}",
    "dfs.datanode.hostname": "127.0.0.1", "dfs.replication": "1", "dfs.permissions.enabled": "false",
}  # fmt: skip


@contextlib.contextmanager
def hadoop(folder: Path, seen_at: int | None = None) -> Iterator[Store]:
    """Runs HDFS, a NameNode and a DataNode, which are asked by WebHDFS; see `google`."""
    jars = PROGRAMS / "hadoop"
    if not jars.is_dir() or shutil.which("java") is None:
        raise CannotTry("Hadoop is not installed; `make test-stores` installs it where there are Maven and Java")
    ports = {name: free_port() for name in ("names", "web", "data", "data_web", "ipc")}
    for name, settings in (("core-site.xml", _CORE_SETTINGS), ("hdfs-site.xml", _HDFS_SETTINGS)):
        values = {key: value.format(folder=folder, **ports) for key, value in settings.items()}
        lines = [f"<property><name>{key}</name><value>{value}</value></property>" for key, value in values.items()]
        (folder / name).write_text(f"<configuration>{''.join(lines)}</configuration>")
    java = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", f"{folder}:{jars}/*"]
    names, data = (f"org.apache.hadoop.hdfs.server.{each}" for each in ("namenode.NameNode", "datanode.DataNode"))
    subprocess.run([*java, names, "-format", "-nonInteractive"], check=True, capture_output=True)
    with (
        _running([*java, names], folder, ports["web"]) as process,
        _running([*java, data], folder, ports["data_web"]),
    ):
        _wait_for_data_node(ports["web"])
        root = f"webhdfs://127.0.0.1:{seen_at or ports['web']}/{BUCKET}"
        yield Store(root, ports["web"], {}, process, ports["data_web"])


def _wait_for_data_node(port: int) -> None:
    end = time.monotonic() + _START_SECONDS
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState")
        answer = json.load(connection.getresponse())["beans"]
        connection.close()
        if answer and answer[0]["NumLiveDataNodes"]:
            return
        assert time.monotonic() < end, "the DataNode does not register"
        time.sleep(0.1)


STORES: dict[str, Start] = {"gs": google, "s3": amazon}
"""Object stores."""

ALL: dict[str, Start] = {**STORES, "webhdfs": hadoop}
"""Object stores, and a file system of a cluster."""


def free_port() -> int:
    """Returns a port of localhost at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _program(name: str) -> str:
    path = PROGRAMS / name
    if not path.exists():
        raise CannotTry(f"{name} is not installed; `make test-stores` installs it")
    return str(path)


@contextlib.contextmanager
def _running(command: list[str], folder: Path, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    with (folder / "servers.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "TMPDIR": str(folder)})
    try:
        _wait(port, process)
        yield process
    finally:
        process.kill()
        process.wait()


def _wait(port: int, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + _START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert process.poll() is None and time.monotonic() < end, "the store does not start"
            time.sleep(0.05)
        else:
            return


def _send(port: int, method: str, path: str, body: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, body, {"Content-Type": "application/json"})
    assert connection.getresponse().status == 200
    connection.close()
