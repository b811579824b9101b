from pathlib import Path
from typing import Any

import pytest

from tests.training.callbacks.test_history import make_row
from textgen.training.callbacks import Check, History
from textgen.training.callbacks.validation_gap import ValidationGap

WARNING = "warning: the validation loss is 8.200, far above the training loss of 6.000, after 0.50 epochs"


def _check(callback: ValidationGap, validation_loss: float | None, *, rows: int = 1, **figures: Any) -> None:
    history = History(Path("nowhere"))
    history.rows += [make_row(i + 1) for i in range(rows)]
    row = make_row(3, validation_loss, **{"loss": 6.0, "epoch": 0.5, **figures})
    callback.on_check(Check(row, best=False, history=history, sample=""))


@pytest.mark.parametrize("figures", [{}, {"rows": 4}, {"loss": 6.0, "epoch": 0.5, "rows": 2}])
def test_a_validation_loss_far_above_the_training_loss_is_told_once(capfd, figures: dict[str, Any]):
    callback = ValidationGap()
    _check(callback, 6.5)
    _check(callback, 8.2, **figures)
    _check(callback, 9.0)
    errors = capfd.readouterr().err
    assert WARNING in errors and "lower --learning-rate" in errors
    assert errors.count("warning") == 1


def test_the_first_check_is_looked_at_also_after_several_epochs(capfd):
    _check(ValidationGap(), 8.2, epoch=3.0)
    assert "far above" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("validation_loss", "figures"),
    [
        (6.8, {}),
        (5.0, {}),
        (None, {}),
        (1.9, {"loss": 1.5}),
        (8.2, {"accuracy": None}),
        (8.2, {"epoch": 3.0, "rows": 2}),
    ],
)
def test_no_other_difference_is_told(capfd, validation_loss: float | None, figures: dict[str, Any]):
    _check(ValidationGap(), validation_loss, **figures)
    assert not capfd.readouterr().err
