import ast
from pathlib import Path

PROGRAM = Path(__file__).parents[2] / "pipelines" / "flink_job.py"


def test_the_program_imports_nothing_of_textgen() -> None:
    # PyFlink's Python has neither textgen nor its version of Beam; `make test-engines` runs the program.
    tree = ast.parse(PROGRAM.read_text())
    names = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    names += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    assert not {name.partition(".")[0] for name in names} & {"textgen", "pipelines", "apache_beam"}
