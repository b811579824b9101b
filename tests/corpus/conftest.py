import contextlib
import functools
import io
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import pytest

from textgen.corpus import batching, block_files, chunking
from textgen.corpus.formats import READERS
from textgen.corpus.readers import lines, paragraphs
from textgen.corpus.readers.base import Batch, Piece, Reading, Refused


class Taken(NamedTuple):
    """What a reader took from a file, with the parts of each document joined."""

    texts: list[bytes]
    refused: list[Refused]
    repaired: int


def joined(batches: Iterable[Batch]) -> Taken:
    texts: list[bytes] = []
    refused, repaired = [], 0
    for batch in batches:
        assert len(batch.texts) == len(batch.continued)
        for text, continued in zip(batch.texts, batch.continued, strict=True):
            if continued:
                texts[-1] += text
            else:
                texts.append(text)
        refused += batch.refused
        repaired += batch.repaired
    return Taken(texts, refused, repaired)


@pytest.fixture(scope="session")
def batches_of() -> Callable[..., list[Batch]]:
    """The batches that a reader makes of a content, divided as it is asked to or at the edges given."""

    def read(format, content, *, path="a", unit_bytes=1 << 20, edges=None, **reading) -> list[Batch]:
        def open_file(_):
            return io.BytesIO(content)

        reading = Reading(**reading)
        reader = READERS[format]
        ranges = zip(edges, edges[1:], strict=False) if edges else None
        ranges = ranges or reader.divide(path, len(content), unit_bytes, open_file, reading)
        return [
            batch
            for start, end in ranges
            for batch in reader.read(Piece(path, start, end, format), open_file, reading)
        ]

    return read


@pytest.fixture(scope="session")
def taken_by(batches_of) -> Callable[..., Taken]:
    """What a reader takes from a content, divided as it is asked to or at the edges given."""
    return lambda *content, **how: joined(batches_of(*content, **how))


@pytest.fixture(scope="session")
def check() -> Callable[..., None]:
    """Has a reader check a content."""

    def run(format, content, *, path="a", **reading) -> None:
        READERS[format].check(path, lambda _: io.BytesIO(content), Reading(**reading))

    return run


@pytest.fixture(scope="session")
def limits() -> Callable[..., contextlib.AbstractContextManager[None]]:
    """Has short texts count as long, and files come in small blocks."""

    @contextlib.contextmanager
    def within(*, part_bytes, block_bytes) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(batching, "parts", functools.partial(chunking.parts, part_bytes=part_bytes))
            patch.setattr(batching, "_SHORT_BYTES", part_bytes // 4)
            for module in (batching, lines, paragraphs):
                patch.setattr(module, "PART_BYTES", part_bytes)
            for module in (batching, lines, block_files):
                patch.setattr(module, "BLOCK_BYTES", block_bytes)
            yield

    return within
