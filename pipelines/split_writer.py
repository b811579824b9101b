"""Writes the shard of one split of a unit."""

from pathlib import Path

from textgen.config import PrepareConfig
from textgen.dataset.storage.layouts import LAYOUTS, RecordFormat
from textgen.dataset.storage.manifest import Shard
from textgen.dataset.storage.sequencer import DocumentChunks, Sequencer
from textgen.dataset.storage.shards import ShardWriter
from textgen.dataset.storage.split_counts import SplitCounts


class SplitWriter:
    """Writes the records of one split of a unit to a local file.

    Attributes:
        path: the file.
    """

    def __init__(self, split: str, path: Path, config: PrepareConfig, vocabulary_size: int):
        self.path = path
        self._split, self._layout = split, LAYOUTS[config.layout]
        self._format = RecordFormat(config.window, config.stride, vocabulary_size)
        self._shard = ShardWriter(path)
        self._sequencer = Sequencer(
            split,
            boundaries=config.boundaries,
            stride=config.stride,
            context=self._layout.context(config.window),
        )

    @property
    def counts(self) -> SplitCounts:
        """Counts of the split so far, without its pairs."""
        return self._sequencer.counts

    def write(self, chunks: DocumentChunks) -> None:
        """Writes the records of the tokens that belong to the split."""
        for records in self._layout.encode(self._sequencer.sequences(chunks), self._format):
            self._shard.write(records)

    def close(self, name: str, unit: int) -> Shard:
        """Closes the file and returns its description, under the name and unit given."""
        return self._shard.close(name=name, split=self._split, unit=unit)
