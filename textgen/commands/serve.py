"""Serve models over HTTP, to tools that speak OpenAI's dialect of completions and as a page to play with."""

import argparse
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING

from textgen.config.options import CommandParser
from textgen.console import say
from textgen.errors import UserError, require

if TYPE_CHECKING:
    from textgen.serving.completions import ServedModel

KEY_VARIABLE = "TEXTGEN_API_KEY"


def add_arguments(parser: CommandParser) -> None:
    """Adds the options."""
    parser.usage = "textgen serve RUN [RUN ...] [options]"
    parser.add_argument("models", nargs="+", metavar="RUN", help="folder of a run; its name is the model's")
    parser.add_argument(
        "--host", default="127.0.0.1", metavar="ADDRESS",
        help="address to listen at; 0.0.0.0: every address of this machine (default: 127.0.0.1, this machine alone)",
    )  # fmt: skip
    parser.add_argument(
        "--port", type=int, default=8000, metavar="N", help="port to listen at; 0: any free one (default: 8000)"
    )
    parser.add_argument(
        "--api-key-file", metavar="FILE",
        help=f"file with a key that requests must have (default: the environment variable {KEY_VARIABLE}, if set)",
    )  # fmt: skip
    parser.add_argument(
        "--max-waiting", type=int, default=256, metavar="N",
        help="number of texts that may wait; more are refused with status 429 (default: 256)",
    )  # fmt: skip
    parser.add_argument(
        "--max-seconds", type=float, default=300, metavar="X", help="maximum duration of an answer (default: 300)"
    )


def run(arguments: argparse.Namespace) -> None:
    """Serves until SIGINT or SIGTERM, after which running answers end first.

    Raises:
        UserError: a run cannot be read, two have the same name, an option is not allowed, or the extra is missing.
        OSError: a file cannot be read.
    """
    # The system would take none for every address.
    require(
        bool(arguments.host.strip()),
        "host is empty; it must be an address of this machine. Use 0.0.0.0 for every one, or leave it out.",
    )
    require(0 <= arguments.port <= 65535, f"port is {arguments.port}; it must be from 0 to 65535.")
    require(arguments.max_waiting >= 1, f"max waiting is {arguments.max_waiting}; it must be at least 1.")
    require(
        0 < arguments.max_seconds < math.inf,
        f"max seconds is {arguments.max_seconds:g}; it must be finite and above 0.",
    )
    key = _api_key(arguments.api_key_file)
    paths: dict[str, str] = {}
    for model in arguments.models:
        name = Path(model).resolve().name
        require(
            name not in paths,
            f"{paths.get(name)} and {model} have the same name, which is the model's; the names of the folders must "
            "differ. Rename one.",
        )
        paths[name] = model
    try:
        from textgen.serving import server
    except ModuleNotFoundError as error:
        raise UserError(
            f"the server needs the package {error.name}, which is not installed. Install textgen with the extra "
            "[serve]."
        ) from None
    listening = server.listen(arguments.host, arguments.port)
    models = [_load(name, path, max_waiting=arguments.max_waiting) for name, path in paths.items()]
    if not key and arguments.host not in ("127.0.0.1", "localhost", "::1"):
        say("warning: other machines can use this server without a key. Set one with --api-key-file.")
    app = server.make_app(models, seconds=arguments.max_seconds, api_key=key)
    server.serve(app, listening)


def _load(name: str, path: str, *, max_waiting: int) -> "ServedModel":
    from textgen.api.run import load_run
    from textgen.serving.warm_models import served_model

    found = load_run(path)
    return served_model(
        name, found.path, found.model, found.preprocessor,
        boundaries=found.config.boundaries, max_waiting=max_waiting,
    )  # fmt: skip


def _api_key(path: str | None) -> str:
    if path is None:
        return os.environ.get(KEY_VARIABLE, "").strip()
    key = Path(path).expanduser().read_bytes().decode(errors="replace").strip()
    require(bool(key), f"{path} is empty; it must have a key. Write one into it.")
    require(
        key.isprintable() and "\ufffd" not in key, f"{path} is no line of UTF-8; it must have one key. Correct it."
    )
    return key
