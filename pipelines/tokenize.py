"""The first pass: each unit's documents cleaned, judged and cut into tokens, which the later passes read.

What the passes share is this one reading of the text: the vocabulary is counted from the tokens, and the shards are
written from them, so that neither cleans or cuts a second time.
"""

import functools
import json
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pipelines import token_files
from pipelines.inputs import read_options
from pipelines.token_files import DocumentTable, Placed, TokenBatch, TokenWriter
from pipelines.workspace import DUPLICATES, TOKENS, Workspace
from textgen import files
from textgen.config import PrepareConfig, SelectionConfig, TextConfig
from textgen.corpus.batching import Limits, TextBatch, merge_batches
from textgen.corpus.formats import READERS
from textgen.corpus.units import Unit
from textgen.dataset.storage.splits import DIGEST_BYTES, new_digest
from textgen.text import minhash
from textgen.text.filters import Filter, drop_reasons, make_filters
from textgen.text.preprocessor import Analyzer, TokenizedTexts

EMPTY = "empty"


_ONE_AT_A_TIME = threading.Lock()


@functools.lru_cache(maxsize=1)
def _analyzer(text: TextConfig, selection: SelectionConfig, model: bytes) -> Analyzer:
    """The text operations that the threads of a process share, since it takes seconds to make their graph."""
    return Analyzer(text, filters=make_filters(selection), model=model)


class TokenizeUnit:
    """Writes a unit's token files; the result tells what the reader found beside its documents."""

    stage = TOKENS

    def __init__(self, config: PrepareConfig, workspace: Workspace, *, limits: Limits | None = None):
        self._config, self._workspace = config, workspace
        self._options = read_options(config)._replace(limits=limits or Limits())

    def setup(self) -> None:
        """Builds the text operations."""
        with _ONE_AT_A_TIME:
            self._analyzer = _analyzer(self._config.text, self._config.selection, self._workspace.tokenizer_model())

    def process(self, unit: Unit) -> dict[str, Any]:
        """`rejected`, a count by reason, and `replaced`."""
        ledger = _Ledger(self._analyzer.filters, signed=self._config.selection.near_duplicates > 0)
        rejected = _Rejections(keep=self._config.keep_dropped)
        with files.scratch_folder(self._workspace.work_path()) as folder:
            symbol_type = pa.binary() if self._analyzer.tokenizer.symbol_dtype.name == "string" else pa.int32()
            writer = TokenWriter(folder / "tokens", symbol_type)
            for texts, continued in merge_batches(self._texts(unit, rejected), self._options.limits):
                tokens = self._analyzer.analyze(texts, continued)
                ledger.add(tokens, continued)
                writer.write(_stretches(tokens, texts, continued, keep_texts=self._config.keep_dropped))
            writer.close()
            token_files.write_documents(folder / "documents", ledger.close())
            if self._config.keep_dropped:
                rejected.write(folder / "rejected")
            for file in sorted(folder.iterdir()):
                files.write_atomically(self._workspace.unit_path(TOKENS, unit.index, file.name), file)
        return {"rejected": rejected.counts, "replaced": rejected.replaced}

    def _texts(self, unit: Unit, rejected: "_Rejections") -> Iterator[TextBatch]:
        for file_range in unit.file_ranges:
            for batch in READERS[file_range.format].read(file_range, files.open_file, self._options):
                rejected.add(file_range.path, batch)
                yield batch


def read_documents(workspace: Workspace, unit: int) -> DocumentTable:
    """The documents of a unit, those that are duplicates dropped."""
    with files.open_file(workspace.unit_path(TOKENS, unit, "documents")) as file:
        documents = token_files.read_documents(file)
    for reason, places in (workspace.recorded(DUPLICATES, unit) or {}).items():
        documents.reasons[places] = reason
    return documents


def read_tokens(workspace: Workspace, unit: int) -> Iterator[Placed]:
    """The tokens of a unit, batch by batch."""
    with files.open_file(workspace.unit_path(TOKENS, unit, "tokens")) as file:
        yield from token_files.place(token_files.read_tokens(file))


def _stretches(tokens: TokenizedTexts, texts: list[bytes], continued: list[bool], *, keep_texts: bool) -> TokenBatch:
    """A batch's texts, those of one document joined."""
    symbols = tokens.symbols.numpy()
    ends = np.cumsum(tokens.lengths.numpy())
    last = np.append(~np.array(continued[1:], bool), True)
    first = np.flatnonzero(np.concatenate([[True], last[:-1]]))
    return TokenBatch(
        pa.array(symbols, pa.binary() if symbols.dtype == object else pa.int32()),
        tokens.indices.numpy(),
        np.concatenate([[0], ends[last]]).astype(np.int32),
        continued[0],
        [texts[i] for i in first] if keep_texts else [],
    )


class _Ledger:
    """What is known of each document, gathered from its parts."""

    def __init__(self, filters: Sequence[Filter], *, signed: bool) -> None:
        """`signed`: whether near duplicates are looked for."""
        self._filters, self._signed = filters, signed
        self._digests: list[bytes] = []
        self._open = new_digest(b"")
        self._starts: list[np.ndarray] = []
        self._tokens: list[np.ndarray] = []
        self._characters: list[np.ndarray] = []
        self._statistics: list[np.ndarray] = []
        self._signatures: list[np.ndarray] = []

    def add(self, tokens: TokenizedTexts, continued: list[bool]) -> None:
        """Adds a batch of parts."""
        for cleaned, goes_on in zip(tokens.cleaned.numpy(), continued, strict=True):
            if goes_on:
                self._open.update(cleaned)
            else:
                self._digests.append(self._open.digest())
                self._open = new_digest(cleaned)
        self._starts.append(~np.array(continued))
        self._tokens.append(tokens.lengths.numpy())
        self._characters.append(tokens.characters.numpy().astype(np.int64))
        self._statistics.append(tokens.statistics.numpy())
        if self._signed:
            self._signatures.append(minhash.signatures(tokens.cleaned))

    def close(self) -> DocumentTable:
        """All documents."""
        # The first digest is of what stood before the first document.
        digests = [*self._digests, self._open.digest()][1:]
        if not digests:
            nothing = np.empty(0, np.int64)
            return DocumentTable(np.empty((0, DIGEST_BYTES), np.uint8), nothing, nothing, nothing, np.empty((0, 0)))
        starts = np.flatnonzero(np.concatenate(self._starts))
        tokens, characters, statistics = (
            np.add.reduceat(np.concatenate(parts), starts, axis=0)
            for parts in (self._tokens, self._characters, self._statistics)
        )
        unsigned = np.empty((len(digests), 0), np.uint32)
        return DocumentTable(
            np.frombuffer(b"".join(digests), np.uint8).reshape(-1, DIGEST_BYTES),
            tokens,
            characters,
            np.where(tokens == 0, EMPTY, drop_reasons(self._filters, statistics)),
            np.minimum.reduceat(np.concatenate(self._signatures), starts, axis=0) if self._signed else unsigned,
        )


class _Rejections:
    """Counts rejected items by reason and documents with replaced bytes; keeps the rejected ones if `keep`."""

    def __init__(self, *, keep: bool):
        self.replaced, self.counts = 0, Counter[str]()
        self._keep, self._lines = keep, list[str]()

    def add(self, path: str, batch: TextBatch) -> None:
        self.replaced += batch.replaced
        for reason, content in batch.rejected:
            self.counts[reason] += 1
            if self._keep:
                self._lines.append(dropped_record(reason, content, path))

    def write(self, path: Path) -> None:
        path.write_text("".join(self._lines), encoding="utf-8")


def dropped_record(reason: str, content: bytes, path: str = "") -> str:
    """A line of a dead-letter file: what was dropped, and why."""
    values = {"reason": reason, "text": content.decode(errors="replace")}
    return json.dumps({**values, "file": path} if path else values, ensure_ascii=False) + "\n"
