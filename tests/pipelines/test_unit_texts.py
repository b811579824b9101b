import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.unit_texts import UnitTexts
from textgen.config import PrepareConfig, TextConfig
from textgen.corpus.readers.base import FileRange, InputFile, ReadLimits, TextBatch
from textgen.corpus.units import Unit
from textgen.errors import UserError


def unit_texts(folder: Path, *contents: bytes, keep_dropped: bool) -> UnitTexts:
    """Returns the texts of one unit of JSON Lines files with these contents."""
    file_ranges = []
    for i, content in enumerate(contents):
        path = folder / f"{i}.jsonl"
        path.write_bytes(content)
        file_ranges.append(
            FileRange(InputFile(str(path), len(content), path.stat().st_mtime, "jsonl"), 0, len(content))
        )
    config = PrepareConfig(text=TextConfig(), format="jsonl", keep_dropped=keep_dropped)
    return UnitTexts(Unit(0, tuple(file_ranges)), config, ReadLimits())


def test_texts_of_several_files_share_a_batch(tmp_path: Path) -> None:
    texts = unit_texts(tmp_path, b'{"text": "a"}\n', b'{"text": "b"}\n{"text": "c"}\n', keep_dropped=False)
    assert list(texts.batches()) == [TextBatch([b"a", b"b", b"c"], [False] * 3)]
    assert (dict(texts.rejected), texts.replaced) == ({}, 0)


@pytest.mark.parametrize("keep_dropped", [False, True])
def test_rejected_items_are_counted_and_kept_on_request(tmp_path: Path, keep_dropped: bool) -> None:
    texts = unit_texts(tmp_path, b'{"text": "a"}\n', b"nonsense\n[\n", keep_dropped=keep_dropped)
    assert [batch.texts for batch in texts.batches()] == [[b"a"]]
    assert texts.rejected == {"malformed row": 2}
    records = [json.loads(line) for line in texts.rejected_records().splitlines()]
    file = str(tmp_path / "1.jsonl")
    kept = [{"reason": "malformed row", "text": text, "file": file} for text in ("nonsense", "[")]
    assert records == (kept if keep_dropped else [])


LINE = b'{"text": "a"}\n'


def append(file: Path) -> None:
    with file.open("ab") as stream:
        stream.write(LINE)


def replace_with_same_size(file: Path) -> None:
    other = file.with_name("other")
    other.write_bytes(LINE.replace(b"a", b"b"))
    os.utime(other, (1, 1))
    other.rename(file)


CHANGES = [
    append,
    replace_with_same_size,
    Path.unlink,
    lambda file: os.truncate(file, 5),
    lambda file: os.utime(file, (1, 1)),
]
"""Changes of a file that its size and time show: appended, replaced, removed, truncated, touched."""


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_changes_before_its_last_batch_is_named(tmp_path: Path, change: Callable[[Path], object]) -> None:
    texts = unit_texts(tmp_path, LINE, LINE, keep_dropped=False)
    change(tmp_path / "1.jsonl")
    with pytest.raises(UserError, match=r"1\.jsonl has changed while it was read: it had 14 bytes.*it continues"):
        list(texts.batches())


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_changes_after_it_was_read_is_named(tmp_path: Path, change: Callable[[Path], object]) -> None:
    texts = unit_texts(tmp_path, LINE, LINE, keep_dropped=False)
    batches = texts._read()
    next(batches), next(batches)
    change(tmp_path / "0.jsonl")
    with pytest.raises(UserError, match=r"0\.jsonl has changed while it was read"):
        next(batches)
