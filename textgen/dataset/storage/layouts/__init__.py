"""Layouts: how the pairs of a dataset become records on disk, and how they are read back.

A layout is one object with all code that depends on it, in a file of its own and a line of `LAYOUTS`. No other code
compares the names of layouts. Every layout serves the same pairs.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import numpy as np

from textgen.dataset.storage.blocks import BlockContent
from textgen.dataset.storage.layouts.pairs import Pairs
from textgen.dataset.storage.layouts.spans import Spans
from textgen.dataset.storage.records import ReadRequest, RecordFormat, RecordLimits, Records, RestoredIds
from textgen.dataset.storage.windows import Sequences

__all__ = ["LAYOUTS", "Layout", "LoadedPairs", "LoadedRows", "RecordFormat"]


class LoadedPairs(Protocol):
    """Pairs, or rows of targets, of some blocks in memory, in the order of serving."""

    def extract(self, indices: slice | np.ndarray, x: np.ndarray, y: np.ndarray) -> None:
        """Fills x and y with the pairs or rows at N indices.

        Args:
            indices: int [N], or a slice of length N.
            x: [N, W] of any integer dtype.
            y: [N] of any integer dtype; [N, W] for rows.
        """
        ...


class LoadedRows(LoadedPairs, Protocol):
    """Rows of targets of some blocks in memory."""

    @property
    def starts_document(self) -> np.ndarray:
        """bool [N], whether each row is the first of its document."""
        ...


class Layout(Protocol):
    """Writes sequences as records, and reads pairs from blocks of records.

    `written` is always the format that the dataset was prepared with, and `wanted` the parameters of reading.
    """

    @property
    def name(self) -> str:
        """Name in the manifest and on the command line."""
        ...

    @property
    def cost(self) -> str:
        """Description of the bytes per pair on disk, and of the parameters that can be chosen when reading."""
        ...

    @property
    def max_unit_bytes(self) -> int:
        """Maximum number of input bytes in a unit, so that a shard stays near 100 MB."""
        ...

    @property
    def any_window(self) -> bool:
        """Whether the window of reading may differ from that of the preparation."""
        ...

    def context(self, window: int) -> int:
        """Returns the maximum number of ids before a target that the records need, for a window of `window` ids."""
        ...

    def limits(self, written: RecordFormat) -> RecordLimits:
        """Returns the limits of a record, whatever its ids are."""
        ...

    def encode(self, sequences: Sequences, written: RecordFormat) -> Iterator[Records]:
        """Yields the records of sequences in order, several at a time, as bytes of uint8 [T]."""
        ...

    def check(self, wanted: ReadRequest, written: RecordFormat) -> None:
        """Checks that the records contain what is wanted.

        Raises:
            UserError: the window, the stride, the minimum context or rows cannot be read from the records.
        """
        ...

    def count(self, content: BlockContent, wanted: ReadRequest, written: RecordFormat) -> int:
        """Returns the number of targets with enough context in a block, or the number of rows."""
        ...

    def load(
        self, contents: Sequence[BlockContent], order: np.ndarray, wanted: ReadRequest, written: RecordFormat
    ) -> LoadedPairs:
        """Reads the pairs of blocks.

        Args:
            contents: the blocks.
            order: int [N], indices of the pairs to serve among all pairs of the blocks, in the order to serve them.
            wanted: window and minimum context.
            written: see the class.
        """
        ...

    def load_rows(
        self, contents: Sequence[BlockContent], order: np.ndarray, wanted: ReadRequest, written: RecordFormat
    ) -> LoadedRows:
        """Reads the rows of targets of blocks.

        Args:
            contents: the blocks.
            order: int [N], indices of the rows to serve among all rows of the blocks, in the order to serve them.
            wanted: window, the maximum number of targets in a row, and minimum context.
            written: see the class.

        Raises:
            UserError: the layout has no rows.
        """
        ...

    def not_restorable(self, written: RecordFormat) -> str:
        """Returns the reason why `restore` cannot restore the text; empty if it can."""
        ...

    def restore(
        self, contents: Iterable[BlockContent], written: RecordFormat, *, exact: bool = False
    ) -> Iterator[RestoredIds]:
        """Yields the ids that the records of consecutive blocks were made from, each id once; see `RestoredIds`.

        Args:
            contents: the blocks.
            written: see the class.
            exact: whether to check every byte of the records, and not only what is read of them.

        Raises:
            UserError: a block has wrong records.
        """
        ...


LAYOUTS: dict[str, Layout] = {layout.name: layout for layout in (Pairs(), Spans())}
"""All layouts, by name; the choices of the `layout` setting in `textgen.config.preparation` are the same names."""
