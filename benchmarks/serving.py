"""What the server adds to a direct call, and its first token.

    python benchmarks/serving.py [--rounds 5] [--tokens 200] [--texts 64]

The `lstm` of `generation.py`, 2 × 256 units and 8,000 words with initial weights, in a warm server in this process,
which is asked over HTTP at 127.0.0.1. `direct` is `Writer.write` with the same prompts and settings. Ways take turns;
of each, wall time and CPU time of the whole process, the client's included, are measured. Prints Markdown tables of
medians.
"""

import argparse
import concurrent.futures
import http.client
import json
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import keras
import table
import uvicorn
from generation import LSTM, PROMPT, WINDOW, WORDS

from textgen.config import GenerationConfig, TextConfig
from textgen.generation.writer import Writer
from textgen.model import networks
from textgen.serving.server import make_app
from textgen.serving.warm_models import served_model
from textgen.text.preprocessor import Preprocessor
from textgen.text.vocabulary import Vocabulary


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=200)
    parser.add_argument("--texts", type=int, default=64)
    given = parser.parse_args()
    keras.utils.set_random_seed(1)
    model = networks.build(LSTM, vocabulary_size=len(WORDS) + 4, window=WINDOW)
    preprocessor = Preprocessor(TextConfig(), Vocabulary(WORDS, tuple(range(len(WORDS), 0, -1))))
    writer = Writer(model, preprocessor, boundaries=True)
    with tempfile.TemporaryDirectory() as folder:
        served = served_model("m", Path(folder), model, preprocessor, boundaries=True, max_waiting=256)
        port = start(make_app([served]))
        compare(writer, port, given)
        first_tokens(port, given.rounds)


def start(app: object) -> int:
    """Serves an application in a thread, and returns the port."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", access_log=False))
    threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True).start()
    while not server.started:
        time.sleep(0.01)
    return int(listening.getsockname()[1])


def post(port: int, **settings: object) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    body = json.dumps({"model": "m", "prompt": PROMPT, "seed": 0, **settings})
    connection.request("POST", "/v1/completions", body, {"Content-Type": "application/json"})
    return connection.getresponse()


def ask(port: int, **settings: object) -> None:
    answer = post(port, **settings)
    assert answer.status == 200 and answer.read()


def compare(writer: Writer, port: int, given: argparse.Namespace) -> None:
    """Prints the times of the same texts, written directly and by the server."""
    tokens, texts = given.tokens, given.texts
    config = GenerationConfig(tokens=tokens)
    pool = concurrent.futures.ThreadPoolExecutor(texts)

    def together() -> None:
        list(pool.map(lambda seed: ask(port, max_tokens=tokens, seed=seed), range(texts)))

    # The first way of each group is the direct call.
    groups: list[dict[str, Callable[[], object]]] = [
        {
            "direct": lambda: writer.write([PROMPT], config),
            "server": lambda: ask(port, max_tokens=tokens),
            "server, a stream": lambda: ask(port, max_tokens=tokens, stream=True),
        },
        {
            f"direct, {texts} texts": lambda: writer.write([PROMPT], config, samples=texts),
            f"server, one request for {texts} texts": lambda: ask(port, max_tokens=tokens, n=texts),
            f"server, {texts} requests at once": together,
        },
    ]
    ways = {name: write for group in groups for name, write in group.items()}
    wall: dict[str, list[float]] = {name: [] for name in ways}
    cpu: dict[str, list[float]] = {name: [] for name in ways}
    for round_number in range(given.rounds + 1):
        for name, write in ways.items():
            started, used = time.perf_counter(), time.process_time()
            write()
            # The first round traces what is left to trace.
            if round_number:
                wall[name].append(time.perf_counter() - started)
                cpu[name].append(time.process_time() - used)
    rows = []
    for group in groups:
        direct, *_ = (statistics.median(wall[name]) for name in group)
        for name in group:
            median = statistics.median(wall[name])
            used = statistics.median(cpu[name])
            rows.append([name, f"{1000 * median:.0f}", f"{1000 * used:.0f}", f"{100 * (median / direct - 1):+.1f} %"])
    table.show([f"{tokens} tokens", "wall, milliseconds", "CPU, milliseconds", "over the direct call"], rows)


def first_tokens(port: int, rounds: int) -> None:
    """Prints the time from a request to its first token."""
    prompts = {"8 words": PROMPT, "500 words": " ".join(WORDS[:500])}
    seconds: dict[str, list[float]] = {name: [] for name in prompts}
    for _ in range(4 * rounds + 1):
        for name, prompt in prompts.items():
            started = time.perf_counter()
            answer = post(port, prompt=prompt, max_tokens=4, stream=True)
            answer.readline()
            seconds[name].append(time.perf_counter() - started)
            answer.read()
    print()
    table.show(
        ["prompt", "first token, milliseconds", "slowest"],
        [
            [name, f"{1000 * statistics.median(all[1:]):.1f}", f"{1000 * max(all[1:]):.1f}"]
            for name, all in seconds.items()
        ],
    )


if __name__ == "__main__":
    main()
