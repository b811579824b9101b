import io
from collections.abc import Callable, Iterable
from typing import NamedTuple

import pytest

from textgen.corpus.compression import compression_of
from textgen.corpus.formats import READERS
from textgen.corpus.readers.base import FileRange, InputFile, ReadOptions, Rejected, TextBatch


class Taken(NamedTuple):
    """Output of a reader for a file, with the chunks of each document joined, and without notes."""

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
        rejected += [item._replace(note="") for item in batch.rejected]
        replaced += batch.replaced
    return Taken(texts, rejected, replaced)


@pytest.fixture(scope="session")
def batches_of() -> Callable[..., list[TextBatch]]:
    """Function that returns the batches a reader yields for a content, divided by itself or at the given edges."""

    def read(
        format, content, *, path="a", unit_bytes=1 << 20, edges=None, encoding="utf-8", **options
    ) -> list[TextBatch]:
        def open_file(_):
            return io.BytesIO(content)

        options = ReadOptions(**options)
        file = InputFile(path, len(content), 0.0, format, compression_of(path), encoding)
        reader = READERS[format]
        ranges = zip(edges, edges[1:], strict=False) if edges else None
        ranges = ranges or reader.divide(file, unit_bytes, open_file, options)
        return [
            batch for start, end in ranges for batch in reader.read(FileRange(file, start, end), open_file, options)
        ]

    return read


@pytest.fixture(scope="session")
def taken_by(batches_of) -> Callable[..., Taken]:
    """Function that returns the documents a reader yields for a content, divided by itself or at the given edges."""
    return lambda *content, **how: joined(batches_of(*content, **how))


@pytest.fixture(scope="session")
def check() -> Callable[..., str | None]:
    """Function by which a reader checks a content."""

    def run(format, content, *, path="a", **options) -> str | None:
        file = InputFile(path, len(content), 0.0, format, compression_of(path))
        return READERS[format].check(file, lambda _: io.BytesIO(content), ReadOptions(**options))

    return run
