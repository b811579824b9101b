"""The last pass: each unit's tokens to its own shards, then the manifest."""

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from pipelines import tokenize
from pipelines.token_files import DocumentTable, Placed
from pipelines.tokenize import EMPTY
from pipelines.workspace import DUPLICATES, SHARDS, TOKENS, Workspace
from textgen import files
from textgen.config import SPLITS, UNK, VOCABULARY_FILE, PrepareConfig
from textgen.corpus.units import Unit
from textgen.dataset.storage import manifest, ragged
from textgen.dataset.storage.layouts import LAYOUTS, RecordFormat
from textgen.dataset.storage.manifest import SplitCounts, UnitReport, dropped_name
from textgen.dataset.storage.sequencer import DocumentChunks, Sequencer
from textgen.dataset.storage.shards import ShardWriter
from textgen.dataset.storage.splits import SplitRanges, split_ranges
from textgen.text import vocabulary
from textgen.text.preprocessor import Preprocessor


class WriteUnit:
    """Writes a unit's shards, one a split, and reports on its documents."""

    stage = SHARDS

    def __init__(self, config: PrepareConfig, workspace: Workspace):
        self._config, self._workspace = config, workspace

    def setup(self) -> None:
        """Builds what turns symbols to ids."""
        content = files.read(self._workspace.path(VOCABULARY_FILE))
        self._preprocessor = Preprocessor(
            self._config.text, vocabulary.parse(content), model=self._workspace.tokenizer_model()
        )

    def process(self, unit: Unit) -> dict[str, Any]:
        """Writes under temporary names first: a shard stands under its own name whole or not at all."""
        found = self._workspace.recorded(TOKENS, unit.index)
        assert found is not None, "the tokens of a unit are written before its shards"
        documents = tokenize.read_documents(self._workspace, unit.index)
        report = UnitReport(
            unit=unit.index,
            bytes=unit.bytes,
            replaced=found["replaced"],
            duplicates=self._workspace.recorded(DUPLICATES, unit.index) or {},
        )
        for reason, count in found["rejected"].items():
            report.drop(reason, count)
        with files.scratch_folder(self._workspace.work_path()) as folder:
            vocabulary_size = self._preprocessor.vocabulary.size
            writers = {split: _SplitWriter(split, folder, self._config, vocabulary_size) for split in SPLITS}
            letters = self._letters(unit.index)
            for placed in tokenize.read_tokens(self._workspace, unit.index):
                stretches = self._stretches(placed, documents)
                for writer in writers.values():
                    writer.write(stretches)
                letters += _dropped(placed, documents)
            for split, writer in writers.items():
                self._publish(writer, f"{split}-{unit.index:06d}.tfrecord", report)
            if any(letters):
                report.dropped_sha256 = self._publish_letters(letters, folder / "letters", unit.index)
        for reason in documents.reasons[documents.reasons != ""]:
            report.drop(reason)
        report.kept = int((documents.reasons == "").sum())
        report.documents += report.kept
        return report.to_json()

    def _publish_letters(self, letters: list[str], file: Path, unit: int) -> str:
        """Gives what was dropped of a unit its file, and tells the file's SHA-256."""
        content = "".join(letters).encode()
        file.write_bytes(content)
        self._workspace.publish(dropped_name(unit), file)
        return hashlib.sha256(content).hexdigest()

    def _letters(self, unit: int) -> list[str]:
        """The lines of the items that the reader rejected; none unless dropped documents are kept."""
        if not self._config.keep_dropped:
            return []
        content = files.read_if_present(self._workspace.unit_path(TOKENS, unit, "rejected"))
        return [] if content is None else [content.decode()]

    def _stretches(self, placed: Placed, documents: DocumentTable) -> DocumentChunks:
        """A batch with its ids; a document of which no id is left is dropped here."""
        batch, where, offsets = placed
        table = self._preprocessor.ids(batch.symbols.to_numpy(zero_copy_only=False))
        ids, id_edges = _ids(table.values.numpy(), table.row_splits.numpy(), batch.indices)

        totals, lengths = documents.tokens[where], np.diff(batch.edges)
        nothing = (lengths == totals) & (id_edges[batch.edges[1:]] == id_edges[batch.edges[:-1]])
        documents.reasons[where] = np.where(
            nothing & (documents.reasons[where] == ""), EMPTY, documents.reasons[where]
        )
        held = split_ranges(documents.digests[where], totals, self._config)
        kept = documents.reasons[where] == ""
        return DocumentChunks(
            ids=ids,
            edges=batch.edges,
            id_edges=id_edges,
            unknown=np.concatenate([[0], np.cumsum(ids == UNK)]),
            offsets=offsets,
            totals=totals,
            characters=documents.characters[where],
            split_ranges=SplitRanges(held.starts, np.where(kept, held.ends, held.starts)),
        )

    def _publish(self, writer: "_SplitWriter", name: str, report: UnitReport) -> None:
        shard = writer.close(name, report.unit)
        report.splits[shard.split] = dataclasses.replace(writer.counts, pairs=shard.pairs)
        if shard.pairs:
            self._workspace.publish(name, writer.path)
            report.shards.append(shard)


def _ids(values: np.ndarray, splits: np.ndarray, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The ids of symbols, given those of each distinct one, and where each symbol's ids start; int[I], int[T + 1]."""
    counts = np.diff(splits)
    if (counts == 1).all():
        return values[indices], np.arange(len(indices) + 1)
    each = counts[indices]
    return values[ragged.indices(splits[indices], each)], np.concatenate([[0], np.cumsum(each)])


def _dropped(placed: Placed, documents: DocumentTable) -> list[str]:
    """The dead letters of a batch; of a document in several, the part that it begins with."""
    batch, where, _ = placed
    begun = int(batch.goes_on)
    reasons = documents.reasons[where][begun:]
    return [
        tokenize.dropped_record(reason, text)
        for reason, text in zip(reasons, batch.texts[begun:], strict=False)
        if reason
    ]


class _SplitWriter:
    """The shard of one split of a unit."""

    def __init__(self, split: str, folder: Path, config: PrepareConfig, vocabulary_size: int):
        self.path = folder / split
        self._split, self._layout = split, LAYOUTS[config.layout]
        self._format = RecordFormat(config.window, config.stride, vocabulary_size)
        self._shard = ShardWriter(self.path)
        self._sequencer = Sequencer(
            split,
            boundaries=config.boundaries,
            stride=config.stride,
            context=self._layout.context(config.window),
        )

    @property
    def counts(self) -> SplitCounts:
        """What the split has so far, its pairs excepted."""
        return self._sequencer.counts

    def write(self, stretches: DocumentChunks) -> None:
        """Adds what the split has of a batch."""
        for records in self._layout.encode(self._sequencer.sequences(stretches), self._format):
            self._shard.write(records)

    def close(self, name: str, unit: int) -> manifest.Shard:
        """Ends the file."""
        return self._shard.close(name=name, split=self._split, unit=unit)
