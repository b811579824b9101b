"""Runs a stage of a chain in a process of its own, for an engine whose workers have another Python.

A message on standard input or output is its length, four bytes, little-endian, and that number of bytes. The first
message to the worker is a pickled Job. Each later one is a pickled list of pickled elements: one element, or the
pairs of a group. The answer to each is a pickled list of (key, pickled result), or the traceback of an error as a
string.
"""

import os
import pickle
import struct
import sys
import traceback
from typing import Any, BinaryIO, NamedTuple

from pipelines.chain import encode_key, grouped, run_steps

_LENGTH = struct.Struct("<I")


class Job(NamedTuple):
    """Work of a worker on the elements of a stage.

    Attributes:
        steps: steps of the stage; see `pipelines.chain`.
        is_grouped: whether each message has the pairs of a group.
        is_keyed: whether the results are pairs that will be grouped by key; else keys are empty.
    """

    steps: bytes
    is_grouped: bool
    is_keyed: bool


def main() -> None:
    """Answers messages until the input ends."""
    received = sys.stdin.buffer
    # What the work prints must not come between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    first = read_message(received)
    if first is None:
        return
    job = Job(*pickle.loads(first))
    while (message := read_message(received)) is not None:
        write_message(answers, pickle.dumps(_answer(job, pickle.loads(message))))


def _answer(job: Job, elements: list[bytes]) -> list[tuple[str, bytes]] | str:
    try:
        given = [pickle.loads(element) for element in elements]
        results = run_steps(job.steps, [grouped((b"", given))] if job.is_grouped else given)
        return [_keyed(result) if job.is_keyed else ("", pickle.dumps(result)) for result in results]
    except Exception:
        return traceback.format_exc()


def _keyed(pair: tuple[Any, Any]) -> tuple[str, bytes]:
    return encode_key(pair)[0].hex(), pickle.dumps(pair)


def read_message(stream: BinaryIO) -> bytes | None:
    """Returns the next message, or None at the end of the stream."""
    length = stream.read(_LENGTH.size)
    return stream.read(*_LENGTH.unpack(length)) if len(length) == _LENGTH.size else None


def write_message(stream: BinaryIO, message: bytes) -> None:
    """Writes a message."""
    stream.write(_LENGTH.pack(len(message)) + message)
    stream.flush()


if __name__ == "__main__":
    main()
