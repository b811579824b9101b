"""Object stores as processes of this machine, and the environment in which commands find them.

Their programs are those that `make test-stores` has put into `.stores`.
"""

import contextlib
import http.client
import os
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
    """

    root: str
    port: int
    environment: dict[str, str]
    process: "subprocess.Popen[bytes]"


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
    with _running("fake-gcs-server", [*words.split(), "-public-host", address[7:]], folder, port) as process:
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
    with _running("versitygw", [*words.split(), *paths], folder, port) as process:
        yield Store(f"s3://{BUCKET}", port, environment, process)


STORES: dict[str, Start] = {"gs": google, "s3": amazon}


def free_port() -> int:
    """Returns a port of localhost at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextlib.contextmanager
def _running(program: str, words: list[str], folder: Path, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    path = PROGRAMS / program
    if not path.exists():
        raise CannotTry(f"{program} is not installed; `make test-stores` installs it")
    with (folder / f"{program}.log").open("wb") as log:
        process = subprocess.Popen(
            [str(path), *words], stdout=log, stderr=log, env={**os.environ, "TMPDIR": str(folder)}
        )
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
