"""A proxy before a store that answers some requests with faults: errors, late answers and broken connections."""

import contextlib
import http.client
import http.server
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

_HOP = {"connection", "keep-alive", "transfer-encoding", "proxy-connection"}
"""Headers of one connection, which are not passed on."""


class Request(NamedTuple):
    """A request that has come in.

    Attributes:
        number: from 0, in the order of coming.
        method: such as "PUT".
        path: with the query.
        size: of its body in bytes; 1 if that is told in pieces.
    """

    number: int
    method: str
    path: str
    size: int


class Fault(NamedTuple):
    """What is done to a request.

    Attributes:
        status: status of the answer, which the proxy gives itself; 0 to pass the request on.
        seconds: time before the request is passed on or answered.
        cut: whether the request is dropped in the middle of its body, or of the answer's if it has none.
    """

    status: int = 0
    seconds: float = 0.0
    cut: bool = False


def is_for_data(path: str) -> bool:
    """Returns whether a request with this path is one that a NameNode sends to a DataNode."""
    return "namenoderpcaddress=" in path


Rule = Callable[[Request], Fault | None]


class Proxy(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """The proxy.

    Attributes:
        rule: returns the fault of a request, or None; it may be replaced while the proxy runs.
        faults: the requests that had one.
        target: port of the store.
        data_target: port of a server to which the store sends requests for the content of files; 0 if it sends none.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int):
        super().__init__(("127.0.0.1", port), _Handler)
        self.rule: Rule = _none
        self.faults: list[Request] = []
        self.target = self.data_target = 0
        self._count, self._lock = 0, threading.Lock()

    def decide(self, method: str, path: str, size: int) -> Fault | None:
        """Returns the fault of the next request."""
        with self._lock:
            request = Request(self._count, method, path, size)
            self._count += 1
            fault = self.rule(request)
            if fault:
                self.faults.append(request)
        return fault

    def handle_error(self, request: object, client_address: object) -> None:
        """Does nothing: clients that hang up are part of the trials."""


def _none(_: Request) -> Fault | None:
    return None


@contextlib.contextmanager
def running(port: int) -> Iterator[Proxy]:
    """Runs a proxy at a port of localhost."""
    with Proxy(port) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Proxy
    protocol_version = "HTTP/1.1"
    timeout = 120

    def _handle(self) -> None:
        size = int(self.headers.get("Content-Length") or ("chunked" in (self.headers.get("Transfer-Encoding") or "")))
        fault = self.server.decide(self.command, self.path, size)
        if fault and fault.cut and size > 1:
            # Half of the body comes to the store, which must not take it for the whole.
            self._pass_on(self._body(half=True), cut=True)
            self._hang_up()
            return
        body = self._body()
        if fault:
            time.sleep(fault.seconds)
        if fault and fault.status:
            self._answer(fault.status, [("Content-Type", "text/plain")], b"the store is out of order")
            return
        answer = self._pass_on(body)
        if answer is None:
            self._hang_up()
            return
        status, headers, content = answer
        self._answer(status, headers, content, cut=bool(fault and fault.cut))

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_PATCH = _handle  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass

    def _body(self, *, half: bool = False) -> bytes:
        if "chunked" in (self.headers.get("Transfer-Encoding") or ""):
            content = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                content += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return content
        length = int(self.headers.get("Content-Length") or 0)
        return self.rfile.read(length // 2 if half else length)

    def _pass_on(self, body: bytes, *, cut: bool = False) -> tuple[int, list[tuple[str, str]], bytes] | None:
        server = self.server
        target = server.data_target if is_for_data(self.path) else server.target
        connection = http.client.HTTPConnection("127.0.0.1", target, timeout=60)
        try:
            # The signature of a request covers the name of the host, so that stays that of the proxy.
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in (*_HOP, "content-length", "expect"):
                    connection.putheader(name, value)
            length = int(self.headers.get("Content-Length") or 0) if cut else len(body)
            if length or self.command in ("PUT", "POST"):
                connection.putheader("Content-Length", str(length))
            connection.endheaders()
            connection.send(body)
            if cut:
                return None
            answer = connection.getresponse()
            there, here = f":{server.data_target}/", f":{server.server_port}/"
            headers = [
                (name, value.replace(there, here) if name.lower() == "location" else value)
                for name, value in answer.getheaders()
                if name.lower() not in _HOP
            ]
            return answer.status, headers, answer.read()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes, *, cut: bool = False) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() != "content-length" or self.command == "HEAD":
                self.send_header(name, value)
        if self.command != "HEAD" and status not in (204, 304):
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content[: len(content) // 2] if cut else content)
        if cut:
            self._hang_up()

    def _hang_up(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.wfile.flush()
            self.connection.shutdown(2)
