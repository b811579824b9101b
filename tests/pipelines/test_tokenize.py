import functools
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import document_files, text_operations, token_files, tokenize, unit_texts
from pipelines.document_files import DocumentTable
from pipelines.workspace import DUPLICATES, TOKENS, Workspace
from textgen.config import TEXT_DEFAULTS, PrepareConfig, SelectionConfig, TextConfig
from textgen.corpus.readers.base import CHUNK_BYTES, FileRange, InputFile, ReadLimits, Rejected, TextBatch
from textgen.corpus.units import Unit
from textgen.dataset.storage.splits import new_digest
from textgen.text import minhash
from textgen.text.cleaning import clean
from textgen.text.preprocessor import Analyzer

WORDS = PrepareConfig(text=TextConfig())
CHARS = PrepareConfig(text=TextConfig(tokenizer="char", **TEXT_DEFAULTS["char"]))


class Tokenized:
    """Runs the pass on a unit and reads its files."""

    def __init__(self, folder: Path, unit: Unit, config: PrepareConfig, limits: ReadLimits | None = None):
        (folder / "_work" / "tokens").mkdir(parents=True)
        self.workspace = Workspace(str(folder))
        work = tokenize.TokenizeUnit(config, self.workspace, limits=limits)
        work.setup()
        self.result = work.process(unit)
        self.counts = {
            name: value for name, value in self.result.items() if name not in ("source", "tags", "checksums")
        }
        self.documents: DocumentTable = document_files.unit_documents(self.workspace, unit.index)
        self.symbols = token_files.unit_symbols(self.workspace, unit.index, config)
        self.located = list(
            token_files.unit_tokens(self.workspace, unit.index, self.documents, symbols=len(self.symbols))
        )

    def tokens_of_documents(self) -> list[list[Any]]:
        found: list[list[Any]] = [[] for _ in self.documents.reasons]
        names = np.array(self.symbols.to_pylist(), object)
        for (numbers, edges, *_), where, offsets in self.located:
            for i, start, end, offset in zip(
                range(where.start, where.stop), edges[:-1], edges[1:], offsets, strict=True
            ):
                assert len(found[i]) == offset
                found[i] += names[numbers[start:end]].tolist()
        return found


def tokenized(
    folder: Path,
    *contents: bytes,
    config: PrepareConfig = WORDS,
    format: str = "document",
    limits: ReadLimits | None = None,
) -> Tokenized:
    """Tokenizes files with these contents as one unit."""
    folder.mkdir(parents=True, exist_ok=True)
    for i, content in enumerate(contents):
        (folder / f"{i:04d}").write_bytes(content)
        os.utime(folder / f"{i:04d}", (0, 0))
    files = [InputFile(str(folder / f"{i:04d}"), len(content), 0.0, format) for i, content in enumerate(contents)]
    return Tokenized(folder, Unit(3, tuple(FileRange(file, 0, file.size) for file in files)), config, limits)


def given_unit(folder: Path) -> Unit:
    """Returns a unit of an empty file of the format `given`, whose reader a test puts in place."""
    (folder / "given").touch()
    os.utime(folder / "given", (0, 0))
    return Unit(0, (FileRange(InputFile(str(folder / "given"), 0, 0.0, "given"), 0, 0),))


def test_the_document_table_of_a_unit(tmp_path: Path) -> None:
    found = tokenized(tmp_path, b"The whale, the SEA", b" \n ", b"Call")
    assert found.documents.tokens.tolist() == [5, 0, 1]
    assert found.documents.characters.tolist() == [len("the whale, the sea"), 0, 4]
    assert found.documents.reasons.tolist() == ["", "empty", ""]
    assert found.documents.signatures.shape == (3, 0)
    digests = [new_digest(text).digest() for text in (b"the whale, the sea", b"", b"call")]
    assert [digest.tobytes() for digest in found.documents.digests] == digests
    assert found.tokens_of_documents() == [[b"the", b"whale", b",", b"the", b"sea"], [], [b"call"]]
    assert found.counts == {"rejected": {}, "samples": [], "replaced": 0, "characters": {}}


def test_only_the_files_of_the_unit_are_left(tmp_path: Path) -> None:
    tokenized(tmp_path, b"a")
    names = [path.relative_to(tmp_path).as_posix() for path in (tmp_path / "_work").rglob("*")]
    kinds = ("documents", "symbols", "tokens")
    assert sorted(names) == ["_work/tokens", *(f"_work/tokens/000003.{kind}" for kind in kinds)]


def test_many_small_files_share_a_batch(tmp_path: Path) -> None:
    contents = (f"file {i}".encode() for i in range(600))
    found = tokenized(tmp_path, *contents, limits=ReadLimits(batch_texts=256))
    assert [len(one.batch.edges) - 1 for one in found.located] == [256, 256, 88]
    assert found.tokens_of_documents() == [[b"file", str(i).encode()] for i in range(600)]


def test_a_batch_of_files_stays_below_the_size_limit(tmp_path: Path) -> None:
    found = tokenized(tmp_path, *([b"ab " * (CHUNK_BYTES // 15)] * 12))
    assert [len(one.batch.edges) - 1 for one in found.located] == [5, 5, 2]


def test_a_long_document_has_one_row_per_batch(tmp_path: Path) -> None:
    long = b"the sea " * (CHUNK_BYTES // 5)
    found = tokenized(tmp_path, b"Before it", long, b"after it")
    assert [(one.batch.continued, len(one.batch.edges) - 1) for one in found.located] == [
        (False, 1), (False, 1), (True, 2),
    ]  # fmt: skip
    assert [one.offsets[0] for one in found.located] == [0, 0, len(found.located[1].batch.numbers)]
    assert found.documents.tokens.tolist() == [2, 2 * (CHUNK_BYTES // 5), 2]
    assert found.documents.characters.tolist() == [9, len(long) - 1, 8]
    assert found.documents.digests[1].tobytes() == new_digest(long.rstrip()).digest()
    # A unit names each distinct token once.
    assert sorted(found.symbols.to_pylist()) == [b"after", b"before", b"it", b"sea", b"the"]


class GivenReader:
    """A reader that returns given batches."""

    def __init__(self, batches: list[TextBatch]):
        self._batches = batches

    def read(self, *_: Any) -> Iterator[TextBatch]:
        return iter(self._batches)


@functools.cache
def analyzer(text: TextConfig) -> Analyzer:
    return Analyzer(text)


documents_in_chunks = st.lists(
    st.lists(st.text("aB é.", min_size=1, max_size=8), min_size=1, max_size=5).map(
        # Parts after the first begin with white space, and one that is white space alone would lose it at the front.
        lambda parts: ["x" + parts[0], *(f" y{part}" for part in parts[1:])]
    ),
    min_size=1,
    max_size=5,
)


@given(documents_in_chunks, st.lists(st.integers(1, 3), min_size=25, max_size=25), st.sampled_from([WORDS, CHARS]))
@settings(max_examples=60, deadline=None)
def test_results_do_not_depend_on_chunks_and_batches(
    tmp_path_factory: pytest.TempPathFactory, documents: list[list[str]], sizes: list[int], config: PrepareConfig
) -> None:
    parts = [(part.encode(), i > 0) for document in documents for i, part in enumerate(document)]
    batches = []
    for size in sizes:
        texts, continued = zip(*parts[:size], strict=True) if parts[:size] else ((), ())
        batches.append(TextBatch(list(texts), list(continued)))
        parts = parts[size:]
    with pytest.MonkeyPatch.context() as patch:
        # Built once, since tracing its graphs is slow.
        patch.setattr(text_operations.TextOperations, "_built", property(lambda self: analyzer(self._text)))
        whole = tokenized(
            tmp_path_factory.mktemp("whole"), *("".join(parts).encode() for parts in documents), config=config
        )
        patch.setattr(unit_texts, "READERS", {"given": GivenReader(batches)})
        limits = ReadLimits(batch_texts=4, batch_bytes=30)
        unit = given_unit(tmp_path_factory.mktemp("input"))
        found = Tokenized(tmp_path_factory.mktemp("unit"), unit, config, limits)
    assert found.tokens_of_documents() == whole.tokens_of_documents()
    for name, one, other in zip(DocumentTable._fields, found.documents, whole.documents, strict=True):
        np.testing.assert_array_equal(one, other, err_msg=name)


def test_symbols_of_characters_are_numbers(tmp_path: Path) -> None:
    assert tokenized(tmp_path, "aé".encode(), config=CHARS).tokens_of_documents() == [[97, 0xE9]]


def test_a_unit_without_documents_has_empty_files(tmp_path: Path) -> None:
    config = PrepareConfig(text=TextConfig(), format="jsonl", selection=SelectionConfig(near_duplicates=0.8))
    found = tokenized(tmp_path, b"nonsense\n[]\n", config=config, format="jsonl")
    assert found.result["rejected"] == {"malformed row": 1, "missing field": 1}
    assert [len(column) for column in found.documents if column is not None] == [0] * 5
    assert found.located == [] and found.tokens_of_documents() == []


def test_rejected_items_and_replaced_documents_are_counted(tmp_path: Path) -> None:
    content = b'{"text": "a"}\nnonsense\n{"text": "b"}\n\n{"title": "c"}\n'
    found = tokenized(
        tmp_path, content, content, config=PrepareConfig(text=TextConfig(), format="jsonl"), format="jsonl"
    )
    assert found.result["rejected"] == {"malformed row": 2, "missing field": 2}
    assert found.tokens_of_documents() == [[b"a"], [b"b"]] * 2
    replaced = tokenized(tmp_path / "replaced", b"a\xff b", b"\xff\xff", b"c")
    assert replaced.result["replaced"] == 2
    folder = tmp_path / "replaced"
    assert replaced.result["characters"] == {str(folder / "0000"): (1, 4), str(folder / "0001"): (2, 2)}
    assert json.loads(json.dumps(replaced.result))["replaced"] == 2


def test_invalid_documents_are_dropped_on_request(tmp_path: Path) -> None:
    config = PrepareConfig(text=TextConfig(), on_invalid="drop", keep_dropped=True)
    found = tokenized(tmp_path, b"a\xff b", b"c", config=config)
    samples = [f"{tmp_path / '0000'}, invalid encoding: 'a\ufffd b'"]
    assert found.counts == {"rejected": {"invalid encoding": 1}, "samples": samples, "replaced": 0, "characters": {}}
    assert found.tokens_of_documents() == [[b"c"]]
    assert rejected_records(found) == [
        {"reason": "invalid encoding", "text": "a\ufffd b", "file": str(tmp_path / "0000")},
    ]


def rejected_records(found: Tokenized) -> list[dict[str, str]]:
    path = Path(found.workspace.unit_path(TOKENS, 3, "rejected"))
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_rejected_items_are_kept_on_request(tmp_path: Path) -> None:
    config = PrepareConfig(text=TextConfig(), format="jsonl", keep_dropped=True)
    found = tokenized(tmp_path, "{é\n".encode() + b'{"text": "A"}\n', config=config, format="jsonl")
    assert rejected_records(found) == [{"reason": "malformed row", "text": "{é", "file": str(tmp_path / "0000")}]
    # The texts before cleaning are stored with the tokens.
    assert [one.batch.texts for one in found.located] == [[b"A"]]


def test_no_texts_are_kept_by_default(tmp_path: Path) -> None:
    found = tokenized(tmp_path, b"A", b"B")
    assert [one.batch.texts for one in found.located] == [[]]
    assert not Path(found.workspace.unit_path(TOKENS, 3, "rejected")).exists()


def test_the_first_chunk_of_a_long_document_in_each_batch_is_kept(tmp_path: Path) -> None:
    config = PrepareConfig(text=TextConfig(), keep_dropped=True)
    content = b"the sea " * (CHUNK_BYTES // 5)
    found = tokenized(tmp_path, content, config=config)
    first, second = (one.batch.texts for one in found.located)
    assert first + second == [content[: len(first[0])], content[len(first[0]) :]]


def test_filters_give_their_reasons_and_empty_comes_first(tmp_path: Path) -> None:
    selection = SelectionConfig(min_tokens=2, max_tokens=4, min_letters_percent=50)
    config = PrepareConfig(text=TextConfig(punctuation="keep"), selection=selection)
    found = tokenized(tmp_path, b"a b", b"a", b" ", b"a b c d e", b"11 22", config=config)
    assert found.documents.reasons.tolist() == ["", "too short", "empty", "too long", "mostly not letters"]


def test_a_long_document_is_filtered_as_a_whole(tmp_path: Path) -> None:
    words = CHUNK_BYTES // 4
    config = PrepareConfig(text=TextConfig(), selection=SelectionConfig(min_tokens=2 * words))
    found = tokenized(tmp_path, b"the sea " * words, b"the sea " * (words - 1), config=config)
    assert found.documents.reasons.tolist() == ["", "too short"]


def test_signatures_are_computed_for_the_search_for_near_duplicates(tmp_path: Path) -> None:
    config = PrepareConfig(text=TextConfig(), selection=SelectionConfig(near_duplicates=0.8))
    texts = [b"Call me Ishmael. Some years ago", b" ", b"call ME ishmael. some years  ago"]
    found = tokenized(tmp_path, *texts, config=config)
    cleaned = clean(tf.constant(texts), config.text)
    np.testing.assert_array_equal(found.documents.signatures, minhash.signatures(cleaned))
    np.testing.assert_array_equal(found.documents.signatures[0], found.documents.signatures[2])


def test_the_signature_of_a_long_document_combines_its_chunks(tmp_path: Path) -> None:
    config = PrepareConfig(text=TextConfig(), selection=SelectionConfig(near_duplicates=0.8))
    text = " ".join(f"{i:x}" for i in range(CHUNK_BYTES // 4))
    found = tokenized(tmp_path, b"before", text.encode(), b"after", config=config)
    assert len(found.located) > 2
    (whole,) = minhash.signatures(tf.constant([text]))
    # Shingles across chunk borders are missing.
    assert (found.documents.signatures[1] == whole).mean() > 0.98
    np.testing.assert_array_equal(
        found.documents.signatures[[0, 2]], minhash.signatures(tf.constant(["before", "after"]))
    )


def test_documents_that_are_recorded_as_duplicates_are_dropped(tmp_path: Path) -> None:
    found = tokenized(tmp_path, b"a", b"b", b" ", b"d")
    found.workspace.record(DUPLICATES, 3, {"exact duplicate": [1], "near duplicate": [3], "no one": []})
    documents = document_files.unit_documents(found.workspace, 3)
    assert documents.reasons.tolist() == ["", "exact duplicate", "empty", "near duplicate"]


def test_rejected_items_between_documents_change_no_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    batches = [
        TextBatch(rejected=[Rejected("empty", b"")]),
        TextBatch([b"a"], [False]),
        TextBatch(),
        TextBatch([b"b"], [False], replaced=1),
    ]
    monkeypatch.setattr(unit_texts, "READERS", {"given": GivenReader(batches)})
    found = Tokenized(tmp_path, given_unit(tmp_path), WORDS)
    assert found.counts == {"rejected": {"empty": 1}, "samples": [], "replaced": 1, "characters": {}}
    assert [len(one.batch.edges) - 1 for one in found.located] == [2]
