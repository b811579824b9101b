import contextlib
import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.arrow_files import ArrowDamageError
from pipelines.document_files import DocumentTable
from pipelines.token_files import (
    _SCHEMA,
    TokenBatch,
    TokenWriter,
    locate,
    read_tokens,
    unit_symbols,
    unit_tokens,
    write_symbols,
)
from pipelines.workspace import TOKENS, Workspace
from textgen.config import TEXT_DEFAULTS, PrepareConfig, TextConfig
from textgen.errors import UserError

WORDS = PrepareConfig(text=TextConfig())
CHARS = PrepareConfig(text=TextConfig(tokenizer="char", **TEXT_DEFAULTS["char"]))


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


def test_small_numbers_stay_small(tmp_path: Path) -> None:
    small = token_batch([[0, 255], []])
    small = small._replace(numbers=small.numbers.astype(np.uint8))
    read, other = through_a_file(tmp_path / "tokens", [small, token_batch([[300]])])
    assert read.numbers.tolist() == [0, 255] and read.numbers.dtype == np.uint8
    assert other.numbers.tolist() == [300]


@pytest.mark.parametrize("columns", [("small", "tokens"), ()])
def test_a_batch_has_its_numbers_once(columns: tuple[str, ...]) -> None:
    types = {"small": pa.uint8(), "tokens": pa.int32()}
    chunks = [pa.array([[1] if name in columns else None], pa.list_(of)) for name, of in types.items()]
    batch = pa.RecordBatch.from_arrays([*chunks, pa.array([False]), pa.nulls(1, pa.binary())], schema=_SCHEMA)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, _SCHEMA) as writer:
        writer.write_batch(batch)
    with pytest.raises(ArrowDamageError, match="a batch has no tokens, or its tokens twice"):
        list(read_tokens(io.BytesIO(sink.getvalue().to_pybytes())))


def plain(batch: TokenBatch) -> tuple:
    return (*(part.tolist() for part in batch[:2]), batch.continued, batch.texts)


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
    ("symbols", "config"),
    [(pa.array([b"", b"a", b"\x00\xc3\xa9"], pa.binary()), WORDS), (pa.array([0, 1, 2], pa.int32()), CHARS)],
    ids=str,
)
def test_symbols_are_read_as_they_were_written(tmp_path: Path, symbols: pa.Array, config: PrepareConfig) -> None:
    workspace = Workspace(str(tmp_path))
    workspace.make_stage_folder(TOKENS)
    path = Path(workspace.unit_path(TOKENS, 3, "symbols"))
    write_symbols(path, symbols)
    assert unit_symbols(workspace, 3, config).equals(symbols)


@pytest.mark.parametrize(
    "symbols",
    [
        pa.array([b"a", b"\xff"], pa.binary()),
        pa.array([b"a", None], pa.binary()),
        pa.array([1, 2], pa.int32()),
        pa.array(["a", "b"]),
        pa.nulls(2),
    ],
    ids=str,
)
def test_symbols_that_the_tokenizer_does_not_make_are_refused(tmp_path: Path, symbols: pa.Array) -> None:
    workspace = Workspace(str(tmp_path))
    workspace.make_stage_folder(TOKENS)
    path = Path(workspace.unit_path(TOKENS, 3, "symbols"))
    write_symbols(path, symbols)
    for content in (path.read_bytes(), b"", path.read_bytes()[:-9]):
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"000003.symbols is damaged: .*Delete the folder .*_work and run"):
            unit_symbols(workspace, 3, WORDS)


def stream(edges: list[int], numbers: list, continued: list, texts: list | None = None) -> io.BytesIO:
    """Returns a file of one record batch as an attacker may write it."""
    columns = [
        pa.nulls(len(continued), pa.list_(pa.uint8())),
        pa.ListArray.from_arrays(pa.array(edges, pa.int32()), pa.array(numbers, pa.int32())),
        pa.array(continued, pa.bool_()),
        pa.array(texts or [None] * len(continued), pa.binary()),
    ]
    batch = pa.RecordBatch.from_arrays(columns, names=["small", "tokens", "continued", "text"])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return io.BytesIO(sink.getvalue().to_pybytes())


SOUND = ([0, 2, 3], [0, 1, 1], [False, False])


@pytest.mark.parametrize(
    "changed",
    [
        (SOUND[0], [0, None, 1], SOUND[2]),
        (*SOUND[:2], [True, True]),
        (*SOUND[:2], [None, False]),
        (*SOUND, [b"text", None]),
        ([0], [], []),
    ],
)
def test_tokens_that_contradict_themselves_are_refused(changed: tuple) -> None:
    assert len(list(read_tokens(stream(*SOUND)))) == 1
    with pytest.raises(ArrowDamageError) as refused:
        list(read_tokens(stream(*changed)))
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    "edges", [[0, 2, 9], [0, 2, 2], [0, 3, 2], [1, 2, 3], [-1, 2, 3], [0, -5, 3], [0, 1 << 30, 3]]
)
def test_edges_of_chunks_that_lead_outside_are_refused(edges: list[int]) -> None:
    sound, changed = (np.array(each, np.int32).tobytes() for each in (SOUND[0], edges))
    content = stream(*SOUND).getvalue()
    assert content.count(sound) == 1
    with pytest.raises(ArrowDamageError) as refused:
        list(read_tokens(io.BytesIO(content.replace(sound, changed))))
    assert str(refused.value).isprintable()


def test_damaged_bytes_never_crash_the_reader() -> None:
    content, chance = stream(*SOUND).getvalue(), np.random.default_rng(0)
    for length in range(0, len(content), 7):
        with contextlib.suppress(ArrowDamageError):
            list(read_tokens(io.BytesIO(content[:length])))
    refused = 0
    for _ in range(300):
        changed = bytearray(content)
        for place in chance.integers(0, len(content), 3):
            changed[place] = chance.integers(0, 256)
        try:
            list(read_tokens(io.BytesIO(changed)))
        except (ArrowDamageError, MemoryError):
            refused += 1
    assert refused > 100


@pytest.mark.parametrize(
    ("tokens", "symbols", "message"),
    [
        ([2], 2, "it has more documents than the file beside it"),
        ([2, 2], 2, "it has other documents than the file beside it, or other numbers of tokens"),
        ([2, 1, 0], 2, "it has other documents than the file beside it, or other numbers of tokens"),
        ([2, 1], 1, "it has the number of a symbol that the file beside it does not have"),
    ],
)
def test_tokens_of_other_files_are_refused_with_a_remedy(
    tmp_path: Path, tokens: list[int], symbols: int, message: str
) -> None:
    workspace = Workspace(str(tmp_path))
    workspace.make_stage_folder(TOKENS)
    Path(workspace.unit_path(TOKENS, 0, "tokens")).write_bytes(stream(*SOUND).getvalue())
    nothing = np.zeros(len(tokens), np.int64)
    table = DocumentTable(nothing, np.array(tokens), nothing, nothing, nothing)
    with pytest.raises(UserError, match=rf"000000.tokens is damaged: {message}. Delete the folder .*_work and run"):
        list(unit_tokens(workspace, 0, table, symbols=symbols))


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
