import contextlib
import functools
import io
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import pytest

from textgen.corpus import batching, block_files, chunking
from textgen.corpus.formats import READERS
from textgen.corpus.readers import lines, paragraphs
from textgen.corpus.readers.base import FileRange, ReadOptions, Rejected, TextBatch


class Taken(NamedTuple):
    """What a reader took from a file, with the parts of each document joined."""

    texts: list[bytes]
    rejected: list[Rejected]
    replaced: int


def joined(batches: Iterable[TextBatch]) -> Taken:
    texts: list[bytes] = []
    rejected, replaced = [], 0
    for batch in batches:
        assert len(batch.texts) == len(batch.continued)
        for text, continued in zip(batch.texts, batch.continued, strict=True):
            if continued:
                texts[-1] += text
            else:
                texts.append(text)
        rejected += batch.rejected
        replaced += batch.replaced
    return Taken(texts, rejected, replaced)


@pytest.fixture(scope="session")
def batches_of() -> Callable[..., list[TextBatch]]:
    """The batches that a reader makes of a content, divided as it is asked to or at the edges given."""

    def read(format, content, *, path="a", unit_bytes=1 << 20, edges=None, **options) -> list[TextBatch]:
        def open_file(_):
            return io.BytesIO(content)

        options = ReadOptions(**options)
        reader = READERS[format]
        ranges = zip(edges, edges[1:], strict=False) if edges else None
        ranges = ranges or reader.divide(path, len(content), unit_bytes, open_file, options)
        return [
            batch
            for start, end in ranges
            for batch in reader.read(FileRange(path, start, end, format), open_file, options)
        ]

    return read


@pytest.fixture(scope="session")
def taken_by(batches_of) -> Callable[..., Taken]:
    """What a reader takes from a content, divided as it is asked to or at the edges given."""
    return lambda *content, **how: joined(batches_of(*content, **how))


@pytest.fixture(scope="session")
def check() -> Callable[..., None]:
    """Has a reader check a content."""

    def run(format, content, *, path="a", **options) -> None:
        READERS[format].check(path, lambda _: io.BytesIO(content), ReadOptions(**options))

    return run


@pytest.fixture(scope="session")
def limits() -> Callable[..., contextlib.AbstractContextManager[None]]:
    """Has short texts count as long, and files come in small blocks."""

    @contextlib.contextmanager
    def within(*, chunk_bytes, block_bytes) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                batching, "split_into_chunks", functools.partial(chunking.split_into_chunks, chunk_bytes=chunk_bytes)
            )
            patch.setattr(batching, "_SHORT_BYTES", chunk_bytes // 4)
            for module in (batching, lines, paragraphs):
                patch.setattr(module, "CHUNK_BYTES", chunk_bytes)
            for module in (batching, lines, block_files):
                patch.setattr(module, "BLOCK_BYTES", block_bytes)
            yield

    return within
