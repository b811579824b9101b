"""Groups the items that readers find into batches, splits long documents, and handles invalid bytes."""

import itertools
import tempfile
from collections.abc import Iterable, Iterator
from typing import IO, NamedTuple, TypeAlias

from textgen.corpus.block_files import BLOCK_BYTES
from textgen.corpus.chunking import split_into_chunks
from textgen.corpus.encodings import blocks_to_utf8, is_valid_utf8, to_utf8, valid_utf8
from textgen.corpus.readers.base import BATCH_BYTES, BATCH_TEXTS, CHUNK_BYTES, ReadOptions, Rejected, TextBatch
from textgen.errors import UserError

Item: TypeAlias = bytes | Iterator[bytes] | Rejected
"""A document, whole or as blocks that are consumed before the next item; or a rejected item."""

_SHORT_BYTES = CHUNK_BYTES // 4
"""A text of at most so many bytes is shorter than a chunk in UTF-8, whatever its encoding was."""


class Origin(NamedTuple):
    """Origin of texts: path of their file, their encoding when they reach batching, and the read options."""

    path: str
    encoding: str
    options: ReadOptions


def batches(found: Iterable[Item], origin: Origin) -> Iterator[TextBatch]:
    """Groups short documents into batches; each chunk of a long document is a batch of its own.

    Raises:
        UserError: a document is invalid and `on_invalid` is "fail".
    """
    texts: list[bytes] = []
    rejected: list[Rejected] = []
    size = 0
    for item in found:
        whole = item if isinstance(item, bytes) else _gathered(item)
        if isinstance(whole, bytes) and len(whole) <= _SHORT_BYTES:
            texts.append(whole)
            size += len(whole)
        elif isinstance(whole, Rejected):
            rejected.append(whole)
            size += len(whole.content)
        else:
            if texts or rejected:
                yield _batch(texts, rejected, origin)
            texts, rejected, size = [], [], 0
            yield from _long(iter([whole]) if isinstance(whole, bytes) else whole, origin)
        if size >= BATCH_BYTES or len(texts) + len(rejected) >= BATCH_TEXTS:
            yield _batch(texts, rejected, origin)
            texts, rejected, size = [], [], 0
    if texts or rejected:
        yield _batch(texts, rejected, origin)


def merge_batches(batches: Iterable[TextBatch]) -> Iterator[tuple[list[bytes], list[bool]]]:
    """Joins the texts of consecutive small batches, up to BATCH_TEXTS texts or BATCH_BYTES bytes.

    Yields:
        The texts, and for each whether it continues the document of the text before it.
    """
    texts, continued, size = list[bytes](), list[bool](), 0
    for batch in batches:
        more = sum(map(len, batch.texts))
        if texts and (size + more > BATCH_BYTES or len(texts) + len(batch.texts) > BATCH_TEXTS):
            yield texts, continued
            texts, continued, size = [], [], 0
        texts += batch.texts
        continued += batch.continued
        size += more
    if texts:
        yield texts, continued


def _gathered(item: Iterator[bytes] | Rejected) -> Item:
    """Joins the blocks of a short document; shortens a rejected item to CHUNK_BYTES."""
    if isinstance(item, Rejected):
        return Rejected(item.reason, item.content[:CHUNK_BYTES])
    head: list[bytes] = []
    size = 0
    for block in item:
        head.append(block)
        size += len(block)
        if size > _SHORT_BYTES:
            return itertools.chain(head, item)
    return b"".join(head)


def _batch(raw_texts: list[bytes], rejected: list[Rejected], origin: Origin) -> TextBatch:
    texts = [to_utf8(raw, origin.encoding) for raw in raw_texts]
    # Texts one after the other are valid where each is, and one call takes a fifth of the time of many.
    if is_valid_utf8(b"\n".join(texts)):
        return TextBatch(texts, [False] * len(texts), rejected=rejected)
    batch = TextBatch(rejected=rejected)
    for raw, text in zip(raw_texts, texts, strict=True):
        valid = valid_utf8(text)
        if valid is not text:
            _fail_if_asked(text, origin)
            if origin.options.on_invalid == "drop":
                rejected.append(Rejected("invalid encoding", raw))
                continue
            batch.replaced += 1
        batch.texts.append(valid)
        batch.continued.append(False)
    return batch


def _long(blocks: Iterator[bytes], origin: Origin) -> Iterator[TextBatch]:
    """Yields the chunks of a long document, one per batch."""
    if origin.options.on_invalid != "drop":
        yield from _parts(blocks, origin)
        return
    # A chunk can't be withdrawn once it is yielded, so the document is stored until all of it has been checked.
    with tempfile.SpooledTemporaryFile(max_size=4 * CHUNK_BYTES) as aside:
        valid = True
        for text in blocks_to_utf8(_copied(blocks, aside), origin.encoding):
            valid &= is_valid_utf8(text)
        aside.seek(0)
        if valid:
            yield from _parts(iter(lambda: aside.read(BLOCK_BYTES), b""), origin)
        else:
            yield TextBatch(rejected=[Rejected("invalid encoding", aside.read(CHUNK_BYTES))])


def _copied(blocks: Iterator[bytes], file: IO[bytes]) -> Iterator[bytes]:
    for block in blocks:
        file.write(block)
        yield block


def _parts(blocks: Iterator[bytes], origin: Origin) -> Iterator[TextBatch]:
    replaced = False

    def valid_texts() -> Iterator[bytes]:
        nonlocal replaced
        for text in blocks_to_utf8(blocks, origin.encoding):
            valid = valid_utf8(text)
            if valid is not text:
                _fail_if_asked(text, origin)
                replaced = True
            yield valid

    # Whether bytes were replaced is known, and therefore counted, at the last chunk.
    for i, (part, following) in enumerate(
        itertools.pairwise(itertools.chain(split_into_chunks(valid_texts()), [b""]))
    ):
        yield TextBatch([part], [i > 0], replaced=int(replaced and not following))


def _fail_if_asked(text: bytes, origin: Origin) -> None:
    """Raises UserError if `on_invalid` is "fail"."""
    if origin.options.on_invalid == "fail":
        raise UserError(
            f"{origin.path} has text that is not valid {origin.options.encoding}, at {_surroundings(text)!r}. "
            "Give its encoding with --encoding, or use --on-invalid replace."
        )


def _surroundings(text: bytes) -> str:
    shown = text.decode(errors="replace")
    return shown[max(0, shown.find("\ufffd") - 40) :][:60]
