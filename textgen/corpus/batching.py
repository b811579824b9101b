"""Groups the items that readers find into batches, splits long documents, and handles invalid bytes."""

import itertools
import tempfile
from collections.abc import Iterable, Iterator
from typing import IO, NamedTuple, TypeAlias

from textgen.corpus.chunking import split_into_chunks
from textgen.corpus.encoding_detection import encoding_remedy
from textgen.corpus.encodings import blocks_to_utf8, count_characters, is_valid_utf8, to_utf8, valid_utf8
from textgen.corpus.readers.base import InputFile, Label, Labelled, ReadLimits, ReadOptions, Rejected, TextBatch
from textgen.errors import UserError

Item: TypeAlias = bytes | Iterator[bytes] | Labelled | Rejected
"""A document, whole or as blocks that must be consumed before the next item, or with a label; or a rejected item."""

Found: TypeAlias = Item | list[bytes]
"""An item, or several whole documents, which take a tenth of the time of as many items."""


class Origin(NamedTuple):
    """Origin of texts: their file, their encoding when they reach batching, and the read options."""

    file: InputFile
    encoding: str
    options: ReadOptions


class _RawBatch(NamedTuple):
    """Texts in the encoding of their origin, rejected items, and the texts' labels, if there are any."""

    texts: list[bytes]
    rejected: list[Rejected]
    labels: list[Label]


def batches(found: Iterable[Found], origin: Origin) -> Iterator[TextBatch]:
    """Groups short documents into batches; each chunk of a long document is a separate batch.

    Args:
        found: documents and rejected items, in the order of the file.
        origin: origin of the texts.

    Raises:
        UserError: a document is invalid and `on_invalid` is "fail".
    """
    limits = origin.options.limits
    batch, size = _RawBatch([], [], []), 0
    for item in _divided(found, limits):
        whole, label = (item, None) if isinstance(item, bytes | list) else _gathered(item, limits)
        if isinstance(whole, list):
            batch.texts.extend(whole)
            size += sum(map(len, whole))
        elif isinstance(whole, bytes) and len(whole) <= limits.short_bytes:
            batch.texts.append(whole)
            if label:
                batch.labels.append(label)
            size += len(whole)
        elif isinstance(whole, Rejected):
            batch.rejected.append(whole)
            size += len(whole.content)
        else:
            if batch.texts or batch.rejected:
                yield _batch(batch, origin)
            batch, size = _RawBatch([], [], []), 0
            for chunk in _long(iter([whole]) if isinstance(whole, bytes) else whole, origin):
                chunk.labels = [label] * len(chunk.texts) if label else []
                yield chunk
        if size >= limits.batch_bytes or len(batch.texts) + len(batch.rejected) >= limits.batch_texts:
            yield _batch(batch, origin)
            batch, size = _RawBatch([], [], []), 0
    if batch.texts or batch.rejected:
        yield _batch(batch, origin)


def _divided(found: Iterable[Found], limits: ReadLimits) -> Iterator[Found]:
    """Divides lists of documents into lists of short ones, no longer than a batch; others are yielded one by one."""
    for item in found:
        if not isinstance(item, list):
            yield item
        elif max(map(len, item), default=0) > limits.short_bytes or sum(map(len, item)) > 2 * limits.batch_bytes:
            # One by one, so that a batch does not become as large as its list.
            yield from item
        else:
            yield from (item[i : i + limits.batch_texts] for i in range(0, len(item), limits.batch_texts))


def merge_batches(batches: Iterable[TextBatch], limits: ReadLimits) -> Iterator[TextBatch]:
    """Joins the texts of consecutive small batches, up to `batch_texts` texts or `batch_bytes` bytes.

    Yields:
        Batches with at least one text, without the rejected items and the number of replaced documents.
    """
    merged, size = TextBatch(), 0
    for batch in batches:
        more = sum(map(len, batch.texts))
        count = len(merged.texts) + len(batch.texts)
        if merged.texts and (size + more > limits.batch_bytes or count > limits.batch_texts):
            yield merged
            merged, size = TextBatch(), 0
        merged.texts += batch.texts
        merged.continued += batch.continued
        merged.labels += batch.labels
        size += more
    if merged.texts:
        yield merged


def _gathered(
    item: Iterator[bytes] | Labelled | Rejected, limits: ReadLimits
) -> tuple[bytes | Iterator[bytes] | Rejected, Label | None]:
    """Joins the blocks of a short document, shortens a rejected item to that of a chunk, and detaches a label."""
    if isinstance(item, Labelled):
        text, label = item
        return (text if isinstance(text, bytes) else _joined(text, limits)), label
    if isinstance(item, Rejected):
        return item._replace(content=item.content[: limits.chunk_bytes]), None
    return _joined(item, limits), None


def _joined(blocks: Iterator[bytes], limits: ReadLimits) -> bytes | Iterator[bytes]:
    """Joins the blocks of a document if it is short."""
    head: list[bytes] = []
    size = 0
    for block in blocks:
        head.append(block)
        size += len(block)
        if size > limits.short_bytes:
            return itertools.chain(head, blocks)
    return b"".join(head)


def _batch(raw_batch: _RawBatch, origin: Origin) -> TextBatch:
    raw_texts, rejected, labels = raw_batch
    texts = raw_texts if origin.encoding == "utf-8" else [to_utf8(raw, origin.encoding) for raw in raw_texts]
    # Joined texts are valid if and only if each text is, and one call takes a fifth of the time of many.
    characters = count_characters(b"\n".join(texts))
    if characters is not None:
        characters -= max(0, len(texts) - 1)
        return TextBatch(texts, [False] * len(texts), rejected=rejected, labels=labels, characters=characters)
    batch = TextBatch(rejected=rejected)
    for i, (raw, text) in enumerate(zip(raw_texts, texts, strict=True)):
        valid = valid_utf8(text)
        if valid.replaced:
            _fail_if_asked(text, origin)
            if origin.options.on_invalid == "drop":
                rejected.append(Rejected("invalid encoding", raw))
                continue
            batch.replaced += 1
        batch.texts.append(valid.text)
        batch.characters += valid.characters
        batch.replaced_characters += valid.replaced
        batch.continued.append(False)
        batch.labels += labels[i : i + 1]
    return batch


def _long(blocks: Iterator[bytes], origin: Origin) -> Iterator[TextBatch]:
    """Yields the chunks of a long document, one per batch."""
    if origin.options.on_invalid != "drop":
        yield from _chunks(blocks, origin)
        return
    limits = origin.options.limits
    # A chunk can't be withdrawn once it is yielded, so the document is stored until all of it has been checked.
    with tempfile.SpooledTemporaryFile(max_size=4 * limits.chunk_bytes) as aside:
        valid = True
        for text in blocks_to_utf8(_copied(blocks, aside), origin.encoding):
            valid &= is_valid_utf8(text)
        aside.seek(0)
        if valid:
            yield from _chunks(iter(lambda: aside.read(limits.block_bytes), b""), origin)
        else:
            yield TextBatch(rejected=[Rejected("invalid encoding", aside.read(limits.chunk_bytes))])


def _copied(blocks: Iterator[bytes], file: IO[bytes]) -> Iterator[bytes]:
    for block in blocks:
        file.write(block)
        yield block


def _chunks(blocks: Iterator[bytes], origin: Origin) -> Iterator[TextBatch]:
    characters = replaced = 0

    def valid_texts() -> Iterator[bytes]:
        nonlocal characters, replaced
        for text in blocks_to_utf8(blocks, origin.encoding):
            valid = valid_utf8(text)
            if valid.replaced:
                _fail_if_asked(text, origin)
            characters += valid.characters
            replaced += valid.replaced
            yield valid.text

    # The document is counted at its last chunk, when all of its bytes have been checked.
    chunks = split_into_chunks(valid_texts(), chunk_bytes=origin.options.limits.chunk_bytes)
    for i, (chunk, following) in enumerate(itertools.pairwise(itertools.chain(chunks, [b""]))):
        batch = TextBatch([chunk], [i > 0])
        if not following:
            batch.replaced = int(replaced > 0)
            batch.characters, batch.replaced_characters = characters, replaced
        yield batch


def _fail_if_asked(text: bytes, origin: Origin) -> None:
    """Raises UserError if `on_invalid` is "fail"."""
    if origin.options.on_invalid == "fail":
        raise UserError(
            f"{origin.file.path} has text that is not valid {origin.file.encoding}, at {_surroundings(text)!r}. "
            f"{encoding_remedy(text if origin.encoding == 'utf-8' else b'')} Or use --on-invalid replace."
        )


def _surroundings(text: bytes) -> str:
    shown = text.decode(errors="replace")
    return shown[max(0, shown.find("\ufffd") - 40) :][:60]
