"""Repetition of requests to stores, with a clock that runs only while somebody sleeps."""

import http.server
import itertools
import json
import threading
from collections.abc import Iterator
from types import SimpleNamespace

import fsspec.exceptions
import pytest

from textgen import remote_files, store_retries
from textgen.store_retries import is_passing, retried, within


class Clock:
    """A clock that `sleep` moves on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class StatusError(Exception):
    """An error as gcsfs has it, with the HTTP status of the answer."""

    def __init__(self, code: int):
        super().__init__(f"answer {code}")
        self.code = code


class AnswerError(Exception):
    """An error as botocore has it, with the answer of S3."""

    def __init__(self, status: int, code: str):
        super().__init__(code)
        self.response = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}


class SessionError(Exception):
    """An error as requests has it, with the answer of a server of WebHDFS."""

    def __init__(self, status: int):
        super().__init__(f"answer {status}")
        self.response = SimpleNamespace(status_code=status)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(store_retries, "time", clock)
    monkeypatch.setattr(store_retries, "_answered", set())
    monkeypatch.setattr(store_retries, "_told_at", {})
    return clock


class Store:
    """Fails with some errors, then answers."""

    def __init__(self, *errors: Exception, always: Exception | None = None):
        self._errors = iter(errors) if always is None else itertools.repeat(always)
        self.asked = 0

    def ask(self, text: str, *, end: str) -> str:
        self.asked += 1
        for error in self._errors:
            raise error
        return text + end


def test_a_request_is_repeated_until_it_is_answered(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    store = Store(StatusError(503), ConnectionResetError("reset"), TimeoutError())
    assert retried("gs://bucket/a", store.ask, "x", end="y") == "xy"
    assert (store.asked, clock.now) == (4, 1003.5)
    assert capsys.readouterr().err == "gs://bucket/a: answer 503; trying again for up to 120 s.\n"


def test_the_time_of_repetitions_has_a_bound(
    clock: Clock, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(always=StatusError(500))
    with pytest.raises(StatusError):
        retried("gs://bucket/a", store.ask, "x", end="y")
    assert 100 < clock.now - 1000 <= store_retries.SECONDS
    told = capsys.readouterr().err.splitlines()
    assert len(told) >= 5
    assert all(line.startswith("gs://bucket/a: answer 500; trying again for up to ") for line in told)
    monkeypatch.setenv(store_retries.SECONDS_VARIABLE, "0")
    clock.now = 1000.0
    with pytest.raises(StatusError):
        retried("gs://bucket/a", store.ask, "x", end="y")
    assert clock.now == 1000.0


def test_a_store_that_has_never_answered_is_not_waited_for(clock: Clock) -> None:
    with pytest.raises(ConnectionRefusedError):
        retried("s3://wrong/a", Store(always=ConnectionRefusedError("refused")).ask, "x", end="y")
    assert clock.now - 1000 <= store_retries.FIRST_SECONDS
    assert retried("s3://right/a", Store().ask, "x", end="y") == "xy"
    with pytest.raises(ConnectionRefusedError):
        retried("s3://right/a", Store(always=ConnectionRefusedError("refused")).ask, "x", end="y")
    assert clock.now - 1000 > 100


def test_other_errors_are_not_repeated(clock: Clock) -> None:
    for error in (FileNotFoundError("a"), PermissionError("a"), StatusError(403), AnswerError(400, "InvalidRange")):
        store = Store(always=error)
        with pytest.raises(type(error)):
            retried("gs://bucket/a", store.ask, "x", end="y")
        assert store.asked == 1
    assert clock.now == 1000.0


def test_a_thread_repeats_for_no_longer_than_it_may(clock: Clock) -> None:
    for seconds, asked in [(0, 1), (4, 4)]:
        store, began = Store(always=StatusError(503)), clock.now
        with within(seconds), pytest.raises(StatusError):
            retried("gs://bucket/a", store.ask, "x", end="y")
        assert store.asked == asked and clock.now - began <= seconds


def test_passing_errors_are_known_by_their_status_code_class_or_cause() -> None:
    passing = [
        StatusError(429), StatusError(502), AnswerError(503, "SlowDown"), AnswerError(200, "InternalError"),
        SessionError(503), ConnectionResetError(), TimeoutError(), fsspec.exceptions.FSTimeoutError(),
    ]  # fmt: skip
    assert all(map(is_passing, passing))
    wrapped = OSError(16, "Please reduce your request rate.")
    wrapped.__cause__ = AnswerError(503, "SlowDown")
    assert is_passing(wrapped)
    assert not any(map(is_passing, [OSError(5, "x"), StatusError(404), SessionError(403), AnswerError(412, "")]))


def test_the_drivers_leave_the_repetitions_to_us(monkeypatch: pytest.MonkeyPatch) -> None:
    assert store_retries.driver_options("s3://b", {})["config_kwargs"]["retries"] == {"total_max_attempts": 1}
    assert store_retries.driver_options("s3://b", {"config_kwargs": {}}) == {}
    assert store_retries.driver_options("memory://b", {}) == {}
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://localhost:4443")
    monkeypatch.setenv("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
    assert store_retries.driver_options("gs://b", {})["token"] == "anon"
    assert "token" not in store_retries.driver_options("gs://b", {"token": "cloud"})


def test_a_session_of_requests_does_not_wait_without_end() -> None:
    for _ in range(2):
        driver, _ = remote_files.connect("webhdfs://localhost:9870/data")
    assert driver.session.request.keywords == {"timeout": (15, 60)}


class DataNode(http.server.BaseHTTPRequestHandler):
    """Answers as a NameNode that sends reading to a DataNode, whose first two answers are errors."""

    content, statuses = b"whale", iter([503, 404])

    def do_GET(self) -> None:
        if "op=GETFILESTATUS" in self.path:
            self._answer(200, json.dumps({"FileStatus": {"type": "FILE", "length": len(self.content)}}).encode())
        elif "op=OPEN" in self.path:
            self._answer(307, b"", Location=f"http://{self.headers['Host']}/block")
        else:
            status = next(self.statuses, 200)
            self._answer(status, self.content if status == 200 else b"error")

    def _answer(self, status: int, content: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def data_node() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), DataNode) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"webhdfs://127.0.0.1:{server.server_port}/file"
        server.shutdown()


def test_an_error_of_a_data_node_is_not_taken_for_the_content_of_a_file(data_node: str, clock: Clock) -> None:
    # It is repeated where it may pass, and told where it may not.
    with pytest.raises(OSError, match="404"):
        remote_files.read(data_node)
    assert remote_files.read(data_node) == DataNode.content
