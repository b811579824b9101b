from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from pipelines import shards
from pipelines.workspace import Workspace
from textgen.config import VOCABULARY_FILE, PrepareConfig, TextConfig
from textgen.corpus.pieces import Piece
from textgen.corpus.units import Unit
from textgen.dataset.manifest import UnitReport
from textgen.text.vocabulary import most_frequent


def write(tmp_path: Path, text: bytes, **settings: object) -> UnitReport:
    """One unit of one document a line, with the vocabulary a, b, c, d as ids 4 to 7."""
    (tmp_path / "_work").mkdir()
    (tmp_path / VOCABULARY_FILE).write_bytes(most_frequent({"a": 9, "b": 8, "c": 7, "d": 6}, 4).to_bytes())
    (tmp_path / "input").write_bytes(text)
    defaults = {"format": "lines", "window": 3, "validation_percent": 0, "test_percent": 0}
    config = PrepareConfig(text=TextConfig(), **{**defaults, **settings})
    work = shards.WriteUnit(config, Workspace(str(tmp_path)))
    work.setup()
    result = work.process(Unit(7, (Piece(str(tmp_path / "input"), 0, len(text), "lines"),)))
    return UnitReport.from_json(result)


def test_every_document_is_counted_once(tmp_path: Path) -> None:
    report = write(tmp_path, b"a b z\n\n   \nc \xff d\n")
    assert (report.unit, report.bytes, report.documents, report.kept) == (7, 17, 4, 2)
    assert report.dropped == {"empty": 2}
    assert report.repaired == 1
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
    assert not list((tmp_path / "_work").iterdir())


@pytest.mark.parametrize("layout", ["pairs", "spans"])
def test_no_window_crosses_a_cut_in_the_tail(tmp_path: Path, layout: str) -> None:
    report = write(
        tmp_path, b"a b c d a b c d a b\n", layout=layout, split_by="tail", validation_percent=20, test_percent=20
    )
    # [BOS] a b c d a b | c d | a b [EOS]: the first token after a cut is context alone.
    assert [report.splits[s].pairs for s in ("train", "validation", "test")] == [6, 1, 2]
    assert [report.splits[s].tokens for s in ("train", "validation", "test")] == [6, 2, 2]
    assert sum(counts.characters for counts in report.splits.values()) == len("a b c d a b c d a b")
