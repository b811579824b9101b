from pathlib import Path

import pytest

from pipelines.inputs import Inputs
from pipelines.listing import PassedOver
from pipelines.split_files import join_splits
from textgen.corpus.readers.base import InputFile
from textgen.errors import UserError


def file(path: str | Path) -> InputFile:
    return InputFile(str(path), 1, 0.0, "lines")


def test_files_have_the_split_that_they_are_named_for_and_training_comes_first() -> None:
    empty = PassedOver("y", "empty", "")
    found = join_splits(
        {
            "test": Inputs([file("a"), file("b")], [empty]),
            "train": Inputs([file("z")], [empty, PassedOver("x", "empty", "")]),
            "validation": Inputs([file("s3://b/a")], []),
        }
    )
    assert [each.path for each in found.passed_over] == ["x", "y"]
    assert [(each.path, each.split) for each in found.files] == [
        ("z", "train"), ("s3://b/a", "validation"), ("a", "test"), ("b", "test"),
    ]  # fmt: skip


def test_a_file_of_two_splits_is_refused_also_by_another_name(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "link.txt").symlink_to(tmp_path / "a.txt")
    expected = r"link\.txt is named by --input and by --test-input; a file belongs to one split\. Name other files"
    with pytest.raises(UserError, match=expected):
        join_splits(
            {
                "train": Inputs([file(tmp_path / "a.txt")], []),
                "validation": Inputs([], []),
                "test": Inputs([file(tmp_path / "link.txt")], []),
            }
        )
