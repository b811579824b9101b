import json
from pathlib import Path

import pytest

from textgen.cli import main


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "a.txt"
    path.write_text("".join(f"the whale of line {i} was white\n" for i in range(300)))
    return path


def test_the_report_tells_documents_tokens_pairs_and_what_each_layout_takes(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["estimate", "--input", str(corpus), "--format", "lines", "--duplicates", "drop"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "documents   300, dropped: none" in lines
    assert any("duplicates are not counted as dropped" in line for line in lines)
    assert "tokens      2,100" in lines and "pairs       2,400" in lines
    assert [line.split()[0] for line in lines[-2:]] == ["pairs", "spans"]


def test_the_report_can_be_had_as_json(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["estimate", "--input", str(corpus), "--format", "lines", "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert (values["documents"], values["tokens"], values["pairs"]) == (300, 2100, 2400)
    assert set(values["layouts"]["spans"]) == {"bytes", "seconds", "worker_hours"}


def test_input_that_is_not_there_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["estimate", "--input", "/no/such/file"]) == 2
    assert "no file matches" in capsys.readouterr().err
