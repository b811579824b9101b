"""Plots as SVG, whose colours follow the page: curves and points, on linear or logarithmic axes.

SVG by hand has a few hundred bytes beside its points, follows a dark page, and needs no plotting library.
"""

import dataclasses
import math
import re
from collections.abc import Callable, Iterator, Sequence

from textgen.reporting.markup import Content, Markup, details, element, table

_WIDTH, _HEIGHT = 440, 280
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 14, 14, 46
_EDGE = 24
"""Distance from the right edge within which the number of a tick ends at it."""

_MOST_POINTS = 400
"""Number of points of a curve, of which a longer one keeps some that are evenly spaced."""

_MOST_ROWS = 40
"""Number of points up to which a plot has a table of its figures."""


@dataclasses.dataclass(frozen=True)
class Series:
    """A curve.

    Attributes:
        name: its name in the legend.
        x: position of each point; a value that is not finite, or not above 0 on a logarithmic axis, is left out.
        y: height of each point, likewise; None is left out too.
        points: whether points are drawn instead of a line.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float | None]
    points: bool = False


@dataclasses.dataclass(frozen=True)
class Axis:
    """An axis.

    Attributes:
        label: what it measures, with its unit.
        log: whether it is logarithmic.
        low: smallest value that is shown; None for that of the points.
        high: largest value, likewise.
        shown: formats a value; by default with as few digits as it needs.
    """

    label: str
    log: bool = False
    low: float | None = None
    high: float | None = None
    shown: Callable[[float], str] | None = None

    def format(self, value: float) -> str:
        """Returns a value as it is shown."""
        return self.shown(value) if self.shown else plain(value)


def plain(value: float) -> str:
    """Returns a number with at most four significant digits, and commas between thousands.

    >>> plain(1234567.0), plain(0.00025), plain(3.0), plain(1.23456)
    ('1,234,567', '0.00025', '3', '1.235')
    """
    return f"{value:,.0f}" if abs(value) >= 1000 or value == round(value) else f"{value:.4g}"


def percent(value: float) -> str:
    """Returns a share as a percentage.

    >>> percent(0.25), percent(0.0042)
    ('25%', '0.42%')
    """
    return f"{100 * value:.3g}%"


def plot(
    title: str, x: Axis, y: Axis, series: Sequence[Series], *, caption: Content = "", has_table: bool = True
) -> Markup:
    """Returns a figure with its legend, and a table of its figures where they are few.

    Args:
        title: what is shown, which no other plot of the page is named; also what a screen reader says.
        x: the horizontal axis.
        y: the vertical axis.
        series: the curves, at most five.
        caption: what to know about it; the title by default.
        has_table: False where a table beside it has the same figures.
    """
    kept = [Series(one.name, *_finite(one, x, y), points=one.points) for one in series]
    kept = [one for one in kept if one.x]
    if not kept:
        return element("p", f"{title}: there is nothing to show.")
    scales = (
        _Scale(x, [value for one in kept for value in one.x], _LEFT, _WIDTH - _RIGHT),
        _Scale(y, [value for one in kept for value in one.y if value is not None], _HEIGHT - _BOTTOM, _TOP),
    )
    slug = re.sub(r"\W+", "-", title.lower())
    ids = (f"plot-{slug}-title", f"plot-{slug}-text")
    described = f"{y.label} by {x.label}: {', '.join(one.name for one in kept)}"
    drawing = element(
        "svg",
        element("title", title, id=ids[0]),
        element("desc", described, id=ids[1]),
        *_axes(*scales),
        *(part for index, one in enumerate(kept) for part in _curve(one, index, *scales)),
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        role="img",
        aria_labelledby=" ".join(ids),
    )
    legend = _legend([one.name for one in kept]) if len(kept) > 1 else ""
    tables = _table(title, x, y, kept) if has_table else []
    return element("figure", drawing, legend, *tables, element("figcaption", caption or title))


class _Scale:
    """Maps values of an axis to a range of the drawing."""

    def __init__(self, axis: Axis, values: Sequence[float], start: float, end: float):
        self.axis, self._start, self._end = axis, start, end
        low = min(values) if axis.low is None else axis.low
        high = max(values) if axis.high is None else axis.high
        if low == high:
            room = abs(low) / 2 or 0.5
            low, high = (low / 2, high * 2) if axis.log else (low - room, high + room)
        self._low, self._high = self._map(low), self._map(high)
        self.ticks = [tick for tick in _ticks(low, high, log=axis.log) if low <= tick <= high]

    def __call__(self, value: float) -> float:
        share = (self._map(value) - self._low) / (self._high - self._low)
        return round(self._start + min(1.0, max(0.0, share)) * (self._end - self._start), 1)

    def _map(self, value: float) -> float:
        return math.log(value) if self.axis.log else value


def _ticks(low: float, high: float, *, log: bool) -> list[float]:
    """Returns about five round numbers between two."""
    if log:
        first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
        every = max(1, round((last - first) / 5))
        factors = (1, 2, 5) if last - first <= 2 else (1,)
        return [factor * 10.0**power for power in range(first, last + 1, every) for factor in factors]
    rough = (high - low) / 5
    step = 10.0 ** math.floor(math.log10(rough))
    step *= next(factor for factor in (1, 2, 5, 10) if factor * step >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(i * step, 12) for i in range(first, math.floor(high / step + 1e-9) + 1)]


def _axes(x: _Scale, y: _Scale) -> Iterator[Markup]:
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    for tick in x.ticks:
        at = x(tick)
        yield element("line", x1=at, x2=at, y1=_TOP, y2=bottom, class_="grid")
        anchor = "end" if at > right - _EDGE else "middle"
        yield element("text", x.axis.format(tick), x=at, y=bottom + 18, text_anchor=anchor)
    for tick in y.ticks:
        at = y(tick)
        yield element("line", x1=_LEFT, x2=right, y1=at, y2=at, class_="grid")
        yield element("text", y.axis.format(tick), x=_LEFT - 6, y=at + 4, text_anchor="end")
    yield element("line", x1=_LEFT, x2=right, y1=bottom, y2=bottom, class_="axis")
    yield element("line", x1=_LEFT, x2=_LEFT, y1=_TOP, y2=bottom, class_="axis")
    yield element("text", x.axis.label, x=(_LEFT + right) / 2, y=_HEIGHT - 6, text_anchor="middle")
    middle = (_TOP + bottom) / 2
    yield element("text", y.axis.label, x=13, y=middle, text_anchor="middle", transform=f"rotate(-90 13 {middle})")


def _curve(series: Series, index: int, x: _Scale, y: _Scale) -> Iterator[Markup]:
    places = [(x(a), y(b)) for a, b in zip(series.x, series.y, strict=True) if b is not None]
    if series.points or len(places) == 1:
        radius = 1.6 if len(places) > 100 else 3
        yield from (element("circle", cx=a, cy=b, r=radius, class_=f"f{index}") for a, b in places)
        return
    yield element("polyline", points=" ".join(f"{a},{b}" for a, b in places), class_=f"curve c{index}")


def _legend(names: Sequence[str]) -> Markup:
    keys = (
        element(
            "svg", element("line", x1=0, x2=32, y1=5, y2=5, class_=f"curve c{index}"), viewBox="0 0 32 10",
            aria_hidden="true",
        )
        for index in range(len(names))
    )  # fmt: skip
    rows = (element("li", key, name) for key, name in zip(keys, names, strict=True))
    return element("ul", *rows, class_="legend")


def _table(title: str, x: Axis, y: Axis, series: Sequence[Series]) -> list[Markup]:
    """Returns the figures behind a plot, for those who cannot see it; nothing where they are many."""
    places = sorted({value for one in series for value in one.x})
    if len(places) > _MOST_ROWS or any(one.points for one in series):
        return []
    values = [dict(zip(one.x, one.y, strict=True)) for one in series]
    rows = [
        [x.format(place), *("" if (found := of.get(place)) is None else y.format(found) for of in values)]
        for place in places
    ]
    name = f"{title}: {y.label}"
    return [details("Figures as a table", table(name, [x.label, *(one.name for one in series)], rows))]


def _finite(series: Series, x: Axis, y: Axis) -> tuple[list[float], list[float | None]]:
    """Returns the points that can be drawn, or evenly spaced ones of them if they are many."""
    kept = [
        (float(a), float(b))
        for a, b in zip(series.x, series.y, strict=True)
        if b is not None and _is_drawn(a, x) and _is_drawn(b, y)
    ]
    if len(kept) > _MOST_POINTS and not series.points:
        kept = [kept[round(i * (len(kept) - 1) / (_MOST_POINTS - 1))] for i in range(_MOST_POINTS)]
    return [a for a, _ in kept], [b for _, b in kept]


def _is_drawn(value: float, axis: Axis) -> bool:
    return math.isfinite(value) and (value > 0 or not axis.log)
