"""What the server adds to a direct call, and its first token.

    python benchmarks/serving.py [--rounds 5] [--tokens 200] [--texts 64]

The `lstm` of `generation.py`, 2 × 256 units and 8,000 words with initial weights, in a warm server in this process,
which a client in another process asks over HTTP at 127.0.0.1. `direct` is `Writer.write` with the same prompts and
settings. Ways take turns; of each, wall time and CPU time of the server's process are measured, and compared with
those of the direct call in the same round. Of many requests at once, the time of as many that are refused, since they
name no model, is that of HTTP and of the client. Prints Markdown tables of medians.
"""

import argparse
import concurrent.futures
import json
import multiprocessing
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
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

NO_MODEL = "none"


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
        spawn = multiprocessing.get_context("spawn")
        with concurrent.futures.ProcessPoolExecutor(1, mp_context=spawn) as clients:
            compare(writer, port, clients, given)
            first_tokens(port, clients, given.rounds)


def start(app: object) -> int:
    """Serves an application in a thread, and returns the port."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", access_log=False))
    threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True).start()
    while not server.started:
        time.sleep(0.01)
    return int(listening.getsockname()[1])


def request(**settings: object) -> bytes:
    """Returns a request for a completion, after whose answer the connection is closed."""
    body = json.dumps({"model": "m", "prompt": PROMPT, "seed": 0, **settings}).encode()
    head = (
        "POST /v1/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def send(port: int, content: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=600)
    connection.sendall(content)
    return connection


def read(connection: socket.socket) -> bytes:
    with connection:
        return b"".join(iter(lambda: connection.recv(1 << 16), b""))


def ask(port: int, requests: list[dict[str, object]]) -> float:
    """Sends requests at the same time, reads the answers, and returns the seconds that this took.

    One thread does, since what the client computes is not what the server adds.
    """
    contents, answers = [request(**settings) for settings in requests], list[bytes]()

    def run() -> None:
        connections = [send(port, content) for content in contents]
        answers.extend(read(connection) for connection in connections)

    seconds = seconds_of(run)
    for settings, answer in zip(requests, answers, strict=True):
        assert answer.split(b" ", 2)[1] == (b"404" if settings.get("model") == NO_MODEL else b"200"), answer
    return seconds


def seconds_of(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def compare(writer: Writer, port: int, clients: concurrent.futures.Executor, given: argparse.Namespace) -> None:
    """Prints the times of the same texts, written directly and by the server."""
    tokens, texts = given.tokens, given.texts
    config = GenerationConfig(tokens=tokens)

    def asked(*requests: Mapping[str, object]) -> Callable[[], float]:
        every = [{"max_tokens": tokens, **settings} for settings in requests]
        return lambda: clients.submit(ask, port, every).result()

    # The first way of each group is the direct call.
    groups: list[dict[str, Callable[[], float]]] = [
        {
            "direct": lambda: seconds_of(lambda: writer.write([PROMPT], config)),
            "server": asked({}),
            "server, a stream": asked({"stream": True}),
        },
        {
            f"direct, {texts} texts": lambda: seconds_of(lambda: writer.write([PROMPT], config, samples=texts)),
            f"server, one request for {texts} texts": asked({"n": texts}),
            f"server, {texts} requests at once": asked(*({"seed": seed} for seed in range(texts))),
            f"{texts} refused requests at once": asked(*[{"model": NO_MODEL}] * texts),
        },
    ]
    rows = []
    for group in groups:
        wall, cpu = measure(group, given.rounds)
        direct = next(iter(group))
        for name in group:
            more = [100 * (mine / its - 1) for mine, its in zip(wall[name], wall[direct], strict=True)]
            rows.append([name, *(f"{1000 * statistics.median(all[name]):.0f}" for all in (wall, cpu))])
            rows[-1].append("" if name == direct else f"{statistics.median(more):+.1f} %")
    table.show([f"{tokens} tokens", "wall, milliseconds", "CPU, milliseconds", "over the direct call"], rows)


Seconds = dict[str, list[float]]


def measure(ways: dict[str, Callable[[], float]], rounds: int) -> tuple[Seconds, Seconds]:
    """Returns the wall time and the CPU time of each way in each round."""
    wall: Seconds = {name: [] for name in ways}
    cpu: Seconds = {name: [] for name in ways}
    for round_number in range(rounds + 1):
        for name, write in ways.items():
            used = time.process_time()
            seconds = write()
            # The first round traces what is left to trace.
            if round_number:
                wall[name].append(seconds)
                cpu[name].append(time.process_time() - used)
    return wall, cpu


def first_tokens(port: int, clients: concurrent.futures.Executor, rounds: int) -> None:
    """Prints the time from a request to its first token."""
    prompts = {"8 words": PROMPT, "500 words": " ".join(WORDS[:500])}
    seconds: Seconds = {name: [] for name in prompts}
    for _ in range(4 * rounds + 1):
        for name, prompt in prompts.items():
            seconds[name].append(clients.submit(seconds_to_first, port, prompt).result())
    print()
    table.show(
        ["prompt", "first token, milliseconds", "slowest"],
        [
            [name, f"{1000 * statistics.median(all[1:]):.1f}", f"{1000 * max(all[1:]):.1f}"]
            for name, all in seconds.items()
        ],
    )


def seconds_to_first(port: int, prompt: str) -> float:
    """Asks for a stream, and returns the time until its first event."""
    content, started = request(prompt=prompt, max_tokens=4, stream=True), time.perf_counter()
    connection = send(port, content)
    answer = b""
    while b"data:" not in answer:
        answer += connection.recv(1 << 16)
    found = time.perf_counter() - started
    read(connection)
    return found


if __name__ == "__main__":
    main()
