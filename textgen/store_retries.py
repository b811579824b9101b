"""Asks stores again that answer with a passing error, are slow or cannot be reached, within a bound, and says so."""

import contextlib
import functools
import importlib
import math
import os
import threading
import time
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ParamSpec, TypeVar

from textgen.console import say
from textgen.errors import one_line

SECONDS_VARIABLE = "TEXTGEN_RETRY_SECONDS"
"""Environment variable with the time for which a failing request is repeated, in seconds."""

SECONDS = 120.0
"""Time after the first failure of a request after which no new try begins, in seconds."""

FIRST_SECONDS = 3.0
"""The same for a store that has never answered this process: its address may be wrong."""

_FIRST_WAIT, _MAX_WAIT = 0.5, 15.0
_TELL_SECONDS = 15.0

_CONNECT_SECONDS, _READ_SECONDS, _UPLOAD_SECONDS = 15, 60, 300
"""Time for a connection; without a byte of an answer; and for the upload of a part of a file."""

_PASSING_STATUSES = {408, 429, 500, 502, 503, 504}
"""HTTP's: request timeout, too many requests, and errors of servers and gateways that pass by."""

_PASSING_CODES = {"InternalError", "ServiceUnavailable", "SlowDown", "RequestTimeout", "RequestTimeTooSkewed"}
"""The same as S3 names them; an answer with another status may carry one in its body."""

_PASSING = {
    ("builtins", "ConnectionError"), ("builtins", "TimeoutError"), ("asyncio", "TimeoutError"),
    ("fsspec", "FSTimeoutError"), ("aiohttp", "ClientConnectionError"), ("aiohttp", "ClientPayloadError"),
    ("botocore", "HTTPClientError"), ("botocore", "IncompleteReadError"), ("botocore", "ResponseParserError"),
    ("urllib3", "HTTPError"), ("requests", "ConnectionError"), ("requests", "Timeout"), ("requests", "ProxyError"),
    ("requests", "ChunkedEncodingError"), ("gcsfs", "ChecksumError"), ("google", "TransportError"),
    ("http", "IncompleteRead"),
}  # fmt: skip
"""Classes of errors of connections, by package and name, since the drivers' libraries need not be installed."""

_P = ParamSpec("_P")
_T = TypeVar("_T")

_answered = set[str]()
_told_at: dict[str, float] = {}
_of_thread = threading.local()


def retried(url: str, call: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Returns the result of a request to a store; repeats it while it fails with a passing error.

    The waits between tries double, from half a second to 15 s. A message says so at once, and again every 15 s.

    Args:
        url: what is asked for, for messages.
        call: makes the request; a repetition does no harm.
        *args: arguments of `call`.
        **kwargs: arguments of `call`.

    Raises:
        Exception: what the last try raised.
    """
    begun, wait = 0.0, _FIRST_WAIT
    while True:
        try:
            found = call(*args, **kwargs)
        except Exception as error:
            if not is_passing(error):
                # Other errors, such as that of a missing file, are answers too.
                _answered.add(_store(url))
                raise
            begun = begun or time.monotonic()
            left = begun + _patience(url, error) - time.monotonic()
            if left < wait:
                raise
            _tell(url, error, left)
            time.sleep(wait)
            wait = min(2 * wait, _MAX_WAIT)
        else:
            _answered.add(_store(url))
            return found


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """Inside the context, this thread repeats a request for this time at most; 0 to make each once."""
    before = getattr(_of_thread, "most", math.inf)
    _of_thread.most = seconds
    try:
        yield
    finally:
        _of_thread.most = before


def is_passing(error: BaseException) -> bool:
    """Returns whether an error of a driver is one that may not come again: of a busy server or of a connection."""
    cause: BaseException | None = error
    while cause is not None:
        if _status(cause) is not None:
            return _status(cause) in _PASSING_STATUSES or _code(cause) in _PASSING_CODES
        if any((kind.__module__.partition(".")[0], kind.__name__) in _PASSING for kind in type(cause).__mro__):
            return True
        cause = cause.__cause__
    return False


def driver_options(url: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Returns options for the driver of a URL with which it neither waits without end nor repeats unseen.

    Where `STORAGE_EMULATOR_HOST` names a server in place of Google's, it is asked without credentials and by HTTP.

    Args:
        url: any URL.
        given: the options that the user has given in fsspec's configuration, which are left as they are.
    """
    options: dict[str, Any] = {}
    scheme = url.partition("://")[0]
    if scheme in ("s3", "s3a"):
        # The library would repeat each of the driver's tries.
        options["config_kwargs"] = {
            "retries": {"total_max_attempts": 1}, "connect_timeout": _CONNECT_SECONDS, "read_timeout": _READ_SECONDS
        }  # fmt: skip
    if scheme in ("gs", "gcs"):
        with contextlib.suppress(ImportError):
            # The driver gives it to each request, so that a limit of the session would have no effect.
            options["requests_timeout"] = importlib.import_module("aiohttp").ClientTimeout(
                total=_UPLOAD_SECONDS, sock_connect=_CONNECT_SECONDS, sock_read=_READ_SECONDS
            )
        if os.environ.get("STORAGE_EMULATOR_HOST"):
            options["token"] = "anon"
            # Read when the driver is imported; it would ask an interface that emulators do not have.
            os.environ.setdefault("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
    return {name: value for name, value in options.items() if name not in given}


def repeat_nothing(driver: Any) -> None:
    """Has a driver of s3fs or gcsfs make each request once, since it would repeat it unseen; leaves others alone."""
    module = type(driver).__module__.partition(".")[0]
    if module == "s3fs":
        driver.retries = 1
    # Its repetitions are a decorator with a fixed number.
    request = getattr(getattr(type(driver), "_request", None), "__wrapped__", None)
    if module == "gcsfs" and request:
        driver._request = types.MethodType(request, driver)


def mend_session(driver: Any) -> None:
    """Mends a driver that asks by a session of requests, as that of webhdfs; leaves others alone.

    It waits no longer than others do, and does not take the error of a server for the content of a file.
    """
    session: Any = getattr(driver, "session", None)
    if type(session).__module__.partition(".")[0] != "requests":
        return
    waits = (_CONNECT_SECONDS, _READ_SECONDS)
    session.request = functools.partial(type(session).request, session, timeout=waits)

    def get(*args: Any, **kwargs: Any) -> Any:
        answer = type(session).get(session, *args, **kwargs)
        answer.raise_for_status()
        return answer

    session.get = get


def _patience(url: str, error: Exception) -> float:
    """Returns for how many seconds a request is repeated."""
    if any(_status(each) is not None for each in (error, error.__cause__)):
        _answered.add(_store(url))
    try:
        most = float(os.environ.get(SECONDS_VARIABLE, SECONDS))
    except ValueError:
        most = SECONDS
    return min(most if _store(url) in _answered else FIRST_SECONDS, most, getattr(_of_thread, "most", math.inf))


def _tell(url: str, error: Exception, left: float) -> None:
    now = time.monotonic()
    if now - _told_at.get(_store(url), -_TELL_SECONDS) >= _TELL_SECONDS:
        _told_at[_store(url)] = now
        say(f"{url}: {_description(error)}; trying again for up to {left:.0f} s.")


def _description(error: Exception) -> str:
    status = next((_status(each) for each in (error, error.__cause__) if _status(each) is not None), None)
    text = one_line(error)
    return text if status is None or str(status) in text else f"{text} (status {status})"


def _store(url: str) -> str:
    """Returns the scheme and the bucket or host of a URL."""
    return "/".join(url.split("/")[:3])


def _status(error: BaseException | None) -> int | None:
    """Returns the HTTP status of an answer that an error of a driver reports; None if it reports no answer."""
    response = getattr(error, "response", None)
    metadata = response.get("ResponseMetadata", {}) if isinstance(response, dict) else {}
    # An older aiohttp has both, and warns of its `code`.
    own = getattr(error, "status" if hasattr(error, "status") else "code", None)
    for found in (metadata.get("HTTPStatusCode"), getattr(response, "status_code", None), own):
        with contextlib.suppress(TypeError, ValueError):
            return int(found)  # type: ignore[arg-type]
    return None


def _code(error: BaseException) -> str:
    response = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""
