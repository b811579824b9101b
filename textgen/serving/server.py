"""Serves models over HTTP until a signal asks it to stop, which lets running answers end."""

import contextlib
import os
import socket
import sys
from collections.abc import Mapping, Sequence

import uvicorn
from starlette.applications import Starlette

from textgen.console import say
from textgen.errors import UserError, one_line
from textgen.serving.app import Site
from textgen.serving.completions import Completions, ServedModel
from textgen.serving.prometheus import Metrics
from textgen.termination import allow_draining

DRAIN_SECONDS = 100
"""Maximum time that running answers have after a signal."""


def make_app(models: Sequence[ServedModel], *, seconds: float = 300, api_key: str = "") -> Starlette:
    """Returns the application that serves models.

    Args:
        models: the models.
        seconds: maximum duration of an answer.
        api_key: key that requests must have; empty for none.
    """
    metrics = Metrics(
        {
            "textgen_texts_running": lambda: sum(model.engine.running for model in models),
            "textgen_texts_waiting": lambda: sum(model.engine.waiting for model in models),
        }
    )
    by_name: Mapping[str, ServedModel] = {model.name: model for model in models}
    return Site(by_name, Completions(models, metrics, seconds=seconds), metrics, api_key).app()


def listen(host: str, port: int) -> socket.socket:
    """Returns a socket that listens at an address.

    Args:
        host: name or number of an address of this machine.
        port: the port; 0 for any free one.

    Raises:
        UserError: the address can't be listened at.
    """
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise UserError(
            f"{host}:{port} can't be listened at: {one_line(error)}. It must be a free address of this machine. "
            "Use another --port, or 0 for a free one."
        ) from None


def serve(app: Starlette, listening: socket.socket) -> None:
    """Serves an application until SIGINT or SIGTERM; running answers end before this returns."""
    host, port = listening.getsockname()[:2]
    config = uvicorn.Config(
        app, log_level="critical", access_log=False, server_header=False, timeout_graceful_shutdown=DRAIN_SECONDS
    )
    shown = f"[{host}]" if ":" in host else host
    say(f"serving at http://{shown}:{port} (process {os.getpid()}); stop with Ctrl-C")
    # What starts a server in a pipe waits for this line.
    sys.stderr.flush()
    # Not only until the last answer, since the process must still return its exit code.
    allow_draining()
    # The server raises the signal again when it has ended.
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listening])
