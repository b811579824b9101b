"""The second look at the input; `test_inputs.py` has what size, time and tag tell."""

import dataclasses
import os
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.inputs import find_inputs, stored_path
from pipelines.unit_readings import check_still_holds, source_of, tags
from pipelines.unit_texts import UnitTexts
from pipelines.workspace import TOKENS, Workspace
from textgen.config import PrepareConfig, TextConfig
from textgen.corpus.readers.base import FileRange, ReadLimits
from textgen.corpus.units import Unit
from textgen.errors import UserError

CONFIG = PrepareConfig(text=TextConfig(), format="jsonl", split_field="split")
ROWS = b'{"text": "a", "split": "train"}\n{"text": "b", "split": "train"}\nno row\n'
CHANGED = [
    ROWS.replace(b"b", b"c"),
    ROWS.replace(b"no row", b"no one"),
    ROWS.replace(b"train", b"tests"),
    b"\xff" * len(ROWS),
]
"""Contents of the same size with another text, another rejected item, other labels, and none that can be read."""


def read_unit(folder: Path, *names: str) -> tuple[Unit, Workspace]:
    """Reads files as one unit, and returns the unit and the folder in which that is recorded."""
    inputs = find_inputs([str(folder / name) for name in names], "jsonl").files
    unit = Unit(0, tuple(FileRange(file, 0, file.size) for file in inputs))
    texts = UnitTexts(unit, CONFIG, ReadLimits())
    assert list(texts.batches())
    workspace = Workspace(str(folder / "out"))
    workspace.record(TOKENS, 0, texts.report())
    return unit, workspace


def rewrite(path: Path, content: bytes) -> None:
    """Writes a file again, and sets its time back."""
    before = path.stat()
    # The clock of a file system goes in steps of some milliseconds.
    time.sleep(0.05)
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size


@pytest.mark.parametrize("content", CHANGED)
def test_content_that_was_rewritten_with_the_same_size_and_time_is_seen(tmp_path: Path, content: bytes) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / name).write_bytes(ROWS)
    unit, workspace = read_unit(tmp_path, "a.jsonl", "b.jsonl")
    check_still_holds(unit, CONFIG, workspace)
    rewrite(tmp_path / "b.jsonl", content)
    with pytest.raises(
        UserError, match=r"b\.jsonl has changed while it was read: its content is another, with the s"
    ):
        check_still_holds(unit, CONFIG, workspace)


@pytest.mark.parametrize("touch", [lambda path: rewrite(path, ROWS), lambda path: path.chmod(0o600)])
def test_a_file_with_another_tag_but_the_same_content_is_unchanged(
    tmp_path: Path, touch: Callable[[Path], None]
) -> None:
    (tmp_path / "a.jsonl").write_bytes(ROWS)
    unit, workspace = read_unit(tmp_path, "a.jsonl")
    assert tags(unit) == (workspace.recorded(TOKENS, 0) or {})["tags"]
    touch(tmp_path / "a.jsonl")
    assert tags(unit) != (workspace.recorded(TOKENS, 0) or {})["tags"]
    check_still_holds(unit, CONFIG, workspace)


def test_a_file_with_the_same_tag_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.jsonl").write_bytes(ROWS)
    unit, workspace = read_unit(tmp_path, "a.jsonl")
    monkeypatch.setattr("textgen.files.open_file", None)
    check_still_holds(unit, CONFIG, workspace)


@pytest.mark.parametrize("change", [{"tags": []}, {"checksums": [1, 2]}, {"checksums": None}])
def test_a_record_of_other_file_ranges_is_damaged(tmp_path: Path, change: dict[str, list[int] | None]) -> None:
    (tmp_path / "a.jsonl").write_bytes(ROWS)
    unit, workspace = read_unit(tmp_path, "a.jsonl")
    result = {**(workspace.recorded(TOKENS, 0) or {}), **change}
    workspace.record(TOKENS, 0, {name: value for name, value in result.items() if value is not None})
    with pytest.raises(UserError, match=r"000000\.json is damaged: its tags and checksums are not of 1 file range"):
        check_still_holds(unit, CONFIG, workspace)


def test_a_record_that_is_missing_is_damage(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(ROWS)
    unit, workspace = read_unit(tmp_path, "a.jsonl")
    workspace.forget_unit(TOKENS, 0)
    with pytest.raises(UserError, match=r"000000\.json is damaged: it is missing\. Delete"):
        check_still_holds(unit, CONFIG, workspace)


def test_a_file_in_an_archive_is_read_again_in_its_place(tmp_path: Path) -> None:
    def pack(second: bytes) -> bytes:
        with zipfile.ZipFile(tmp_path / "made.zip", "w") as archive:
            archive.writestr(zipfile.ZipInfo("a.jsonl"), ROWS)
            archive.writestr(zipfile.ZipInfo("b.jsonl"), second)
        content = (tmp_path / "made.zip").read_bytes()
        (tmp_path / "made.zip").unlink()
        return content

    (tmp_path / "in.zip").write_bytes(pack(ROWS))
    unit, workspace = read_unit(tmp_path, "in.zip")
    assert {stored_path(each.file) for each in unit.file_ranges} == {str(tmp_path / "in.zip")}
    rewrite(tmp_path / "in.zip", pack(ROWS))
    check_still_holds(unit, CONFIG, workspace)
    rewrite(tmp_path / "in.zip", pack(CHANGED[0]))
    with pytest.raises(UserError, match=r"in\.zip has changed while it was read"):
        check_still_holds(unit, CONFIG, workspace)


def test_the_source_of_a_unit_is_all_that_decides_its_tokens(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(ROWS)
    unit, _ = read_unit(tmp_path, "a.jsonl")
    (file_range,) = unit.file_ranges
    later = dataclasses.replace(file_range.file, modified=file_range.file.modified + 1)
    others = [
        source_of(Unit(0, (file_range._replace(end=9),)), CONFIG),
        source_of(Unit(0, (file_range._replace(file=later),)), CONFIG),
        source_of(unit, dataclasses.replace(CONFIG, window=9)),
    ]
    assert source_of(Unit(7, unit.file_ranges), CONFIG) == source_of(unit, CONFIG)
    assert source_of(unit, CONFIG) not in others
    assert len(set(others)) == len(others)
