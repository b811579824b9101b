"""What must hold for any file: clear refusals, and the same documents whatever the sizes of units and blocks."""

import hashlib
import io
from typing import NamedTuple

from tests.fuzzing.cases import Case
from textgen.corpus.detection import detect, read_head
from textgen.corpus.formats import READERS
from textgen.corpus.readers.base import InputFile, ReadLimits, ReadOptions
from textgen.corpus.units import Unit, plan_units
from textgen.errors import UserError

_SHOWN = 200
_WHOLE = 1 << 40
# What a message quotes is cut off below this number.
_LONGEST_MESSAGE = 3000


class Text(NamedTuple):
    """A text by its size, its start, its checksum and its label, so that memory does not grow with the text."""

    size: int
    start: bytes
    checksum: str
    label: str


class Refused(NamedTuple):
    """A case that ends with an error for the user."""

    message: str


class Outcome(NamedTuple):
    """What is read of a file.

    Attributes:
        documents: its documents, in order.
        rejected: the reasons and contents of rejected items; their order depends on the batches.
        replaced: number of documents with replaced bytes.
    """

    documents: list[Text]
    rejected: list[tuple[str, bytes]]
    replaced: int


class ViolationError(AssertionError):
    """A property that does not hold; the first argument is its name."""


def check_case(case: Case) -> Outcome | Refused:
    """Reads a case in all its divisions.

    Returns:
        What is read of the file as a whole.

    Raises:
        ViolationError: a property does not hold.
    """
    try:
        file = _described(case)
        if case.is_checked:
            READERS[file.format].check(file, _opener(case), case.options)
    except UserError as error:
        return _refused(error)
    whole = _outcome(case, file, _WHOLE, ReadLimits(chunk_bytes=case.divisions[0][1].chunk_bytes))
    if case.documents is not None and isinstance(whole, Outcome):
        _require(not whole.rejected, "a valid document is rejected", whole.rejected[:3])
        expected = list(map(_text, case.documents))
        _require_equal(whole.documents, expected, "not the documents that were written")
    for unit_bytes, limits in case.divisions:
        divided = _outcome(case, file, unit_bytes, limits)
        how = f"unit_bytes={unit_bytes}, {limits}"
        if isinstance(whole, Refused) or isinstance(divided, Refused):
            _require(
                isinstance(whole, Refused) and isinstance(divided, Refused),
                "refused only in one division",
                f"{_shown(whole)} as a whole, {_shown(divided)} with {how}",
            )
            continue
        _require_equal(divided.documents, whole.documents, "other documents in another division", how)
        kept = min(limits.chunk_bytes, 1000)
        _require_equal(
            sorted((reason, content[:kept]) for reason, content in divided.rejected),
            sorted((reason, content[:kept]) for reason, content in whole.rejected),
            "other rejected items in another division",
            how,
        )
        _require(divided.replaced == whole.replaced, "another number of replaced documents", how)
    return whole


def _described(case: Case) -> InputFile:
    """Returns the file as the listing describes it."""
    head = read_head(case.path, lambda _, size: case.content[:size])
    detected = detect(case.path, head, format=case.format, encoding=case.encoding, on_invalid=case.options.on_invalid)
    return InputFile(case.path, len(case.content), 0.0, detected.format, head.compression, detected.encoding)


def _opener(case: Case):
    return lambda _: io.BytesIO(case.content)


def _outcome(case: Case, file: InputFile, unit_bytes: int, limits: ReadLimits) -> Outcome | Refused:
    options = case.options._replace(limits=limits)
    try:
        units = plan_units([file], unit_bytes=unit_bytes, open_file=_opener(case), options=options)
        _check_units(units, file)
        return _read(case, units, options)
    except UserError as error:
        return _refused(error)


def _check_units(units: list[Unit], file: InputFile) -> None:
    ranges = [each for unit in units for each in unit.file_ranges]
    edges = [(each.start, each.end) for each in ranges]
    touching = all(end == start for (_, end), (start, _) in zip(edges, edges[1:], strict=False))
    _require(touching and all(start <= end for start, end in edges), "units overlap or leave gaps", edges[:20])
    _require(not edges or edges[-1][1] == file.size, "units do not reach the end of the file", edges[-3:])
    _require(bool(edges) or file.format in ("csv", "tsv") or not file.size, "a file has no units", file)
    _require(
        not edges or not edges[0][0] or file.format in ("csv", "tsv"),
        "units leave out the start of a file",
        edges[:3],
    )


def _read(case: Case, units: list[Unit], options: ReadOptions) -> Outcome:
    documents, rejected, replaced = list[Text](), list[tuple[str, bytes]](), 0
    document: _Document | None = None
    for unit in units:
        for file_range in unit.file_ranges:
            for batch in READERS[file_range.file.format].read(file_range, _opener(case), options):
                _require(len(batch.texts) == len(batch.continued), "texts and marks differ in number", "")
                _require(len(batch.labels) in (0, len(batch.texts)), "texts and labels differ in number", "")
                _require(batch.replaced <= len(batch.texts), "more documents are replaced than there are", "")
                replaced += batch.replaced
                rejected += [(item.reason, item.content) for item in batch.rejected]
                for i, (text, continued) in enumerate(zip(batch.texts, batch.continued, strict=True)):
                    _require(len(text) <= options.limits.chunk_bytes, "a text is longer than a chunk", len(text))
                    text.decode()
                    if not continued:
                        documents += [document.summary()] if document else []
                        document = _Document(str(batch.labels[i]) if batch.labels else "")
                    _require(document is not None, "the first text is marked as a further chunk", text[:_SHOWN])
                    document.add(text)
    documents += [document.summary()] if document else []
    return Outcome(documents, rejected, replaced)


class _Document:
    """A document whose chunks are added one after another."""

    def __init__(self, label: str = "") -> None:
        self._size, self._start, self._digest, self._label = 0, b"", hashlib.blake2b(digest_size=8), label

    def add(self, chunk: bytes) -> None:
        self._digest.update(chunk)
        self._start += chunk[: _SHOWN - len(self._start)]
        self._size += len(chunk)

    def summary(self) -> Text:
        return Text(self._size, self._start, self._digest.hexdigest(), self._label)


def _text(text: bytes) -> Text:
    document = _Document()
    document.add(text)
    return document.summary()


def _refused(error: UserError) -> Refused:
    message = str(error)
    _require(message.isprintable(), "a message is not one printable line", repr(message))
    _require(0 < len(message) < _LONGEST_MESSAGE, "a message is empty or very long", message)
    return Refused(message)


def _require(condition: bool, name: str, details: object) -> None:
    if not condition:
        raise ViolationError(name, str(details)[:2000])


def _require_equal(found: list, expected: list, name: str, how: str = "") -> None:
    if found == expected:
        return
    pairs = enumerate(zip([*found, "nothing"], [*expected, "nothing"], strict=False))
    index, (one, other) = next((i, pair) for i, pair in pairs if pair[0] != pair[1])
    raise ViolationError(
        name, f"item {index} of {len(found)} is {one}, not {other} (of {len(expected)}); {how}"[:2000]
    )


def _shown(outcome: Outcome | Refused) -> str:
    return f"refused ({outcome.message})" if isinstance(outcome, Refused) else f"{len(outcome.documents)} documents"
