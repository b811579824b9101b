from pathlib import Path

import pytest

from textgen.errors import UserError
from textgen.runs.run_lock import held_folder


def test_the_chief_holds_the_folder_and_the_others_write_nothing(tmp_path: Path) -> None:
    run = tmp_path / "run"
    with held_folder(run, is_chief=True) as lock:
        assert lock
        with held_folder(run, is_chief=False) as other:
            assert other is None
        with pytest.raises(UserError, match="is being written"), held_folder(run, is_chief=True):
            pass
    assert list(tmp_path.iterdir()) == []
