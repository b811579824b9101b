from pathlib import Path

import pytest

from pipelines import claims
from pipelines.invalid_text import check_replaced, invalid_characters
from pipelines.plan import Plan
from pipelines.workspace import TOKENS, Workspace
from textgen.config import PrepareConfig, TextConfig
from textgen.corpus.readers.base import InputFile
from textgen.errors import UserError

RUSSIAN = "Все счастливые семьи похожи друг на друга.\n".encode("koi8-r")


def read(folder: Path, content: bytes, counts: list[tuple[int, int]], **settings) -> tuple[Plan, Workspace]:
    """Returns a plan and a workspace in which one file has been read, in as many units as there are counts."""
    path = folder / "a.txt"
    path.write_bytes(content)
    file = InputFile(str(path), len(content), path.stat().st_mtime, "lines")
    plan = Plan(PrepareConfig(text=TextConfig(), **settings), (file,))
    workspace = claims.claim(str(folder / "out"), plan)
    workspace.make_stage_folder(TOKENS)
    for unit, count in enumerate(counts):
        result = {"rejected": {}, "samples": [], "replaced": 1, "characters": {str(path): count}}
        workspace.record(TOKENS, unit, result)
    return plan, workspace


def test_the_characters_of_a_file_are_added_over_its_units():
    results = [{"characters": {"a": [1, 10], "b": [0, 5]}}, {"characters": {"a": [2, 20]}}, {"characters": {}}]
    assert invalid_characters(results) == {"a": (3, 30), "b": (0, 5)}


def test_many_invalid_characters_of_a_file_are_an_error_that_names_the_encoding(tmp_path: Path) -> None:
    plan, workspace = read(tmp_path, RUSSIAN, [(0, 900), (100, 100)])
    with pytest.raises(UserError, match=r"a\.txt is not valid utf-8: 10\.0% .*100 of 1,000.*use --encoding koi8-r"):
        check_replaced(plan, workspace)


@pytest.mark.parametrize(("counts", "settings"), [((900, 1000), {"on_invalid": "replace"}), ((20, 1000), {})])
def test_they_are_told_if_they_are_few_or_replaced_by_name(tmp_path: Path, capfd, counts, settings) -> None:
    plan, workspace = read(tmp_path, RUSSIAN, [counts], **settings)
    check_replaced(plan, workspace)
    (line,) = capfd.readouterr().err.splitlines()
    assert f"a.txt: {counts[0] / 1000:.1%} of its characters ({counts[0]:,} of 1,000) were not valid utf-8" in line
    assert "koi8-r" in line


def test_one_in_a_thousand_is_not_told(tmp_path: Path, capfd) -> None:
    plan, workspace = read(tmp_path, RUSSIAN, [(1, 1000)])
    check_replaced(plan, workspace)
    assert capfd.readouterr().err == ""


def test_a_file_whose_encoding_was_detected_needs_another_remedy(tmp_path: Path) -> None:
    plan, workspace = read(tmp_path, RUSSIAN, [(100, 1000)], encoding="auto")
    with pytest.raises(UserError, match=r"use --encoding koi8-r\.$"):
        check_replaced(plan, workspace)
