"""Callback that writes `history.csv` at each check."""

from textgen.training.callbacks import Callback, Check


class HistoryFile(Callback):
    """Writes the rows of all checks."""

    def on_check(self, check: Check) -> None:
        """Replaces the file with all rows so far.

        Raises:
            OSError: the file can't be written.
        """
        check.history.write()
