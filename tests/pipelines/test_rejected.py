import doctest
from pathlib import Path

import numpy as np
import pytest

from pipelines import rejected
from pipelines.document_builder import DocumentTable
from pipelines.document_files import write_documents
from pipelines.rejected import RejectedSamples, describe, nothing_left, rejections, say_rejections
from pipelines.workspace import TOKENS, Workspace
from textgen.corpus.readers.base import Rejected


def recorded(folder: Path, *results: dict, reasons: list[str] | None = None) -> Workspace:
    workspace = Workspace(str(folder))
    workspace.make_stage_folder(TOKENS)
    for unit, result in enumerate(results):
        workspace.record(TOKENS, unit, {"rejected": {}, "samples": [], "replaced": 0, "characters": {}, **result})
        count = len(reasons or [])
        zeros = np.zeros(count, np.int64)
        table = DocumentTable(
            np.zeros((count, 16), np.uint8), zeros, zeros, np.array(reasons or [], object), np.empty((count, 0))
        )
        write_documents(Path(workspace.unit_path(TOKENS, unit, "documents")), table)
    return workspace


def test_two_items_that_hold_something_are_samples() -> None:
    samples = RejectedSamples()
    for item in (Rejected("empty", b""), *(Rejected("malformed row", b"%d" % i) for i in range(9))):
        samples.add("a.csv", item)
    assert samples.found == ["a.csv, malformed row: '0'", "a.csv, malformed row: '1'"]


def test_a_sample_is_short_and_printable() -> None:
    shown = describe("a.csv", Rejected("malformed row", b"a\xff\x07\n\tb" + b"c" * 1000))
    assert "'a\ufffd? b" in shown
    assert len(shown) < 90


def test_rejections_of_all_units_are_added(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = [
        {"rejected": {"empty": 1}, "samples": []},
        {"rejected": {"empty": 1, "x": 1000}, "samples": list("abc")},
    ]
    workspace = recorded(tmp_path, *results)
    assert str(rejections(workspace)) == "1,000 x, 2 empty; a; b"
    say_rejections(workspace)
    assert "left out 1,002 items of the input: 1,000 x, 2 empty; a; b" in capsys.readouterr().err


def test_what_left_nothing_is_told(tmp_path: Path) -> None:
    result = {"rejected": {"malformed row": 2}, "samples": ["a", "b"]}
    assert nothing_left(recorded(tmp_path / "1", result)) == "rejected: 2 malformed row; a; b"
    both = recorded(tmp_path / "2", result, reasons=["too short", "", "too short"])
    assert nothing_left(both) == "rejected: 2 malformed row; a; b; dropped: 2 too short"
    assert nothing_left(recorded(tmp_path / "3", {})).startswith("the files hold no documents, as a table of only")


def test_the_example_in_the_docstring_holds() -> None:
    result = doctest.testmod(rejected)
    assert result.attempted
    assert not result.failed
