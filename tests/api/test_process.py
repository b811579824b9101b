import subprocess
import sys
from pathlib import Path

SCRIPT = """
import sys
import textgen
from textgen.model import cpu_parallelism
cpu_parallelism._cores = lambda: 2
textgen.prepare(sys.argv[1], sys.argv[2], window=4, validation_percent=0, test_percent=0)
print(cpu_parallelism.plan_cpu().halves)
"""


def test_training_is_the_same_after_a_preparation_in_the_process(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("the cat sat on the mat\n" * 20, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "text.txt"), str(tmp_path / "data")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["True"]
    assert "threads cannot be set" not in done.stderr
