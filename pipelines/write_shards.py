"""The last pass: writes the shards of each unit from its tokens."""

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

from pipelines.chunk_encoder import ChunkEncoder, load_encoder
from pipelines.document_files import DocumentTable, unit_documents
from pipelines.dropped import dropped_record
from pipelines.split_writer import SplitWriter
from pipelines.token_files import LocatedBatch, unit_symbols, unit_tokens
from pipelines.workspace import DUPLICATES, OVERLAP, SHARDS, TOKENS, Workspace
from textgen import files
from textgen.config import SPLITS, PrepareConfig
from textgen.corpus.units import Unit
from textgen.dataset.storage.manifest import UnitReport, dropped_name

_MAX_REJECTED_BYTES = 1 << 34


class WriteUnit:
    """Writes the shards of a unit, one per split, and reports on its documents."""

    stage = SHARDS

    def __init__(self, config: PrepareConfig, workspace: Workspace):
        self._config, self._workspace = config, workspace

    def setup(self) -> None:
        """Loads the vocabulary and the tokenizer."""
        self._encoder = load_encoder(self._config.text, self._workspace)

    def process(self, unit: Unit) -> dict[str, Any]:
        """Writes the unit's shards and its dropped documents; returns the unit's report as JSON values.

        The files are written under temporary names first, so a file under its own name is always complete.
        """
        documents = unit_documents(self._workspace, unit.index)
        report = self._begin_report(unit)
        symbols = unit_symbols(self._workspace, unit.index, self._config)
        encoder = ChunkEncoder(self._config, self._encoder, symbols)
        with files.scratch_folder(self._workspace.work_path()) as folder:
            writers = {
                split: SplitWriter(split, folder / split, self._config, self._encoder.vocabulary.size)
                for split in SPLITS
            }
            dropped = self._rejected_records(unit.index)
            for located in unit_tokens(self._workspace, unit.index, documents, symbols=len(symbols)):
                chunks = encoder.encode(located, documents)
                for writer in writers.values():
                    writer.write(chunks)
                dropped += _dropped_records(located, documents)
            for split, writer in writers.items():
                self._publish(writer, f"{split}-{unit.index:06d}.tfrecord", report)
            if any(dropped):
                report.dropped_sha256 = self._publish_dropped(dropped, folder / "dropped", unit.index)
        for reason in documents.reasons[documents.reasons != ""]:
            report.drop(reason)
        report.kept = int((documents.reasons == "").sum())
        report.documents += report.kept
        return report.to_json()

    def _begin_report(self, unit: Unit) -> UnitReport:
        """Returns a report with the results of the earlier passes: rejected items and duplicates."""
        found = self._workspace.recorded(TOKENS, unit.index)
        if found is None:
            raise self._workspace.damage(self._workspace.unit_path(TOKENS, unit.index, "json"), "it is missing")
        report = UnitReport(
            unit=unit.index,
            bytes=unit.bytes,
            replaced=found["replaced"],
            replaced_characters=sum(replaced for replaced, _ in found["characters"].values()),
            duplicates=self._workspace.recorded(DUPLICATES, unit.index) or {},
            shared=self._workspace.recorded(OVERLAP, unit.index) or {},
        )
        for reason, count in found["rejected"].items():
            report.drop(reason, count)
        return report

    def _rejected_records(self, unit: int) -> list[str]:
        """Returns the records of the items that the readers rejected; none unless dropped documents are kept."""
        if not self._config.keep_dropped:
            return []
        name = f"{unit:06d}.rejected"
        content = self._workspace.read_work(TOKENS, name, max_bytes=_MAX_REJECTED_BYTES)
        try:
            return [] if content is None else [content.decode()]
        except UnicodeDecodeError:
            raise self._workspace.damage(self._workspace.work_path(TOKENS, name), "it is not UTF-8") from None

    def _publish(self, writer: SplitWriter, name: str, report: UnitReport) -> None:
        shard = writer.close(name, report.unit)
        report.splits[shard.split] = dataclasses.replace(writer.counts, pairs=shard.pairs)
        if shard.pairs:
            self._workspace.publish(name, writer.path)
            report.shards.append(shard)

    def _publish_dropped(self, records: list[str], file: Path, unit: int) -> str:
        """Writes the file of a unit's dropped documents; returns its SHA-256 as hexadecimal digits."""
        content = "".join(records).encode()
        files.write_scratch(file, content)
        self._workspace.publish(dropped_name(unit), file)
        return hashlib.sha256(content).hexdigest()


def _dropped_records(located: LocatedBatch, documents: DocumentTable) -> list[str]:
    """Returns the records of a batch's dropped documents, none for a batch without texts.

    Only the first chunk of a document is recorded.
    """
    batch, rows, _ = located
    if not batch.texts:
        return []
    first = int(batch.continued)
    reasons = documents.reasons[rows][first:]
    return [dropped_record(reason, text) for reason, text in zip(reasons, batch.texts[first:], strict=True) if reason]
