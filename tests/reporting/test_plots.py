import math

import pytest

from tests.reporting.reading import Page
from textgen.reporting.plots import Axis, Series, percent, plain, plot

LINEAR, LOG = Axis("x"), Axis("x", log=True)


def _points(page: Page) -> list[tuple[float, float]]:
    (line,) = [attributes["points"] for attributes in page.named("polyline")]
    return [tuple(map(float, point.split(","))) for point in line.split()]


def test_points_lie_where_their_values_are():
    found = Page(plot("Loss", LINEAR, Axis("y"), [Series("loss", [0, 5, 10], [3, 1, 2])]))
    (left, top), (middle, bottom), (right, half) = _points(found)
    assert left < middle < right and middle == pytest.approx((left + right) / 2)
    assert top < half < bottom and half == pytest.approx((top + bottom) / 2, abs=0.1)


def test_on_a_logarithmic_axis_factors_are_distances():
    found = Page(plot("Ranks", LOG, Axis("y"), [Series("tokens", [0, 1, 10, 100], [9, 1, 2, 3])]))
    # 0 has no logarithm.
    (a, _), (b, _), (c, _) = _points(found)
    assert b - a == pytest.approx(c - b, abs=0.2)


@pytest.mark.parametrize("values", [[1.0, 1.0], [math.nan, 2.0], [None, 2.0], [math.inf, 0.0], [-1e-9, 1e9]])
@pytest.mark.parametrize("log", [False, True])
def test_any_values_can_be_drawn(values: list[float], log: bool):
    html = plot("Any", Axis("x", log=log), Axis("y", log=log), [Series("one", [1, 2], values)])
    assert "nan" not in html and "inf" not in html.replace("info", "")
    Page(html)


def test_what_has_no_points_says_so():
    assert "there is nothing to show" in plot("Nothing", LINEAR, LINEAR, [Series("one", [1], [None])])


def test_it_has_a_name_a_description_and_a_legend():
    series = [Series("first <", [1, 2], [1, 2]), Series("second", [1, 2], [2, 1])]
    found = Page(plot("Two <curves>", LINEAR, Axis("nats"), series))
    assert found.text_of("title") == ["Two <curves>"]
    assert found.text_of("desc") == ["nats by x: first <, second"]
    assert found.text_of("li") == ["first <", "second"]


def test_few_figures_are_a_table_too():
    series = [Series("a", [1, 2], [0.5, None]), Series("b", [2, 3], [1.0, 0.25])]
    found = Page(plot("Shares", LINEAR, Axis("share", shown=percent), series))
    assert found.text_of("summary") == ["Figures as a table"]
    assert found.text_of("td") == ["50%", "100%", "25%"]
    many = plot("Many", LINEAR, LINEAR, [Series("a", range(1000), range(1000))])
    assert "<table>" not in many


def test_a_long_curve_keeps_its_ends():
    found = Page(plot("Long", LINEAR, LINEAR, [Series("a", range(100_000), range(100_000))]))
    points = _points(found)
    assert len(points) == 400
    assert points[0][0] == min(x for x, _ in points) and points[-1][0] == max(x for x, _ in points)


def test_ticks_are_round_numbers():
    found = Page(plot("Ticks", LINEAR, Axis("y", shown=percent), [Series("a", [0, 1234], [0.0, 1.0])]))
    shown = [text for text in found.text_of("text") if text not in ("x", "y")]
    assert shown == ["0", "500", "1,000", "0%", "20%", "40%", "60%", "80%", "100%"]


def test_numbers_are_short():
    assert [plain(value) for value in (12345.6, 3, 0.5, 1e-5)] == ["12,346", "3", "0.5", "1e-05"]
    assert percent(0.123456) == "12.3%"
