"""The time limit of a run: the time that counts against it, the part that is used, and the checks that it plans."""

import contextlib
import math
import time
from collections.abc import Callable, Iterator

CHECKS = 5
"""Least number of checks within the limit: one at the end of each fifth, unless steps already gave it one."""

_CLOSE = 0.25
"""Part of a fifth: a check this close before its end takes the place of the one at its end."""

_CALLS_PER_CHECK = 4
"""Least number of graph calls per fifth, so that checks are made close to their time under a short limit."""


class TimeLimit:
    """Time limit of a run over all its sessions, and the time spent so far.

    Training, checks and checkpoints count. The time before `start` and inside `uncounted` does not, such as that of
    compiling.

    Attributes:
        seconds: the limit; infinity if there is none.
    """

    def __init__(self, minutes: float, *, spent: float = 0.0, clock: Callable[[], float] = time.monotonic):
        """Makes the limit of a session that has not started.

        Args:
            minutes: the limit in minutes; infinity for none.
            spent: time of earlier sessions, in seconds.
            clock: returns the time in seconds.
        """
        self.seconds = 60 * minutes
        self._spent, self._clock, self._since = spent, clock, math.nan

    def start(self) -> None:
        """Starts counting."""
        self._since = self._clock()

    def spent(self) -> float:
        """Returns the seconds spent in this session and all earlier ones."""
        return self._spent if math.isnan(self._since) else self._spent + self._clock() - self._since

    @contextlib.contextmanager
    def uncounted(self) -> Iterator[None]:
        """Inside the context, time does not count."""
        self._spent, self._since = self.spent(), math.nan
        try:
            yield
        finally:
            self.start()

    def used(self, spent: float) -> float:
        """Returns the fraction of the limit, from 0 to 1, that `spent` seconds are; 0 if there is no limit."""
        return min(1.0, spent / self.seconds)

    def is_up(self, spent: float) -> bool:
        """Returns whether the limit is reached after `spent` seconds."""
        return spent >= self.seconds

    def check_is_due(self, spent: float, *, checked_at: float) -> bool:
        """Returns whether a fifth of the limit has ended without a check in its last quarter.

        Args:
            spent: seconds spent so far.
            checked_at: seconds spent at the last check; 0 if there was none.
        """
        if math.isinf(self.seconds):
            return False
        return math.floor(spent / self.seconds * CHECKS) > self._fifth_of_check(checked_at)

    def planned_checks(self, checked_at: float) -> int:
        """Returns the number of checks that remain if the last was after `checked_at` seconds; 0 without a limit."""
        return 0 if math.isinf(self.seconds) else max(0, CHECKS - self._fifth_of_check(checked_at))

    def call_seconds(self, seconds: float) -> float:
        """Returns the target duration of a graph call: `seconds`, or less under a short limit."""
        return min(seconds, self.seconds / CHECKS / _CALLS_PER_CHECK)

    def _fifth_of_check(self, checked_at: float) -> int:
        """Returns the number of fifths that need no further check."""
        return math.floor(checked_at / self.seconds * CHECKS + _CLOSE)
