import subprocess
import sys
from pathlib import Path

from textgen.cli import main


def test_a_report_is_written(data: Path, tmp_path: Path, capfd):
    output = tmp_path / "report.html"
    assert main(["report", str(data), "-o", str(output)]) == 0
    assert capfd.readouterr() == (f"wrote {output}\n", "")
    assert output.read_text().startswith("<!doctype html>")


def test_a_dataset_at_a_url_has_the_same_report(data: Path, url: str, tmp_path: Path):
    found = []
    for name, source in (("folder", str(data)), ("url", url)):
        assert main(["report", source, "--output", str(tmp_path / name)]) == 0
        body, _, _ = (tmp_path / name).read_text().partition("<footer>")
        found.append(body.replace(source, "DATA"))
    assert found[0] == found[1]


def test_a_report_of_a_dataset_needs_no_tensorflow(data: Path, tmp_path: Path):
    script = "import sys; from textgen.cli import main; code = main(sys.argv[1:]); "
    script += "print(code, {'tensorflow', 'matplotlib'} & {*sys.modules})"
    argv = [sys.executable, "-c", script, "report", str(data), "-o", str(tmp_path / "report.html")]
    ran = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "0 set()"


def test_an_output_is_asked_for(data: Path, capfd):
    try:
        main(["report", str(data)])
    except SystemExit as stop:
        assert stop.code == 2
    assert "-o" in capfd.readouterr().err


def test_another_file_is_not_replaced(refused, data: Path, tmp_path: Path):
    (tmp_path / "mine.txt").write_text("mine")
    message = refused("report", data, "-o", tmp_path / "mine.txt")
    assert "only a report is replaced. Remove it, or name another file after -o." in message
