import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.token_files import (
    DocumentTable,
    TokenBatch,
    TokenWriter,
    locate,
    read_documents,
    read_tokens,
    unit_symbols,
    write_documents,
    write_symbols,
)
from pipelines.workspace import TOKENS, Workspace
from textgen.config import PrepareConfig, TextConfig


def token_batch(rows: list[list[int]], *, continued: bool = False, texts: list[bytes] | None = None) -> TokenBatch:
    """Returns a batch with these numbers of symbols per row."""
    return TokenBatch(
        np.array([number for row in rows for number in row], np.int32),
        np.cumsum([0, *map(len, rows)]).astype(np.int32),
        continued,
        texts or [],
    )


def through_a_file(path: Path, batches: list[TokenBatch]) -> list[TokenBatch]:
    writer = TokenWriter(path)
    for batch in batches:
        writer.write(batch)
    writer.close()
    return list(read_tokens(io.BytesIO(path.read_bytes())))


def plain(batch: TokenBatch) -> tuple:
    return (*(part.tolist() for part in batch[:2]), batch.continued, batch.texts)


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


def test_a_batch_is_read_as_it_was_written(tmp_path: Path) -> None:
    (read,) = through_a_file(tmp_path / "tokens", [token_batch([[0, 1, 0], [], [2]])])
    assert read.numbers.tolist() == [0, 1, 0, 2] and read.numbers.dtype == np.int32
    assert read.edges.tolist() == [0, 3, 3, 4] and read.edges.dtype == np.int32
    assert (read.continued, read.texts) == (False, [])


numbers = st.lists(st.lists(st.integers(0, 5) | st.just(0x10FFFF), max_size=5), min_size=1)


@given(st.lists(st.tuples(numbers, st.booleans()), max_size=4), st.booleans())
@settings(max_examples=60, deadline=None)
def test_any_batches_are_read_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, given_rows: list[tuple[list[list[int]], bool]], kept: bool
) -> None:
    batches = [
        token_batch(rows, continued=continued, texts=[bytes([i]) for i in range(len(rows))] if kept else [])
        for rows, continued in given_rows
    ]
    read = through_a_file(tmp_path_factory.mktemp("files") / "tokens", batches)
    assert list(map(plain, read)) == list(map(plain, batches))


@pytest.mark.parametrize(
    "symbols", [pa.array([b"", b"a", b"\x00\xff"], pa.binary()), pa.array([0, 1, 2], pa.int32())], ids=str
)
def test_symbols_are_read_as_they_were_written(tmp_path: Path, symbols: pa.Array) -> None:
    workspace = Workspace(str(tmp_path))
    workspace.make_stage_folder(TOKENS)
    write_symbols(Path(workspace.unit_path(TOKENS, 7, "symbols")), symbols)
    assert unit_symbols(workspace, 7).equals(symbols)
    write_symbols(Path(workspace.unit_path(TOKENS, 8, "symbols")), symbols[:0])
    assert unit_symbols(workspace, 8).equals(symbols[:0])


def test_empty_texts_are_kept(tmp_path: Path) -> None:
    (read,) = through_a_file(tmp_path / "tokens", [token_batch([[], []], texts=[b"", b""])])
    assert read.texts == [b"", b""]


def test_a_file_without_batches_is_read(tmp_path: Path) -> None:
    assert through_a_file(tmp_path / "tokens", []) == []


def test_chunks_are_located_in_their_documents() -> None:
    batches = [
        token_batch([[1, 2], [3]]),
        token_batch([[4, 5], [6]], continued=True),
        token_batch([[7]]),
        token_batch([[8, 9]], continued=True),
        token_batch([[]], continued=True),
        token_batch([[10], []], continued=True),
    ]
    located = list(locate(batches))
    assert [batch is one.batch for batch, one in zip(batches, located, strict=True)] == [True] * 6
    # The second document is in two batches, and the fourth in four.
    assert [(one.documents.start, one.documents.stop) for one in located] == [
        (0, 2), (1, 3), (3, 4), (3, 4), (3, 4), (3, 5),
    ]  # fmt: skip
    assert [one.offsets.tolist() for one in located] == [[0, 0], [1, 0], [0], [1], [3], [3, 0]]


@given(
    st.lists(st.lists(st.integers(0, 9), max_size=4), min_size=1, max_size=6),
    st.lists(st.integers(1, 3), min_size=1, max_size=30),
)
@settings(max_examples=60, deadline=None)
def test_located_chunks_add_up_to_the_documents(long: list[list[int]], sizes: list[int]) -> None:
    """Documents of chunks, given as the lengths of the chunks, in batches of chunks."""
    parts = [(i, part) for i, lengths in enumerate(long) for part in (lengths or [0])]
    batches, firsts = [], []
    for size in sizes * len(parts):
        held, parts = parts[:size], parts[size:]
        if held:
            owners = sorted({owner for owner, _ in held})
            rows = [[0] * sum(n for owner, n in held if owner == mine) for mine in owners]
            batches.append(token_batch(rows, continued=bool(firsts) and firsts[-1] == owners[0]))
            firsts.append(owners[-1])
    found = np.zeros(len(long), int)
    for batch, where, offsets in locate(batches):
        np.testing.assert_array_equal(offsets, found[where])
        found[where] += np.diff(batch.edges)
    assert found.tolist() == [sum(lengths) for lengths in long]


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


@given(st.integers(0, 40), st.integers(0, 5), st.integers(0, 999))
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
