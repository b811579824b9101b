"""Callback that warns if the validation loss is far above the training loss from the first epoch on."""

from textgen.console import say
from textgen.training.callbacks import Callback, Check
from textgen.training.callbacks.history import HistoryRow

_MIN_GAP, _MIN_SHARE = 0.5, 0.15
"""Difference in nats, and as a fraction of the training loss, above which the validation loss is far above it."""


class ValidationGap(Callback):
    """Prints a warning once, at a check in the first epoch or at the first check of a run.

    Later the difference grows with overfitting, which early stopping ends.
    """

    def __init__(self) -> None:
        """Starts without a warning."""
        self._has_warned = False

    def on_check(self, check: Check) -> None:
        """Compares the losses of the check."""
        row, is_early = check.row, check.row.epoch <= 1 or len(check.history.rows) <= 1
        if is_early and not self._has_warned and _is_far(row):
            self._has_warned = True
            say(
                f"warning: the validation loss is {row.validation_loss:.3f}, far above the training loss of "
                f"{row.loss:.3f}, after {row.epoch:.2f} epochs, which is too early for overfitting. The validation "
                "text may differ from the training text, or the learning rate may be too high: compare the two "
                "texts, or start again with a lower --learning-rate."
            )


def _is_far(row: HistoryRow) -> bool:
    # Without an accuracy the training loss is that of a sampled softmax, which is another.
    if row.validation_loss is None or row.accuracy is None:
        return False
    return row.validation_loss - row.loss > max(_MIN_GAP, _MIN_SHARE * row.loss)
