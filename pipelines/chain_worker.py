"""Runs a stage of a chain in a process of its own, for an engine whose workers have another Python.

A message on standard input or output is its length, four bytes, little-endian, and that number of bytes. The first
message to the worker is a pickled `StageWork`. Each later one is a pickled list of pickled elements: one element, or
the pairs of a group. The answer to each is a pickled list of (key, pickled result), or the traceback of an error as a
string.
"""

import os
import pickle
import struct
import sys
import traceback
from typing import BinaryIO

from pipelines.chain_stages import StageWork

_LENGTH = struct.Struct("<I")


def main() -> None:
    """Answers messages until the input ends."""
    received = sys.stdin.buffer
    # What the work prints must not come between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    first = read_message(received)
    if first is None:
        return
    work = StageWork(*pickle.loads(first))
    while (message := read_message(received)) is not None:
        write_message(answers, pickle.dumps(_answer(work, pickle.loads(message))))


def _answer(work: StageWork, elements: list[bytes]) -> list[tuple[str, bytes]] | str:
    try:
        return work.run(elements)
    except Exception:
        return traceback.format_exc()


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
