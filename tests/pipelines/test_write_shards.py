import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from pipelines import tokenize, write_shards
from pipelines.workspace import Workspace
from textgen.config import VOCABULARY_FILE, PrepareConfig, TextConfig
from textgen.corpus.readers.base import CHUNK_BYTES, FileRange, InputFile
from textgen.corpus.units import Unit
from textgen.dataset.storage import windows
from textgen.dataset.storage.manifest import UnitReport
from textgen.errors import UserError
from textgen.text.vocabulary import most_frequent


def write(tmp_path: Path, content: bytes, **settings: object) -> UnitReport:
    """Prepares one unit of one document per line, with the vocabulary a, b, c, d as ids 4 to 7."""
    (tmp_path / "_work" / "tokens").mkdir(parents=True)
    (tmp_path / VOCABULARY_FILE).write_bytes(most_frequent({"a": 9, "b": 8, "c": 7, "d": 6}, 4).to_bytes())
    (tmp_path / "input").write_bytes(content)
    os.utime(tmp_path / "input", (0, 0))
    defaults = {"format": "lines", "window": 3, "validation_percent": 0, "test_percent": 0}
    config = PrepareConfig(**{"text": TextConfig(), **defaults, **settings})
    workspace, file_range = (
        Workspace(str(tmp_path)),
        FileRange(InputFile(str(tmp_path / "input"), len(content), 0.0, config.format), 0, len(content)),
    )
    unit = Unit(7, (file_range,))
    for work in (tokenize.TokenizeUnit(config, workspace), write_shards.WriteUnit(config, workspace)):
        work.setup()
        result = work.process(unit)
        if work.stage == "tokens":
            workspace.record("tokens", 7, result)
    return UnitReport.from_json(result)


def test_every_document_is_counted_once(tmp_path: Path) -> None:
    report = write(tmp_path, b"a b z\n\n   \nc \xff d\n")
    assert (report.unit, report.bytes, report.documents, report.kept) == (7, 17, 4, 2)
    assert report.dropped == {"empty": 2}
    assert report.replaced == 1
    train = report.splits["train"]
    # The invalid byte is U+FFFD, a mark, and a token of its own.
    assert (train.documents, train.tokens, train.unknown, train.pairs) == (2, 6, 2, 8)
    assert train.characters == len("a b z") + len("c \ufffd d")


def test_the_shard_holds_the_pairs_of_its_documents(tmp_path: Path) -> None:
    (shard,) = write(tmp_path, b"a b\nd\n").shards
    assert shard.name == "train-000007.tfrecord"
    features = {"x": tf.io.FixedLenFeature([3], tf.int64), "y": tf.io.FixedLenFeature([1], tf.int64)}
    records = list(tf.data.TFRecordDataset(str(tmp_path / shard.name)).as_numpy_iterator())
    parsed = tf.io.parse_example(records, features)
    np.testing.assert_array_equal(parsed["x"], [[2, 0, 0], [2, 4, 0], [2, 4, 5], [2, 0, 0], [2, 7, 0]])
    np.testing.assert_array_equal(parsed["y"][:, 0], [4, 5, 3, 7, 3])


def test_a_split_without_pairs_has_no_shard(tmp_path: Path) -> None:
    report = write(tmp_path, b"a\nb\n", boundaries=False)
    assert report.kept == 2 and report.splits["train"].pairs == 0 and report.shards == []


def test_nothing_temporary_is_left(tmp_path: Path) -> None:
    write(tmp_path, b"a b\n")
    names = {path.name for path in (tmp_path / "_work").rglob("*")}
    assert names == {"tokens", *(f"000007.{kind}" for kind in ("json", "tokens", "symbols", "documents"))}


@pytest.mark.parametrize("layout", ["pairs", "spans"])
def test_no_window_crosses_the_border_of_a_split(tmp_path: Path, layout: str) -> None:
    report = write(
        tmp_path, b"a b c d a b c d a b\n", layout=layout, split_by="tail", validation_percent=20, test_percent=20
    )
    # [BOS] a b c d a b | c d | a b [EOS]: the first token after a border is only context.
    assert [report.splits[s].pairs for s in ("train", "validation", "test")] == [6, 1, 2]
    assert [report.splits[s].tokens for s in ("train", "validation", "test")] == [6, 2, 2]
    assert sum(counts.characters for counts in report.splits.values()) == len("a b c d a b c d a b")


def test_a_document_of_dropped_unknown_words_is_empty(tmp_path: Path) -> None:
    report = write(tmp_path, b"x y\na x b\n", text=TextConfig(unknown="drop"))
    assert (report.documents, report.kept, report.dropped) == (2, 1, {"empty": 1})
    assert (report.splits["train"].tokens, report.splits["train"].pairs) == (2, 3)


def test_a_record_of_the_tokens_that_is_missing_is_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Workspace, "record", lambda *_: None)
    with pytest.raises(UserError, match=r"000007\.json is damaged: it is missing\. Delete"):
        write(tmp_path, b"a b\n")


def test_dropped_documents_are_kept_with_their_reasons(tmp_path: Path) -> None:
    write(tmp_path, b'{"text": "a b"}\n{"text": " "}\nnonsense\n', format="jsonl", keep_dropped=True)
    dropped = [json.loads(line) for line in (tmp_path / "dropped-000007.jsonl").read_text().splitlines()]
    assert dropped == [
        {"reason": "malformed row", "text": "nonsense", "file": str(tmp_path / "input")},
        {"reason": "empty", "text": " "},
    ]


@pytest.mark.parametrize("layout", ["pairs", "spans"])
@pytest.mark.parametrize(("split_by", "held_out"), [("document", 0), ("tail", 20)])
def test_a_document_in_chunks_has_the_pairs_of_the_whole(
    tmp_path: Path, layout: str, split_by: str, held_out: int, cut_spans: Callable
) -> None:
    symbols = np.arange(CHUNK_BYTES) ** 2 % 7 % 4
    text = b" ".join(b"abcd"[i : i + 1] for i in symbols[: 3 * CHUNK_BYTES // 4]) + b"\nb c\n"
    report = write(tmp_path, text, layout=layout, split_by=split_by, validation_percent=held_out)
    assert report.documents == 2
    long_end = round(3 * CHUNK_BYTES // 4 * (100 - held_out) / 100)
    ids = np.array([2, *(4 + symbols[:long_end]), *([] if held_out else [3])])
    expected = windows.sequences([ids, np.array([2, 5, 6, 3])])
    x, y = windows.Windows(expected.ids, window=3).pairs(windows.targets(expected, window=3, stride=1))
    made_x, made_y = read(tmp_path / "train-000007.tfrecord", layout, cut_spans)
    np.testing.assert_array_equal(made_x, x)
    np.testing.assert_array_equal(made_y, y)


def read(path: Path, layout: str, cut_spans: Callable) -> tuple[np.ndarray, np.ndarray]:
    """Returns the pairs of a shard, W = 3, in its order."""
    if layout == "pairs":
        features = {"x": tf.io.FixedLenFeature([3], tf.int64), "y": tf.io.FixedLenFeature([], tf.int64)}
        batches = tf.data.TFRecordDataset(str(path)).batch(1 << 16).map(lambda b: tf.io.parse_example(b, features))
        parsed = list(batches.as_numpy_iterator())
        return np.concatenate([batch["x"] for batch in parsed]), np.concatenate([batch["y"] for batch in parsed])
    records = tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
    return cut_spans(list(records), window=3, stride=1, dtype=np.dtype("<u2"))
