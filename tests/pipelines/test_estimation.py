import gzip
import json
import random
from pathlib import Path

import pytest

from pipelines.corpus_sample import SampleSize
from pipelines.estimation import estimate
from pipelines.prepare import prepare
from textgen.config import PrepareConfig, SelectionConfig, TextConfig
from textgen.corpus.block_files import BLOCK_BYTES
from textgen.errors import UserError

WORDS = [f"word{i}" for i in range(3000)]


def rows(count: int) -> list[str]:
    """Documents of unequal lengths, of words of unequal frequency, every tenth of them empty."""
    chance = random.Random(0)
    return [
        "" if i % 10 == 0 else " ".join(chance.choice(WORDS[: chance.randint(1, 3000)]) for _ in range(i % 90 + 10))
        for i in range(count)
    ]


def write_rows(path: Path, texts: list[str]) -> Path:
    content = "".join(json.dumps({"text": text}) + "\n" for text in texts).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_an_estimate_from_a_sample_is_close_to_the_counts_of_the_whole(tmp_path: Path, name: str) -> None:
    path = write_rows(tmp_path / name, rows(12_000))
    config = PrepareConfig(text=TextConfig(), layout="spans")
    size = SampleSize(range_bytes=1 << 16, head_bytes=4 * BLOCK_BYTES)
    found = estimate([str(path)], config, sample_size=size)
    assert found.sampled_bytes < 0.6 * found.input_bytes == 0.6 * path.stat().st_size
    total = prepare([str(path)], str(tmp_path / "out"), config).total
    for name, value, truth in (
        ("documents", found.documents, total.documents),
        ("dropped", found.dropped["empty"], total.dropped["empty"]),
        ("tokens", found.tokens, sum(counts.tokens for counts in total.splits.values())),
        ("pairs", found.pairs, sum(counts.pairs for counts in total.splits.values())),
        ("bytes", found.layouts["spans"].bytes, sum(shard.bytes for shard in total.shards)),
    ):
        assert value == pytest.approx(truth, rel=0.1), name
    assert found.layouts["pairs"].bytes > 20 * found.layouts["spans"].bytes
    assert all(takes.seconds > 0 and takes.worker_hours > 0 for takes in found.layouts.values())


def test_files_that_are_documents_are_counted(tmp_path: Path) -> None:
    for i in range(40):
        (tmp_path / f"{i}.txt").write_text("a few words of text " * (i + 1))
    found = estimate([f"{tmp_path}/*.txt"], PrepareConfig(text=TextConfig()))
    assert found.documents == 40


def test_dropped_documents_are_estimated_by_reason(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "a.jsonl", ["one two", "one two three four"] * 50)
    config = PrepareConfig(text=TextConfig(), selection=SelectionConfig(min_tokens=3))
    found = estimate([str(path)], config)
    assert (found.documents, found.dropped) == (100, {"too short": 50})


def test_nothing_is_written_beside_the_input(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "a.jsonl", rows(50))
    estimate([str(path)], PrepareConfig(text=TextConfig()))
    assert list(tmp_path.iterdir()) == [path]


def test_a_sample_without_text_is_refused(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "a.jsonl", [" "] * 5)
    with pytest.raises(UserError, match="no document with text: dropped: 5 empty. Check the input and"):
        estimate([str(path)], PrepareConfig(text=TextConfig()))
