"""The input cut into units: the deterministic pieces of work that a preparation is made of.

The cut depends on the files and the layout alone, never on workers, so every run of a job has the same units.
"""

import dataclasses
from collections.abc import Iterable

from textgen.corpus.formats import READERS
from textgen.corpus.readers.base import OpenFile, Piece, Reading

UNITS_WANTED = 16
LEAST_UNIT_BYTES = 1 << 16
MOST_UNIT_BYTES = {"pairs": 4 << 20, "spans": 32 << 20}
"""So that a shard stays near 100 MB: a pair takes about 18 times the bytes of its token's text, a span half."""


@dataclasses.dataclass(frozen=True)
class InputFile:
    """One file of the corpus. `modified` is its time stamp in seconds, so that a changed file is noticed."""

    path: str
    size: int
    modified: float
    format: str


@dataclasses.dataclass(frozen=True)
class Unit:
    """A group of small files, or a part of a big one."""

    index: int
    pieces: tuple[Piece, ...]

    @property
    def bytes(self) -> int:
        """The input bytes of the unit."""
        return sum(piece.end - piece.start for piece in self.pieces)


def unit_bytes(total_bytes: int, layout: str) -> int:
    """The size wanted of a unit: enough units to share out, none larger than its shards should be."""
    return max(LEAST_UNIT_BYTES, min(total_bytes // UNITS_WANTED, MOST_UNIT_BYTES[layout]))


def plan(files: Iterable[InputFile], *, unit_bytes: int, open_file: OpenFile, reading: Reading) -> list[Unit]:
    """The units of the files, in the files' order: big files divided by their readers, small ones grouped."""
    units: list[Unit] = []
    group: list[Piece] = []
    grouped = 0
    for file in files:
        for start, end in READERS[file.format].divide(file.path, file.size, unit_bytes, open_file, reading):
            if group and grouped + end - start > unit_bytes:
                units.append(Unit(len(units), tuple(group)))
                group, grouped = [], 0
            group.append(Piece(file.path, start, end, file.format))
            grouped += end - start
    if group:
        units.append(Unit(len(units), tuple(group)))
    return units
