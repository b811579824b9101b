"""Gives a job its units: within the job if they are few, else in files, since services bound the size of a job."""

import dataclasses
import hashlib
import itertools
import json
from collections.abc import Iterator, Sequence

import apache_beam as beam

from pipelines.workspace import Workspace
from textgen import files
from textgen.corpus.readers.base import FileRange
from textgen.corpus.units import Unit, input_file

MAX_IN_JOB = 2_000
"""Number of units up to which a job holds them itself."""

PER_LIST = 1_000
FOLDER = "units"
_MAX_BYTES = 1 << 30


class CreateUnits(beam.PTransform):
    """Returns the units of a job; more than MAX_IN_JOB are read by the workers from files in `_work/units`.

    Dataflow refuses jobs of more than 10 MB: https://cloud.google.com/dataflow/quotas
    """

    def __init__(self, units: Sequence[Unit], workspace: Workspace):
        super().__init__()
        self._units, self._workspace = units, workspace

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection:
        """Adds the steps; the files are written now."""
        if len(self._units) <= MAX_IN_JOB:
            return pipeline | "CreateUnits" >> beam.Create(self._units)
        return (
            pipeline
            | "CreateLists" >> beam.Create(write_lists(self._units, self._workspace))
            | "SpreadLists" >> beam.Reshuffle()
            | "ReadUnits" >> beam.ParDo(ReadUnits(self._workspace))
        )


class ReadUnits(beam.DoFn):
    """Reads the units of a list."""

    def __init__(self, workspace: Workspace):
        self._workspace = workspace

    def process(self, digest: str) -> Iterator[Unit]:
        """Yields the units of the list whose content has the SHA-256.

        Raises:
            UserError: the list is damaged.
        """
        name = f"{digest}.jsonl"
        content = self._workspace.read_work(FOLDER, name, max_bytes=_MAX_BYTES) or b""
        if hashlib.sha256(content).hexdigest() != digest:
            raise self._workspace.damage(
                self._workspace.work_path(FOLDER, name), "it has another SHA-256 than its name"
            )
        for line in content.splitlines():
            index, ranges = json.loads(line)
            yield Unit(index, tuple(FileRange(input_file(file), start, end) for file, start, end in ranges))


def write_lists(units: Sequence[Unit], workspace: Workspace) -> list[str]:
    """Writes units to files of PER_LIST units; returns the SHA-256 of each, which is its name.

    Args:
        units: the units.
        workspace: the output folder.
    """
    digests = []
    for start in range(0, len(units), PER_LIST):
        lines = (json.dumps(_values(unit)) for unit in itertools.islice(units, start, start + PER_LIST))
        content = "\n".join(lines).encode()
        digest = hashlib.sha256(content).hexdigest()
        files.write_atomically(workspace.work_path(FOLDER, f"{digest}.jsonl"), content)
        digests.append(digest)
    return digests


def _values(unit: Unit) -> list[object]:
    ranges = [[dataclasses.asdict(each.file), each.start, each.end] for each in unit.file_ranges]
    return [unit.index, ranges]
