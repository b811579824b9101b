"""The second pass: each unit's documents to its own shards, then the manifest."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np

from pipelines import storage
from pipelines.workspace import Workspace
from textgen.config import SPLITS, UNK, VOCABULARY_FILE, PrepareConfig
from textgen.corpus.pieces import Batch
from textgen.corpus.readers import READERS
from textgen.corpus.units import Unit
from textgen.dataset import manifest, windows
from textgen.dataset.manifest import Manifest, SplitCounts, UnitReport
from textgen.dataset.records import pair_records, span_dtype, span_records
from textgen.dataset.shards import ShardWriter
from textgen.dataset.splits import Part, parts
from textgen.text import vocabulary
from textgen.text.preprocessor import Preprocessor

STAGE = "shards"

WriteSequence = Callable[[ShardWriter, np.ndarray], int]
"""Writes the records of one sequence of ids; tells how many pairs they hold."""


class WriteUnit:
    """Writes a unit's shards, one a split, and reports on its documents."""

    stage = STAGE

    def __init__(self, config: PrepareConfig, workspace: Workspace):
        self._config, self._workspace = config, workspace
        # A record a pair is a turn of a Python loop a pair.
        self.python_bound = config.layout == "pairs"

    def setup(self) -> None:
        """Builds the text operations and reads the vocabulary."""
        content = storage.read(self._workspace.path(VOCABULARY_FILE))
        assert content is not None, "the vocabulary is written before the shards"
        self._preprocessor = Preprocessor(self._config.text, vocabulary.parse(content))
        self._write = sequence_writer(self._config, self._preprocessor.vocabulary.size)

    def process(self, unit: Unit) -> dict[str, Any]:
        """Writes under temporary names first: a shard stands under its own name whole or not at all."""
        report = UnitReport(unit=unit.index, bytes=unit.bytes)
        with storage.scratch(self._workspace.work_path()) as folder:
            writers = _Writers(folder, unit.index)
            for batch in self._batches(unit):
                self._write_batch(batch, writers, report)
            for path, shard in writers.close():
                storage.publish(path, self._workspace.path(shard.name))
                report.shards.append(shard)
        return report.to_json()

    def _batches(self, unit: Unit) -> Iterator[Batch]:
        for piece in unit.pieces:
            yield from READERS[piece.format].read(piece, storage.open_file, self._config.text_field)

    def _write_batch(self, batch: Batch, writers: "_Writers", report: UnitReport) -> None:
        report.repaired += batch.repaired
        if batch.malformed:
            report.drop("malformed row", batch.malformed)
        if not batch.texts:
            return
        tokens = self._preprocessor.tokens(batch.texts)
        documents = np.split(tokens.flat.numpy(), np.cumsum(tokens.lengths.numpy())[:-1])
        for cleaned, characters, ids in zip(
            tokens.cleaned.numpy(), tokens.characters.numpy().tolist(), documents, strict=True
        ):
            if not len(ids):
                report.drop("empty")
                continue
            report.documents += 1
            report.kept += 1
            for part in parts(cleaned, len(ids), self._config):
                counts = self._write_part(ids, part, writers[part.split])
                counts.characters = _share(characters, part, len(ids))
                report.splits[part.split].add(counts)

    def _write_part(self, ids: np.ndarray, part: Part, writer: ShardWriter) -> SplitCounts:
        tokens = ids[part.start : part.end]
        boundaries = self._config.boundaries
        sequence = windows.mark(tokens, begin=boundaries and part.start == 0, end=boundaries and part.end == len(ids))
        return SplitCounts(
            documents=1,
            tokens=len(tokens),
            unknown=int(np.count_nonzero(tokens == UNK)),
            pairs=self._write(writer, sequence),
        )


class _Writers(dict[str, ShardWriter]):
    """The shards of one unit by split, each made when its first document comes."""

    def __init__(self, folder: Path, unit: int):
        super().__init__()
        self._folder, self._unit = folder, unit

    def __missing__(self, split: str) -> ShardWriter:
        self[split] = ShardWriter(self._folder / split)
        return self[split]

    def close(self) -> Iterator[tuple[Path, manifest.Shard]]:
        """Each shard that holds a pair, with the file that it is in."""
        for split in SPLITS:
            if split in self:
                name = f"{split}-{self._unit:06d}.tfrecord"
                shard = self[split].close(name=name, split=split, unit=self._unit)
                if shard.pairs:
                    yield self._folder / split, shard


def sequence_writer(config: PrepareConfig, vocabulary_size: int) -> WriteSequence:
    """The writer of the layout that the config names."""
    dtype = span_dtype(vocabulary_size)

    def write_pairs(writer: ShardWriter, ids: np.ndarray) -> int:
        pairs = 0
        for record in pair_records(ids, window=config.window, stride=config.stride):
            writer.write(record, pairs=1)
            pairs += 1
        return pairs

    def write_spans(writer: ShardWriter, ids: np.ndarray) -> int:
        total = 0
        for record, pairs in span_records(ids, window=config.window, stride=config.stride, dtype=dtype):
            writer.write(record, pairs=pairs)
            total += pairs
        return total

    return write_pairs if config.layout == "pairs" else write_spans


class CommitManifest(beam.PTransform):
    """Results of WriteUnit → `manifest.json`, when all of them are there."""

    def __init__(self, config: PrepareConfig, fingerprint: str, workspace: Workspace):
        super().__init__()
        self._write = WriteManifest(config, fingerprint, workspace)

    def expand(self, results: beam.PCollection) -> beam.PCollection:
        """Adds the steps."""
        return (
            results
            | "KeyReports" >> beam.ParDo(KeyReport())
            | "GroupReports" >> beam.GroupByKey()
            | "WriteManifest" >> beam.ParDo(self._write)
        )


class KeyReport(beam.DoFn):
    """Puts every report under one key."""

    def process(self, result: dict[str, Any]) -> Iterator[tuple[None, dict[str, Any]]]:
        """One report in, one out."""
        yield None, result


class WriteManifest(beam.DoFn):
    """All reports → the manifest."""

    def __init__(self, config: PrepareConfig, fingerprint: str, workspace: Workspace):
        self._config, self._fingerprint, self._workspace = config, fingerprint, workspace

    def process(self, results: tuple[None, Iterable[dict[str, Any]]]) -> Iterator[str]:
        """Writes the file and tells its path."""
        reports = [UnitReport.from_json(result) for result in results[1]]
        content = storage.read(self._workspace.path(VOCABULARY_FILE))
        assert content is not None, "the vocabulary is written before the shards"
        learned = vocabulary.parse(content)
        path = self._workspace.path(manifest.FILE_NAME)
        storage.write(
            path,
            Manifest(
                config=self._config,
                fingerprint=self._fingerprint,
                vocabulary_size=learned.size,
                vocabulary_sha256=learned.fingerprint(),
                units=tuple(sorted(reports, key=lambda report: report.unit)),
            ).to_bytes(),
        )
        yield path


def _share(characters: int, part: Part, length: int) -> int:
    """A document's characters shared out to a part by its tokens, so that the parts' shares add up."""
    return characters * part.end // length - characters * part.start // length
