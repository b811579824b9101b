from pathlib import Path

import pytest

from pipelines.listing.globs import Glob
from pipelines.listing.search import HIDDEN, OWN, search


def found(root: Path, pattern: str, *, is_named: bool = True, output: Path | None = None) -> dict[str, str]:
    hits, _ = search(str(root), Glob(pattern), is_named=is_named, output=None if output is None else str(output))
    return {Path(hit.entry.path).relative_to(root).as_posix(): hit.reason for hit in hits}


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    for name in (
        "a.txt",
        ".git/HEAD",
        "b/_tmp/c.txt",
        "data/manifest.txt",
        "data/train-000000.tfrecord",
        "data/d/e.txt",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    return tmp_path


def test_all_files_of_a_folder_are_found_with_the_reason_of_each(corpus: Path) -> None:
    assert found(corpus, "**") == {
        "a.txt": "", ".git/HEAD": HIDDEN, "b/_tmp/c.txt": HIDDEN, "data/manifest.txt": OWN,
        "data/train-000000.tfrecord": OWN, "data/d/e.txt": OWN,
    }  # fmt: skip


def test_only_what_matches_is_found(corpus: Path) -> None:
    assert found(corpus, "**/*.txt") == {
        "a.txt": "", "b/_tmp/c.txt": HIDDEN, "data/manifest.txt": OWN, "data/d/e.txt": OWN,
    }  # fmt: skip
    assert found(corpus, "*.txt") == {"a.txt": ""}


def test_nothing_of_the_output_folder_is_found(corpus: Path) -> None:
    assert set(found(corpus, "**", output=corpus / "data")) == {"a.txt", ".git/HEAD", "b/_tmp/c.txt"}
    (corpus / "link").symlink_to("data/d")
    assert set(found(corpus, "**", output=corpus / "data")) == {"a.txt", ".git/HEAD", "b/_tmp/c.txt"}


def test_files_that_a_glob_names_in_a_dataset_are_read(corpus: Path) -> None:
    assert found(corpus / "data", "*.txt", is_named=False) == {"manifest.txt": ""}
    assert found(corpus / "data", "*.txt") == {"manifest.txt": OWN}


def test_folders_that_match_are_told_unless_their_files_match_too(corpus: Path) -> None:
    assert search(str(corpus), Glob("*"), is_named=False, output=None)[1] == [f"{corpus}/b", f"{corpus}/data"]
    assert search(str(corpus), Glob("**"), is_named=False, output=None)[1] == []
