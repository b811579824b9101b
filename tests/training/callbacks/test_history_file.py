from pathlib import Path

from tests.training.callbacks.test_history import make_row
from textgen.training.callbacks import Check, History
from textgen.training.callbacks.history_file import HistoryFile


def test_a_check_writes_all_rows(tmp_path: Path):
    history = History(tmp_path / "history.csv")
    history.rows += [make_row(1), make_row(2)]
    HistoryFile().on_check(Check(history.rows[-1], best=False, history=history, sample=""))
    assert History(tmp_path / "history.csv", until_step=2).rows == history.rows
