import gzip
import json
from pathlib import Path

import pytest

from pipelines.corpus_sample import SampleSize, take_samples
from pipelines.plan import make_plan
from textgen.config import PrepareConfig, TextConfig
from textgen.corpus.block_files import BLOCK_BYTES

LINES = PrepareConfig(text=TextConfig(), format="lines")
SIZE = SampleSize(ranges=4, range_bytes=1 << 10, head_bytes=BLOCK_BYTES)


def test_ranges_are_spread_evenly_over_the_corpus(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("call me ishmael\n" * 4096)
    samples = list(take_samples(make_plan([str(path)], LINES), tmp_path, SIZE))
    ranges = [file_range for sample in samples for file_range in sample.unit.file_ranges]
    assert [(file_range.start, file_range.end - file_range.start) for file_range in ranges] == [
        (start << 10, 1 << 10) for start in (8, 24, 40, 56)
    ]
    assert [sample.corpus_bytes for sample in samples] == [1 << 10] * 4


@pytest.mark.parametrize("name", ["a.json", "a.json.gz"])
def test_the_first_records_of_a_json_file_are_copied(tmp_path: Path, name: str) -> None:
    text = json.dumps([{"text": f"{i} some years ago"} for i in range(40_000)], indent=1).encode()
    (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith("gz") else text)
    (sample,) = take_samples(make_plan([str(tmp_path / name)], PrepareConfig(text=TextConfig())), tmp_path, SIZE)
    (head,) = sample.unit.file_ranges
    content = Path(head.file.path).read_bytes()
    assert head.file.format == "jsonl"
    assert json.loads(content.splitlines()[-1])["text"].endswith("some years ago")
    assert BLOCK_BYTES <= len(content) < BLOCK_BYTES + 100
    assert sample.corpus_bytes / (tmp_path / name).stat().st_size == pytest.approx(len(content) / len(text), abs=0.3)


@pytest.mark.parametrize("name", ["a.txt.gz", "a.txt"])
def test_the_start_of_a_file_that_cannot_be_split_is_copied(tmp_path: Path, name: str) -> None:
    text = b"".join(b"%d some years ago\n" % i for i in range(40_000))
    (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith("gz") else text)
    config = LINES if name.endswith("gz") else PrepareConfig(text=TextConfig(), format="document")
    (sample,) = take_samples(make_plan([str(tmp_path / name)], config), tmp_path, SIZE)
    (head,) = sample.unit.file_ranges
    content = Path(head.file.path).read_bytes()
    assert text.startswith(content) and content.endswith(b"\n")
    assert BLOCK_BYTES - 100 < len(content) <= BLOCK_BYTES
    assert sample.corpus_bytes / (tmp_path / name).stat().st_size == pytest.approx(BLOCK_BYTES / len(text), rel=0.4)
