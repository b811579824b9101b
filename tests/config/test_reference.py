import subprocess
import sys

import pytest

from textgen.config import STAGES
from textgen.config.reference import tables


@pytest.mark.parametrize("stage", STAGES)
def test_every_option_of_a_command_has_a_row(stage: str):
    text = tables(stage)
    rows = [line for line in text.splitlines() if line.startswith("| `--")]
    assert len(rows) == len(STAGES[stage])
    for setting in STAGES[stage]:
        assert any(row.startswith(f"| `{setting.flag}") and setting.help in row for row in rows)


def test_defaults_of_tokenizers_are_shown():
    assert "| `--vocabulary-size N` | 8000; 1000 for char; 256 for byte |" in tables("prepare")
    assert "| `--stateful`, `--no-stateful` | off |" in tables("train")


def test_it_runs_as_a_program():
    done = subprocess.run(
        [sys.executable, "-m", "textgen.config.reference", "train"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("### textgen train\n\n**Network**")
