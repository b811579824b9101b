"""The notebooks in examples/ run from start to end, as a user would run them."""

import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

EXAMPLES = Path(__file__).parents[1] / "examples"
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))
MINUTES = "0.001"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTGEN_EXAMPLE_MINUTES", MINUTES)
    monkeypatch.setenv("TEXTGEN_EXAMPLE_OUTPUT", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(EXAMPLES.parent))
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=500, resources={"metadata": {"path": str(EXAMPLES)}}).execute()
    shown = [output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", [])]
    assert any("image/png" in data for data in shown), "the plot must be shown inline"
    shutil.rmtree(tmp_path)


def test_both_levels_have_a_notebook() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["complaints_words", "novel_characters"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_has_clean_outputs(path: Path) -> None:
    assert path.stat().st_size < 200_000
    text = path.read_text(encoding="utf-8")
    unwanted = ("/tmp/", "/home/", "/root/", "/Users/", "\\r", '"execution"', "WARNING")
    assert not [part for part in unwanted if part in text]
    cells = [cell for cell in nbformat.reads(text, as_version=4).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell.outputs]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert not [output for output in outputs if output.output_type == "error"]
