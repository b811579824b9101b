import contextlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.arrow_files import ArrowDamageError
from pipelines.document_files import DocumentTable, read_documents, unit_documents, write_documents
from pipelines.workspace import DUPLICATES, TOKENS, Workspace
from textgen.config import PrepareConfig, TextConfig
from textgen.errors import UserError


def documents(count: int, hashes: int, seed: int = 0, *, labelled: bool = False) -> DocumentTable:
    random = np.random.default_rng(seed)
    return DocumentTable(
        random.integers(0, 256, (count, 16), np.uint8),
        random.integers(0, 1 << 40, count),
        random.integers(0, 1 << 40, count),
        random.choice(np.array(["", "empty", "too short — é"], object), count),
        random.integers(0, 1 << 32, (count, hashes), np.uint32),
        random.integers(-1, 3, count, np.int8) if labelled else None,
        random.integers(0, 256, (count, 16), np.uint8) if labelled else None,
    )


@pytest.mark.parametrize("count", [0, 1, 7])
@pytest.mark.parametrize("hashes", [0, 112])
def test_documents_are_read_as_they_were_written(tmp_path: Path, count: int, hashes: int) -> None:
    written = documents(count, hashes, labelled=True)
    write_documents(tmp_path / "documents", written)
    read = read_documents(io.BytesIO((tmp_path / "documents").read_bytes()))
    for name, one, other in zip(DocumentTable._fields, written, read, strict=True):
        np.testing.assert_array_equal(one, other, err_msg=name)
        assert (one.dtype, one.shape) == (other.dtype, other.shape), name
    # The table is writable, since later passes drop more documents.
    read.reasons[:] = "exact duplicate"


@given(st.integers(0, 40), st.sampled_from([0, 112]), st.integers(0, 999))
@settings(max_examples=60, deadline=None)
def test_any_documents_are_read_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, count: int, hashes: int, seed: int
) -> None:
    path = tmp_path_factory.mktemp("files") / "documents"
    written = documents(count, hashes, seed)
    write_documents(path, written)
    read = read_documents(io.BytesIO(path.read_bytes()))
    assert (read.splits, read.groups) == (None, None)
    for one, other in zip(written, read, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_split_of_a_document_follows_its_group_and_what_the_input_gives() -> None:
    config = PrepareConfig(text=TextConfig(), validation_percent=50, test_percent=0)
    plain = documents(200, 0)
    grouped = plain._replace(groups=np.repeat(plain.digests[:1], 200, axis=0))
    (split,) = set(grouped.split_indices(config).tolist())
    assert split == plain.split_indices(config)[0]
    assert set(plain.split_indices(config).tolist()) == {0, 1}
    given = grouped._replace(splits=np.array([2] + [-1] * 199, np.int8))
    assert given.split_indices(config).tolist() == [2] + [split] * 199
    ranges = given.split_ranges(given.tokens[:3], config, slice(0, 3))
    owners = (ranges.ends > ranges.starts).argmax(axis=0).tolist()
    assert owners == [2, split, split]


def test_a_strided_view_of_a_matrix_is_written(tmp_path: Path) -> None:
    written = documents(4, 224)
    written = written._replace(
        signatures=written.signatures[::2, ::2],
        **{name: getattr(written, name)[::2] for name in ("digests", "tokens", "characters", "reasons")},
    )
    write_documents(tmp_path / "documents", written)
    read = read_documents(io.BytesIO((tmp_path / "documents").read_bytes()))
    np.testing.assert_array_equal(read.signatures, written.signatures)
    np.testing.assert_array_equal(read.digests, written.digests)


def written(folder: Path, **changes: Any) -> io.BytesIO:
    """Returns a file of three documents in which some columns are replaced, or left out if they are None."""
    write_documents(folder / "documents", documents(3, 112, labelled=True))
    table = pa.ipc.open_file(str(folder / "documents")).read_all()
    for name, values in changes.items():
        table = table.drop_columns([name]) if name in table.column_names else table
        table = table if values is None else table.append_column(name, values)
    order = [name for name in _NAMES if name in table.column_names]
    table = table.select([*order, *(name for name in table.column_names if name not in order)])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return io.BytesIO(sink.getvalue().to_pybytes())


_NAMES = ["digest", "tokens", "characters", "reason", "signature", "split", "group"]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        *((name, None) for name in _NAMES),
        ("digest", pa.array([b"0" * 15] * 3, pa.binary(15))),
        ("digest", pa.array([None] * 3, pa.binary(16))),
        ("tokens", pa.array([1, -1, 1])),
        ("tokens", pa.array([1, 1 << 60, 1])),
        ("tokens", pa.array([1, None, 1])),
        ("tokens", pa.array([1, 1, 1], pa.int32())),
        ("characters", pa.array([1, -1, 1])),
        ("characters", pa.array(["a", "b", "c"])),
        ("reason", pa.array([b"a", b"b", b"c"])),
        ("reason", pa.array(["", "a" * 201, ""])),
        ("reason", pa.array(["", None, ""])),
        ("signature", pa.array([b"0" * 8] * 3, pa.binary(8))),
        ("signature", pa.array([b"0" * 448, None, b"0" * 448], pa.binary(448))),
        ("split", pa.array([0, 3, 0], pa.int8())),
        ("split", pa.array([0, -2, 0], pa.int8())),
        ("split", pa.array([0, None, 0], pa.int8())),
        ("split", pa.array([0, 1, 0])),
        ("group", pa.array([b"0" * 16, None, b"0" * 16], pa.binary(16))),
        ("group", pa.array(["a", "b", "c"])),
        ("more", pa.array([1, 2, 3])),
    ],
)
def test_values_that_a_document_cannot_have_are_refused(tmp_path: Path, name: str, values: Any) -> None:
    assert len(read_documents(written(tmp_path)).tokens) == 3
    with pytest.raises(ArrowDamageError) as refused:
        read_documents(written(tmp_path, **{name: values}))
    assert str(refused.value).isprintable()


def test_damaged_bytes_never_crash_the_reader(tmp_path: Path) -> None:
    content = written(tmp_path).getvalue()
    chance = np.random.default_rng(0)
    for length in range(0, len(content), 97):
        with pytest.raises(ArrowDamageError):
            read_documents(io.BytesIO(content[:length]))
    for _ in range(300):
        changed = bytearray(content)
        for place in chance.integers(0, len(content), 3):
            changed[place] = chance.integers(0, 256)
        with contextlib.suppress(ArrowDamageError, MemoryError):
            read_documents(io.BytesIO(changed))


def test_duplicates_of_documents_that_are_not_there_are_refused(tmp_path: Path) -> None:
    workspace = Workspace(str(tmp_path))
    workspace.make_stage_folder(TOKENS)
    Path(workspace.unit_path(TOKENS, 0, "documents")).write_bytes(written(tmp_path).getvalue())
    workspace.record(DUPLICATES, 0, {"exact duplicate": [2], "near duplicate": []})
    assert unit_documents(workspace, 0).reasons[2] == "exact duplicate"
    workspace.record(DUPLICATES, 0, {"exact duplicate": [3]})
    with pytest.raises(UserError, match=r"duplicates/000000.json is damaged: it has the document 3; the unit has 3"):
        unit_documents(workspace, 0)
    Path(workspace.unit_path(TOKENS, 0, "documents")).write_bytes(b"")
    with pytest.raises(UserError, match=r"tokens/000000.documents is damaged: .*Delete the folder .*_work and run"):
        unit_documents(workspace, 0)
