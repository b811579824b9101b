import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipelines.arrow_files import ArrowDamageError
from pipelines.census_file import Census, by_token, read_census, read_counts, table_to_bytes, write_census
from pipelines.workspace import Workspace
from textgen.config import TEXT_DEFAULTS, PrepareConfig, TextConfig
from textgen.errors import UserError

CONFIG = PrepareConfig(text=TextConfig(vocabulary_size=2))
COUNTS = pa.table(
    {"symbol": pa.array([b"sea", b"whale", b"a"], pa.binary()), "count": pa.array([4, 3, 1], pa.int64())}
)
DOCUMENTS = {"train": 8, "validation": 1, "test": 1}
HEAD = {"documents": DOCUMENTS, "histogram": [[4, 1], [3, 1], [1, 1]], "equal_documents": 7}


def test_a_census_is_read_as_it_was_written(tmp_path: Path) -> None:
    workspace = Workspace(str(tmp_path))
    assert read_census(CONFIG, workspace) is None
    write_census(COUNTS, DOCUMENTS, {4: 1, 3: 1, 1: 1}, 7, workspace)
    sizes = {"5": 3, "1": 3}
    assert read_census(CONFIG, workspace) == Census({"sea": 4, "whale": 3, "a": 1}, DOCUMENTS, sizes, 7)


def damaged(folder: Path, content: bytes, config: PrepareConfig = CONFIG) -> str:
    """Returns the error for a census of this content."""
    (folder / "_work").mkdir(exist_ok=True)
    (folder / "_work" / "census").write_bytes(content)
    with pytest.raises(UserError, match=r"_work/census is damaged: .*Delete the folder .*_work and run") as refused:
        read_census(config, Workspace(str(folder)))
    return str(refused.value)


def content(head: Any = HEAD, counts: pa.Table = COUNTS) -> bytes:
    return json.dumps(head).encode() + b"\n" + table_to_bytes(counts)


@pytest.mark.parametrize(
    "head",
    [
        None,
        [],
        {},
        {**HEAD, "more": 1},
        *({**HEAD, "documents": value} for value in (None, {}, {**DOCUMENTS, "train": -1}, {**DOCUMENTS, "x": 1})),
        *({**HEAD, "histogram": value} for value in (None, [1], [[1]], [[0, 1]], [[1, -1]], [[1, 1 << 60]], {})),
        *({**HEAD, "equal_documents": value} for value in (None, -1, 0.5, "1", [1])),
    ],
)
def test_a_head_of_other_values_is_refused(tmp_path: Path, head: Any) -> None:
    damaged(tmp_path, content(head))


@pytest.mark.parametrize(
    "counts",
    [
        COUNTS.drop_columns(["count"]),
        COUNTS.append_column("more", pa.array([1, 2, 3])),
        COUNTS.set_column(0, "symbol", pa.array([1, 2, 3], pa.int32())),
        COUNTS.set_column(0, "symbol", pa.array([b"a", None, b"b"], pa.binary())),
        COUNTS.set_column(0, "symbol", pa.array([b"a", b"\xff", b"b"], pa.binary())),
        *(COUNTS.set_column(1, "count", pa.array([4, wrong, 1])) for wrong in (0, -1, 1 << 60, None)),
    ],
)
def test_counts_of_other_values_are_refused(tmp_path: Path, counts: pa.Table) -> None:
    damaged(tmp_path, content(counts=counts))


def test_damaged_bytes_are_refused_or_read(tmp_path: Path) -> None:
    sound, chance = content(), np.random.default_rng(0)
    for length in range(0, len(sound) - 8, 11):
        damaged(tmp_path, sound[:length])
    for _ in range(200):
        changed = bytearray(sound)
        for place in chance.integers(0, len(sound), 3):
            changed[place] = chance.integers(0, 256)
        (tmp_path / "_work" / "census").write_bytes(changed)
        with contextlib.suppress(UserError, MemoryError):
            read_census(CONFIG, Workspace(str(tmp_path)))


def test_an_unknown_word_that_the_histogram_does_not_have_is_refused(tmp_path: Path) -> None:
    config = PrepareConfig(text=TextConfig(vocabulary_size=2, unknown_word="whale"))
    assert "has no symbol that occurs 3 times" in damaged(
        tmp_path, content({**HEAD, "histogram": [[4, 1], [1, 1]]}), config
    )


@pytest.mark.parametrize("symbol", [-1, 0xD800, 0x110000])
def test_what_is_no_character_is_refused(tmp_path: Path, symbol: int) -> None:
    config = PrepareConfig(text=TextConfig(tokenizer="char", **TEXT_DEFAULTS["char"]))
    counts = pa.table({"symbol": pa.array([97, symbol], pa.int32()), "count": pa.array([2, 1])})
    with pytest.raises(ArrowDamageError, match="a symbol that the char tokenizer does not know"):
        by_token(counts, config, Workspace(str(tmp_path)))
    damaged(tmp_path, content(counts=counts), config)


@pytest.mark.parametrize(
    "change", [lambda _: b"", lambda content: content[:-9], lambda content: content[:-20] + 20 * b"["]
)
def test_a_damaged_file_of_counts_is_refused_with_a_remedy(tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    workspace, path = Workspace(str(tmp_path)), tmp_path / "000000.counts"
    with pa.ipc.new_file(str(path), COUNTS.schema) as writer:
        writer.write_table(COUNTS)
    assert read_counts(workspace, str(path), pa.binary(), 1).equals(COUNTS)
    for symbols, buckets in ((pa.int32(), 1), (pa.binary(), 2)):
        with pytest.raises(UserError, match=r"000000.counts is damaged: .*Delete the folder .*_work and run"):
            read_counts(workspace, str(path), symbols, buckets, 0)
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(UserError, match=r"000000.counts is damaged: .*Delete the folder .*_work and run"):
        read_counts(workspace, str(path), pa.binary(), 1)
