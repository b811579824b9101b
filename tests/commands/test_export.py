from pathlib import Path

import pytest

from textgen.cli import main


def test_a_run_is_exported_once(made: Path, refused, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    output = tmp_path / "deep" / "exported"
    assert main(["export", str(made), str(output), "--format", "litert"]) == 0
    out, err = capfd.readouterr()
    assert (out, err) == (f"exported to {output}\n", "")
    assert {path.name for path in output.iterdir()} == {"model.tflite", "vocabulary.json"}
    assert "is not an empty folder" in refused("export", made, output)
    assert "is not a run" in refused("export", tmp_path, tmp_path / "new")
    assert "is a URL; an export must be in a folder of this machine" in refused("export", made, "gs://a/b")
