"""Counts what a server does, in the text format of Prometheus.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

import threading
from collections import Counter
from collections.abc import Callable, Mapping

_BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Metrics:
    """Counters and histograms of a server."""

    def __init__(self, gauges: Mapping[str, Callable[[], int]]):
        """Makes metrics.

        Args:
            gauges: functions that return a current number, by the names of their metrics.
        """
        self._gauges, self._lock = gauges, threading.Lock()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._times: dict[str, list[float]] = {}

    def count(self, name: str, labels: str, number: int = 1) -> None:
        """Adds to a counter; labels are written as `status="200"`."""
        with self._lock:
            self._counts[name, labels] += number

    def observe(self, name: str, seconds: float) -> None:
        """Adds a duration to a histogram."""
        with self._lock:
            # The sum comes last.
            values = self._times.setdefault(name, [0.0] * (len(_BOUNDS) + 2))
            for i, bound in enumerate(_BOUNDS):
                values[i] += seconds <= bound
            values[-2] += 1
            values[-1] += seconds

    def text(self) -> str:
        """Returns all metrics."""
        lines = []
        for name, gauge in self._gauges.items():
            lines += [f"# TYPE {name} gauge", f"{name} {gauge()}"]
        with self._lock:
            for name in sorted({name for name, _ in self._counts}):
                lines.append(f"# TYPE {name} counter")
                lines += [f"{name}{{{key}}} {n}" for (one, key), n in sorted(self._counts.items()) if one == name]
            for name, values in sorted(self._times.items()):
                lines.append(f"# TYPE {name} histogram")
                bounds = [*(f"{bound:g}" for bound in _BOUNDS), "+Inf"]
                lines += [
                    f'{name}_bucket{{le="{bound}"}} {value:g}'
                    for bound, value in zip(bounds, values[:-1], strict=True)
                ]
                lines += [f"{name}_sum {values[-1]:.6f}", f"{name}_count {values[-2]:g}"]
        return "\n".join(lines) + "\n"
