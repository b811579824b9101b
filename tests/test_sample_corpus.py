"""The sample corpus, whole, in both layouts: what a user of `make demo` gets."""

import csv
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from pipelines.prepare import prepare
from textgen.config import SPLITS, PrepareConfig, TextConfig
from textgen.dataset import read_manifest, read_pairs, verify

EXAMPLES = Path(__file__).parents[1] / "examples"
WINDOW = 44


@pytest.fixture(scope="module")
def datasets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    made = {}
    for layout in ("pairs", "spans"):
        made[layout] = tmp_path_factory.mktemp("sample") / layout
        inputs = [str(EXAMPLES / "sotu_1961_2021.csv"), str(EXAMPLES / "moby_dick" / "*.txt")]
        config = PrepareConfig(text=TextConfig(), text_field="narrative", window=WINDOW, layout=layout)
        prepare(inputs, str(made[layout]), config)
    return made


def rows(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Each pair as one item of bytes, sorted, so that two multisets can be compared."""
    table = np.ascontiguousarray(np.concatenate([x, y[:, None]], axis=1).astype(np.int32))
    return np.sort(table.view(f"S{table.itemsize * table.shape[1]}")[:, 0])


def served(directory: Path, split: str, seed: int | None = None) -> np.ndarray:
    batches = [(x.numpy(), y.numpy()) for x, y in read_pairs(directory, split=split, batch_size=8192, seed=seed)]
    x, y = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    return rows(x, y)


@pytest.mark.parametrize("split", SPLITS)
def test_spans_serve_the_multiset_of_pairs_that_pairs_hold(datasets: dict[str, Path], split: str) -> None:
    pairs = served(datasets["pairs"], split, seed=1)
    assert len(pairs) == read_manifest(datasets["pairs"]).total.splits[split].pairs
    np.testing.assert_array_equal(served(datasets["spans"], split, seed=2), pairs)


def test_a_reader_that_knows_nothing_of_us_reads_the_same_pairs(datasets: dict[str, Path]) -> None:
    features = {"x": tf.io.FixedLenFeature([WINDOW], tf.int64), "y": tf.io.FixedLenFeature([1], tf.int64)}
    files = tf.io.gfile.glob(str(datasets["pairs"] / "test-*.tfrecord"))
    batches = tf.data.TFRecordDataset(files).batch(8192).map(lambda batch: tf.io.parse_example(batch, features))
    parsed = list(batches.as_numpy_iterator())
    x, y = (np.concatenate([batch[key] for batch in parsed]) for key in ("x", "y"))
    np.testing.assert_array_equal(rows(x, y[:, 0]), served(datasets["pairs"], "test"))


def test_the_accounts_close(datasets: dict[str, Path]) -> None:
    for directory in datasets.values():
        total = read_manifest(directory).total
        files = [EXAMPLES / "sotu_1961_2021.csv", *(EXAMPLES / "moby_dick").glob("*.txt")]
        header = files[0].read_bytes().split(b"\n")[0] + b"\n"
        assert total.bytes == sum(path.stat().st_size for path in files) - len(header)
        before = csv.field_size_limit(1 << 30)
        with files[0].open(encoding="utf-8", newline="") as file:
            speeches = sum(1 for _ in csv.DictReader(file))
        csv.field_size_limit(before)
        assert total.documents == total.kept == speeches + 135
        assert sum(counts.documents for counts in total.splits.values()) == total.kept
        for counts in total.splits.values():
            assert counts.pairs == counts.tokens + counts.documents
        assert verify(directory) == []


def test_a_pair_takes_the_room_that_the_readme_says(datasets: dict[str, Path]) -> None:
    def bytes_a_pair(layout: str) -> float:
        total = read_manifest(datasets[layout]).total
        pairs = sum(counts.pairs for counts in total.splits.values())
        return sum(shard.bytes for shard in total.shards) / pairs

    assert bytes_a_pair("pairs") == pytest.approx(102, abs=1)
    assert bytes_a_pair("spans") == pytest.approx(2.0, abs=0.1)
