from pathlib import Path
from typing import Any

import pytest

from pipelines.duplicate_searches import find_duplicates
from pipelines.workspace import DUPLICATES, Workspace
from textgen.config import PrepareConfig, SelectionConfig, TextConfig


class Titles(list[str]):
    """Takes the place of a JobRunner, and keeps the titles of the jobs."""

    def run(self, title: str, transform: object, *, units: int) -> None:
        self.append(title)


@pytest.mark.parametrize(
    ("selection", "settings", "expected"),
    [
        ({}, {}, []),
        ({"duplicates": "drop"}, {}, ["looking for exact duplicates"]),
        ({"near_duplicates": 0.8}, {}, ["looking for exact duplicates", "looking for near duplicates"]),
        ({}, {"given_splits": "test"}, ["comparing the splits"]),
        ({"duplicates": "drop"}, {"group_field": "author"}, ["looking for exact duplicates", "comparing the splits"]),
    ],
)
def test_each_search_is_run_once_if_a_setting_asks_for_it(
    tmp_path: Path, selection: dict, settings: dict, expected: list[str]
) -> None:
    config = PrepareConfig(text=TextConfig(), selection=SelectionConfig(**selection), **settings)
    jobs: Any = Titles()
    workspace = Workspace(str(tmp_path))
    (tmp_path / "_work").mkdir()
    for _ in range(2):
        find_duplicates(jobs, [], config, workspace)
    assert jobs == expected
    assert workspace.is_done(DUPLICATES) is bool(expected)
