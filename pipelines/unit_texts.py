"""Reads the texts of a unit in batches, and collects the items that the readers reject."""

import contextlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

from pipelines.dropped import dropped_record
from pipelines.inputs import read_options
from pipelines.rejected import RejectedSamples
from pipelines.unit_readings import extend_checksum, source_of, tags
from textgen import files
from textgen.config import PrepareConfig
from textgen.corpus.batching import merge_batches
from textgen.corpus.formats import READERS
from textgen.corpus.readers.base import ReadLimits, TextBatch
from textgen.corpus.units import Unit


class UnitTexts:
    """The texts of one unit.

    Attributes:
        split: split of all documents; None if the files do not say.
        rejected: number of rejected items by reason, so far.
        samples: some of the rejected items.
        replaced: number of documents in which invalid bytes were replaced, so far.
        characters: for each file with replaced characters or of which the unit has only a part, the numbers of
            replaced and of all characters, so far.
    """

    def __init__(self, unit: Unit, config: PrepareConfig, limits: ReadLimits):
        self.rejected, self.replaced = Counter[str](), 0
        self.characters: dict[str, tuple[int, int]] = {}
        self.split = unit.split
        self.samples = RejectedSamples()
        self._unit, self._options = unit, read_options(config)._replace(limits=limits)
        self._config, self._records = config, list[str]()
        self._tags, self._checksums = list[str](), list[int]()

    def batches(self) -> Iterator[TextBatch]:
        """Yields the texts of the unit's file ranges, in batches of several ranges where these are small.

        Raises:
            UserError: a document cannot be read with these settings, or a file has changed since the command began.
        """
        yield from merge_batches(self._read(), self._options.limits)

    def rejected_records(self) -> str:
        """Returns one line of JSON per rejected item so far; empty unless dropped documents are kept."""
        return "".join(self._records)

    def report(self) -> dict[str, Any]:
        """Returns what reading has found, as JSON values, once all batches have been read.

        Returns:
            `rejected`, the number of rejected items by reason; `samples`, descriptions of some of them; `replaced`,
            the number of documents in which invalid bytes were replaced; `characters`, the numbers of replaced and
            of all characters of files; `source`, by which a later run recognizes the unit; and for each file range
            `tags`, that of its file before it was read (see `files.Version`), and `checksums`, that of what was read.
        """
        return {
            "rejected": self.rejected,
            "samples": self.samples.found,
            "replaced": self.replaced,
            "characters": self.characters,
            "source": source_of(self._unit, self._config),
            "tags": self._tags,
            "checksums": self._checksums,
        }

    def _read(self) -> Iterator[TextBatch]:
        self._tags = tags(self._unit)
        with self._noticing_changes():
            yield from self._read_ranges()

    def _read_ranges(self) -> Iterator[TextBatch]:
        for file_range in self._unit.file_ranges:
            replaced = characters = checksum = 0
            for batch in READERS[file_range.file.format].read(file_range, files.open_file, self._options):
                self._count(file_range.file.path, batch)
                replaced += batch.replaced_characters
                characters += batch.characters
                checksum = extend_checksum(checksum, batch)
                yield batch
            self._checksums.append(checksum)
            if replaced or file_range.end - file_range.start < file_range.file.size:
                self.characters[file_range.file.path] = replaced, characters

    def _count(self, path: str, batch: TextBatch) -> None:
        self.replaced += batch.replaced
        for item in batch.rejected:
            self.rejected[item.reason] += 1
            self.samples.add(path, item)
            if self._config.keep_dropped:
                self._records.append(dropped_record(item.reason, item.content, path))

    @contextlib.contextmanager
    def _noticing_changes(self) -> Iterator[None]:
        """Looks at the files again after they were read, also where it failed, since a change may be the cause.

        Raises:
            UserError: a file has changed since the command began.
        """
        try:
            yield
        except Exception:
            # An error about the content of a changed file would name the wrong cause.
            tags(self._unit)
            raise
        tags(self._unit)
