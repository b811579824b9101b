"""Divides the input into units, the deterministic work items of a preparation.

Units depend only on the files and the layout, not on the workers, so every run of a job has the same units.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from textgen.corpus.formats import READERS
from textgen.corpus.readers.base import FileRange, InputFile, Member, OpenFile, ReadOptions

TARGET_UNITS = 16
"""Number of units that a small input is divided into."""

MIN_UNIT_BYTES = 1 << 16


@dataclasses.dataclass(frozen=True)
class Unit:
    """One work item: consecutive small files, or a range of a large one.

    Attributes:
        index: position among the units, from 0.
        file_ranges: at least one range, in reading order.
    """

    index: int
    file_ranges: tuple[FileRange, ...]

    @property
    def split(self) -> str | None:
        """The split of all its files; None if the files do not say."""
        return self.file_ranges[0].file.split

    def without_split(self) -> "Unit":
        """Returns the unit as if no split were given for its files."""
        ranges = (each._replace(file=dataclasses.replace(each.file, split=None)) for each in self.file_ranges)
        return dataclasses.replace(self, file_ranges=tuple(ranges))

    @property
    def bytes(self) -> int:
        """Number of input bytes of the unit."""
        return sum(file_range.end - file_range.start for file_range in self.file_ranges)


def unit_bytes(total_bytes: int, *, most: int) -> int:
    """Returns the target size of a unit, in bytes: small enough for several units, and at most `most`."""
    return max(MIN_UNIT_BYTES, min(total_bytes // TARGET_UNITS, most))


def plan_units(
    files: Iterable[InputFile], *, unit_bytes: int, open_file: OpenFile, options: ReadOptions
) -> list[Unit]:
    """Returns the units in the order of the files: readers divide large files, and small files are grouped.

    No unit has files of two splits.

    Args:
        files: the input files.
        unit_bytes: target size of a unit, in bytes.
        open_file: opens a path for reading.
        options: settings of the readers.

    Raises:
        UserError: a file can't be read with these options.
    """
    units: list[Unit] = []
    group: list[FileRange] = []
    grouped = 0
    for file in files:
        for start, end in READERS[file.format].divide(file, unit_bytes, open_file, options):
            full = grouped + end - start > unit_bytes
            if group and (full or group[-1].file.split != file.split):
                units.append(Unit(len(units), tuple(group)))
                group, grouped = [], 0
            group.append(FileRange(file, start, end))
            grouped += end - start
    if group:
        units.append(Unit(len(units), tuple(group)))
    return units


def input_file(values: Mapping[str, Any]) -> InputFile:
    """Returns the file that a line of `inputs.jsonl` describes; see `textgen.dataset.storage.inputs_schema`."""
    member = values["member"]
    if member:
        archive, compression, *rest = member
        member = Member(archive, tuple(compression), *rest)
    return InputFile(**{**values, "compression": tuple(values["compression"]), "member": member})
