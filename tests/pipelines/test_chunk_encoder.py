import gc
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipelines import chunk_encoder
from pipelines.chunk_encoder import ChunkEncoder, load_encoder
from pipelines.document_files import DocumentTable
from pipelines.token_files import LocatedBatch, TokenBatch
from pipelines.workspace import Workspace
from textgen.config import VOCABULARY_FILE, PrepareConfig, TextConfig
from textgen.text.vocabulary import most_frequent
from textgen.text.vocabulary_encoder import VocabularyEncoder

TOKENS = LocatedBatch(
    TokenBatch(
        np.array([0, 1, 2, 1, 0], np.int32),
        np.array([0, 3, 4, 5], np.int32),
        False,
        [],
    ),
    slice(0, 3),
    np.zeros(3, np.int64),
)
SYMBOLS = pa.array([b"a", b"x", b"b"], pa.binary())
"""The documents `a x b`, `x` and `a`."""


@pytest.mark.parametrize(
    ("unknown", "ids", "id_edges", "reasons"),
    [
        ("token", [4, 1, 5, 1, 4, 2, 3], None, ["", "", "too short"]),
        ("drop", [4, 5, 4, 2, 3], [0, 1, 1, 2, 2, 3], ["", "empty", "too short"]),
    ],
)
@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_tokens_become_ids(
    unknown: str,
    ids: list[int],
    id_edges: list[int] | None,
    reasons: list[str],
    at_once: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(chunk_encoder, "_SYMBOLS_AT_ONCE", at_once)
    config = PrepareConfig(text=TextConfig(unknown=unknown), validation_percent=0, test_percent=0)
    encoder = ChunkEncoder(config, VocabularyEncoder(config.text, most_frequent({"a": 2, "b": 1}, 2)), SYMBOLS)
    documents = DocumentTable(
        np.zeros((3, 16), np.uint8),
        np.array([3, 1, 1]),
        np.array([5, 1, 1]),
        np.array(["", "", "too short"], object),
        np.empty((3, 0), np.uint32),
    )
    chunks = encoder.encode(TOKENS, documents)
    assert chunks.ids.tolist() == ids
    assert (None if chunks.id_edges is None else chunks.id_edges.tolist()) == id_edges
    assert documents.reasons.tolist() == reasons
    # Dropped documents belong to no split.
    held = (chunks.split_ranges.ends - chunks.split_ranges.starts).sum(axis=0)
    assert held.tolist() == [n if not reason else 0 for n, reason in zip([3, 1, 1], reasons, strict=True)]


def test_threads_share_an_encoder_while_it_is_in_use(tmp_path: Path) -> None:
    workspace, vocabularies = Workspace(str(tmp_path)), (most_frequent({"a": 2, "b": 1}, size) for size in (1, 2))
    (tmp_path / VOCABULARY_FILE).write_bytes(next(vocabularies).to_bytes())
    encoder = load_encoder(TextConfig(), workspace)
    assert load_encoder(TextConfig(), workspace) is encoder
    assert load_encoder(TextConfig(case="keep"), workspace) is not encoder
    (tmp_path / VOCABULARY_FILE).write_bytes(next(vocabularies).to_bytes())
    assert load_encoder(TextConfig(), workspace).encode(np.array([b"b"]))[0].tolist() == [5]
    del encoder
    gc.collect()
    assert not chunk_encoder._LOADED
