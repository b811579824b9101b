import re
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


BASELINES = {"unigram": 5.763, "bigram": 4.836, "trigram": 4.7}


def test_baselines_are_labelled_lines_in_loss_and_perplexity():
    loss, accuracy, perplexity = curves.draw([make_row(1), make_row(2)], BASELINES).axes
    labels = [text.get_text() for text in loss.get_legend().get_texts()]
    assert labels == ["training", "validation", "unigram 5.763", "bigram 4.836", "trigram 4.7"]
    assert [line.get_ydata()[0] for line in loss.lines[2:]] == list(BASELINES.values())
    assert [text.get_text() for text in perplexity.get_legend().get_texts()][-1] == "trigram 109.9"
    assert len(accuracy.lines) == 2


@pytest.mark.parametrize("steps", [(1, 2), (100_000, 250_000), (10**9, 10**9 + 3)])
def test_every_axis_has_plain_numbers(steps: tuple[int, int]):
    figure = curves.draw([make_row(steps[0], validation_loss=12.5), make_row(steps[1])], BASELINES)
    figure.canvas.draw()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            assert axis.get_offset_text().get_text() == ""
            texts = [label.get_text() for label in axis.get_ticklabels(which="both")]
            assert any(texts)
            assert all(re.fullmatch(r"-?[\d,]+(\.\d+)?|", text) for text in texts), texts


def test_baselines_are_made_at_the_first_check_only(tmp_path: Path):
    made = []
    callback = curves.Curves(
        tmp_path / "a.png", make_baselines=lambda: made.append(1) or BASELINES, interval_seconds=0
    )
    callback.on_end()
    assert made == []
    history = History(tmp_path / "history.csv")
    for step in (1, 2):
        history.rows.append(make_row(step))
        callback.on_check(Check(history.rows[-1], best=False, history=history, sample=""))
    assert made == [1]
