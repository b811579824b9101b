"""Trials of full disks."""

from collections.abc import Iterator

from tests.faults.trial import Trial


def trials(full: bool) -> Iterator[Trial]:
    """Yields the trials; a share of them unless `full`."""
    yield from ()
