from pathlib import Path

import numpy as np
import tensorflow as tf

from pipelines.split_writer import SplitWriter
from textgen.config import PrepareConfig, TextConfig
from textgen.dataset.storage.sequencer import DocumentChunks
from textgen.dataset.storage.splits import SplitRanges


def test_each_split_gets_the_records_of_its_documents(tmp_path: Path) -> None:
    """Two documents of two tokens: the first is of the training split, the second of the validation split."""
    config = PrepareConfig(text=TextConfig(), window=2)
    chunks = DocumentChunks(
        ids=np.array([4, 5, 6, 7, 2, 3]),
        edges=np.array([0, 2, 4]),
        id_edges=None,
        offsets=np.zeros(2, np.int64),
        totals=np.array([2, 2]),
        characters=np.array([3, 3]),
        split_ranges=SplitRanges(np.zeros((3, 2), int), np.array([[2, 0], [0, 2], [0, 0]])),
    )
    targets = {}
    for split in ("train", "validation", "test"):
        writer = SplitWriter(split, tmp_path / split, config, vocabulary_size=8)
        writer.write(chunks)
        shard = writer.close(f"{split}-000003.tfrecord", 3)
        assert (shard.name, shard.split, shard.unit) == (f"{split}-000003.tfrecord", split, 3)
        records = list(tf.data.TFRecordDataset(str(writer.path)).as_numpy_iterator())
        assert shard.pairs == len(records)
        assert (writer.counts.documents, writer.counts.tokens) == ((1, 2) if records else (0, 0))
        parsed = tf.io.parse_example(records, {"y": tf.io.FixedLenFeature([1], tf.int64)}) if records else {"y": []}
        targets[split] = np.ravel(parsed["y"]).tolist()
    assert targets == {"train": [4, 5, 3], "validation": [6, 7, 3], "test": []}
