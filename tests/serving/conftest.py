import contextlib
import json
import socket
import string
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import keras
import pytest
import uvicorn

from textgen.config import ModelConfig, TextConfig
from textgen.generation.scoring import Scorer
from textgen.generation.writer import Writer
from textgen.model import networks
from textgen.serving.completions import ServedModel
from textgen.serving.server import make_app
from textgen.serving.warm_models import served_model
from textgen.text.preprocessor import Preprocessor
from textgen.text.vocabulary import Vocabulary

CHAR = TextConfig(tokenizer="char", case="keep", whitespace="keep", punctuation="keep")
LETTERS = tuple(string.ascii_lowercase + " é")


class Served(NamedTuple):
    """A model, what writes and scores with it without a server, and the model as it is served."""

    writer: Writer
    scorer: Scorer
    model: ServedModel


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Served:
    keras.utils.set_random_seed(3)
    settings = ModelConfig(network="lstm", embedding=6, units=8, layers=1)
    model = networks.build(settings, vocabulary_size=4 + len(LETTERS), window=8)
    model.set_weights([6 * weight for weight in model.get_weights()])
    preprocessor = Preprocessor(CHAR, Vocabulary(LETTERS, (1,) * len(LETTERS)))
    run = tmp_path_factory.mktemp("runs") / "letters"
    run.mkdir()
    (run / "history.csv").write_text("step,loss,validation_loss\n3,2.5,\n6,2.25,2.75\n", encoding="utf-8")
    sample = {"step": 3, "prompt": "a", "temperature": 1.0, "seed": 0, "text": "abc"}
    (run / "samples.jsonl").write_text(f'{json.dumps(sample)}\n{{"step": 6, "pro', encoding="utf-8")
    found = served_model("letters", run, model, preprocessor, boundaries=True, max_waiting=8)
    writer = Writer(model, preprocessor, boundaries=True)
    # What is traced for the server is not traced again.
    writer._smaller, writer.generator = found.engine._loop._generators
    return Served(writer, found.engine._scorer, found)


Serve = Callable[..., str]


@pytest.fixture(scope="session")
def serve(served: Served) -> Iterator[Serve]:
    """Serves the model with some settings, and returns the address."""
    with contextlib.ExitStack() as stack:

        def start(**settings: Any) -> str:
            listening = socket.create_server(("127.0.0.1", 0))
            server = uvicorn.Server(uvicorn.Config(make_app([served.model], **settings), log_level="critical"))
            threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True).start()
            stack.callback(setattr, server, "should_exit", True)
            while not server.started:
                time.sleep(0.01)
            return f"http://127.0.0.1:{listening.getsockname()[1]}"

        yield start


@pytest.fixture(scope="session")
def address(serve: Serve) -> str:
    return serve()


class Reply(NamedTuple):
    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(url: str, body: Any = None, **headers: str) -> Reply:
    """Sends a request; a body that is no bytes is sent as JSON."""
    content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, content, {"Content-Type": "application/json", **given})
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return Reply(response.status, response.read(), dict(response.headers))
    except urllib.error.HTTPError as error:
        return Reply(error.code, error.read(), dict(error.headers))


def events(reply: Reply) -> list[Any]:
    """Returns the events of a stream, without the last one, which must be `[DONE]`."""
    *lines, last = [line for line in reply.body.decode().split("\n\n") if line]
    assert last == "data: [DONE]"
    return [json.loads(line.removeprefix("data: ")) for line in lines]
