from pathlib import Path

import matplotlib
import pytest
from matplotlib import image, pyplot

from tests.training.callbacks.test_history import make_row
from textgen.training.callbacks import Check, History, curves


@pytest.mark.parametrize(
    "rows",
    [[], [make_row(1), make_row(2)], [make_row(1, None), make_row(2, None)], [make_row(1, accuracy=None)]],
    ids=["none", "validation", "training alone", "no accuracy"],
)
def test_curves_are_a_picture_with_and_without_validation(tmp_path: Path, rows):
    path = tmp_path / "curves.png"
    curves.draw(rows).savefig(path, dpi=110)
    assert path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    height, width, _ = image.imread(path).shape
    assert (width, height) == (1650, 440)


def _pictures(folder: Path, *, interval_seconds: float) -> list[bytes]:
    """Returns the picture after each of two checks and after the end."""
    path, history = folder / "curves.png", History(folder / "history.csv")
    callback = curves.Curves(path, interval_seconds=interval_seconds)
    pictures = []
    for step in (1, 2):
        history.rows.append(make_row(step))
        callback.on_check(Check(history.rows[-1], best=False, history=history, sample=""))
        pictures.append(path.read_bytes())
    callback.on_end()
    return [*pictures, path.read_bytes()]


def test_a_check_replaces_the_picture(tmp_path: Path):
    first, second, last = _pictures(tmp_path, interval_seconds=0)
    assert first != second == last


def test_within_the_interval_only_the_end_replaces_the_picture(tmp_path: Path):
    first, second, last = _pictures(tmp_path, interval_seconds=3600)
    assert first == second != last


def test_drawing_does_not_change_pyplot_or_its_backend(tmp_path: Path):
    pyplot.close("all")
    before = matplotlib.rcParams._get("backend")
    curves.draw([make_row(1)]).savefig(tmp_path / "curves.png")
    assert matplotlib.rcParams._get("backend") is before
    assert pyplot.get_fignums() == []
