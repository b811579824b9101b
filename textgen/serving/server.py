"""Serves models over HTTP until a signal asks it to stop, which lets running answers end."""

import os
import queue
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import tensorflow as tf
import uvicorn
from starlette.applications import Starlette

from textgen.config import GenerationConfig
from textgen.console import say
from textgen.errors import UserError, one_line
from textgen.generation.generator import Generator
from textgen.generation.scoring import Scorer
from textgen.model.language_model import LanguageModel
from textgen.serving.app import Site
from textgen.serving.completions import Completions, ServedModel
from textgen.serving.engine import Engine
from textgen.serving.prometheus import Metrics
from textgen.serving.queued_text import Piece, Text
from textgen.termination import saving
from textgen.text.preprocessor import Preprocessor

DRAIN_SECONDS = 100
"""Maximum time that running answers have after a signal."""


def served_model(
    name: str, path: Path, model: LanguageModel, preprocessor: Preprocessor, *, boundaries: bool, max_waiting: int
) -> ServedModel:
    """Returns a model with its engine, warm: its graphs are traced.

    Args:
        name: id of the model.
        path: folder of the run.
        model: the network.
        preprocessor: encodes prompts and decodes ids.
        boundaries: whether the documents of the training data begin with [BOS].
        max_waiting: maximum number of texts that wait.
    """
    generator = Generator(model, preprocessor, boundaries=boundaries)
    scorer = Scorer(model, preprocessor, boundaries=boundaries)
    engine = Engine(generator, scorer, preprocessor, max_waiting=max_waiting)
    size = preprocessor.vocabulary.size
    alone = preprocessor.decode(tf.RaggedTensor.from_row_splits(tf.range(size), tf.range(size + 1))).numpy().tolist()
    reserved = [text.encode() for text in preprocessor.vocabulary.texts[:4]]
    _warm(engine)
    return ServedModel(
        name=name,
        path=path,
        engine=engine,
        preprocessor=preprocessor,
        token_texts=(*reserved, *alone[4:]),
        created=int(path.stat().st_mtime),
    )


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
    """Serves an application until SIGINT or SIGTERM, which running answers may outlast.

    Raises:
        KeyboardInterrupt: a signal has ended the server.
    """
    host, port = listening.getsockname()[:2]
    config = uvicorn.Config(
        app, log_level="critical", access_log=False, server_header=False, timeout_graceful_shutdown=DRAIN_SECONDS
    )
    shown = f"[{host}]" if ":" in host else host
    say(f"serving at http://{shown}:{port} (process {os.getpid()}); stop with Ctrl-C")
    # What starts a server in a pipe waits for this line.
    sys.stderr.flush()
    # A signal ends a process that is saving nothing within seconds.
    with saving():
        uvicorn.Server(config).run(sockets=[listening])


def _warm(engine: Engine) -> None:
    """Runs each graph once, since the first call takes seconds."""
    pieces: queue.Queue[Piece | Exception] = queue.Queue()
    config = GenerationConfig(tokens=40)
    kinds = ((True, False), (False, False), (False, True))
    engine.submit(
        [
            Text(
                prompt=b"a", prompt_ids=None, config=config, sample=0, top=1, by_pieces=by_pieces, scored=scored,
                deliver=pieces.put,
            )
            for by_pieces, scored in kinds
        ]
    )  # fmt: skip
    ended = 0
    while ended < len(kinds):
        piece = pieces.get()
        if isinstance(piece, Exception):
            raise piece
        ended += bool(piece.reason)
