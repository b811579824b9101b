from pathlib import Path

import pytest
from matplotlib import image

from tests.training.callbacks.test_history import make_row
from textgen.training.callbacks import curves


@pytest.mark.parametrize(
    "rows",
    [[], [make_row(1), make_row(2)], [make_row(1, None), make_row(2, None)], [make_row(1, accuracy=None)]],
    ids=["none", "validation", "training alone", "no accuracy"],
)
def test_curves_are_a_picture_with_and_without_validation(tmp_path: Path, rows):
    path = tmp_path / "curves.png"
    curves.draw(rows, path)
    assert path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    height, width, _ = image.imread(path).shape
    assert (width, height) == (1650, 440)


def test_curves_are_drawn_anew(tmp_path: Path):
    path = tmp_path / "curves.png"
    curves.draw([make_row(1), make_row(2)], path)
    before = path.read_bytes()
    curves.draw([make_row(1), make_row(2), make_row(3, 0.5)], path)
    assert path.read_bytes() != before
