"""A preparation that is killed, whenever that is, goes on where it was and ends as if nothing had been."""

import contextlib
import json
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.prepare import prepare
from tests.training.processes import Command
from textgen import files
from textgen.cli import main
from textgen.config import PrepareConfig, SelectionConfig, TextConfig
from textgen.corpus import units
from textgen.dataset import read_manifest, verify
from textgen.dataset.storage.manifest import UnitReport
from textgen.errors import UserError

SEED = 7
UNITS = 16
DOCUMENTS = 6_000
STAGES = ("tokens", "vocabulary", "shards")
PATIENCE_SECONDS = 60
STOPS = 3

Moment = Callable[[Path], bool]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """JSON Lines of random words; some lines are empty texts, some repeat others, some are damaged."""
    chance, path = random.Random(SEED), tmp_path_factory.mktemp("killed") / "corpus.jsonl"
    words = [f"{a}{b}{c}" for a in "bdfgklm" for b in "aeiou" for c in "nprst"]
    texts = [" ".join(chance.choices(words, k=chance.randrange(80))) for _ in range(DOCUMENTS)]
    texts += chance.choices(texts, k=DOCUMENTS // 20)
    chance.shuffle(texts)
    lines = [json.dumps({"text": text}) for text in texts]
    for place in range(250, len(lines), 500):
        lines[place] = lines[place][:-1]
    path.write_text("\n".join(lines) + "\n")
    return path


def command(corpus: Path, folder: Path, *, workers: int) -> list[str]:
    return [
        "prepare", "--input", str(corpus), "--output", str(folder), "--text-field", "text", "--duplicates", "drop",
        "--keep-dropped", "--window", "6", f"--direct_num_workers={workers}",
    ]  # fmt: skip


def kill_at(moment: Moment, corpus: Path, folder: Path) -> None:
    """Prepares in a process of its own, until the moment comes."""
    process = Command(command(corpus, folder, workers=2), folder.with_name("log"))
    given_up = time.monotonic() + PATIENCE_SECONDS
    try:
        while not moment(folder):
            assert process.is_running and time.monotonic() < given_up, "the moment never came"
            time.sleep(0.001)
    finally:
        process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


def after(stage: str, units: int) -> Moment:
    """The moment when a pass is done with so many units."""
    return lambda folder: len(list((folder / "_work" / stage).glob("*.json"))) >= units


def contents(folder: Path, pattern: str = "**/*") -> dict[str, bytes]:
    """The files of a dataset; a killed process leaves its lock behind."""
    paths = (path for path in folder.glob(pattern) if path.is_file() and path.name != "_lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def times(folder: Path, pattern: str) -> dict[str, int]:
    """When each file was written, in nanoseconds."""
    return {path.name: path.stat().st_mtime_ns for path in folder.glob(pattern)}


@pytest.fixture(scope="module")
def whole(corpus: Path) -> Path:
    folder = corpus.parent / "whole"
    assert main(command(corpus, folder, workers=1)) == 0
    return folder


def test_the_accounts_of_a_whole_run_close(corpus: Path, whole: Path) -> None:
    manifest = read_manifest(whole)
    assert len(manifest.units) == UNITS
    for report in (*manifest.units, manifest.total):
        assert report.documents == report.kept + sum(report.dropped.values())
        assert sum(counts.documents for counts in report.splits.values()) == report.kept
        for split, counts in report.splits.items():
            assert counts.pairs == counts.tokens + counts.documents
            assert counts.pairs == sum(shard.pairs for shard in report.shards if shard.split == split)
    total: UnitReport = manifest.total
    assert total.bytes == corpus.stat().st_size
    assert total.documents == len(corpus.read_text().splitlines())
    assert set(total.dropped) == {"empty", "exact duplicate", "malformed row"}
    assert {shard.bytes for shard in total.shards} == {(whole / shard.name).stat().st_size for shard in total.shards}


def test_a_run_that_is_killed_again_and_again_ends_as_one_that_was_not(
    corpus: Path, whole: Path, tmp_path: Path
) -> None:
    folder, chance, expected = tmp_path / "data", random.Random(SEED), contents(whole)
    moments = {stage: after(stage, chance.randrange(1, UNITS - 2)) for stage in STAGES}
    moments["duplicates"] = lambda folder: (folder / "_work" / "duplicates").is_dir()
    done: dict[str, dict[str, int]] = dict.fromkeys(STAGES, {})
    for stage in ("tokens", "duplicates", "vocabulary", "shards"):
        kill_at(moments[stage], corpus, folder)
        with pytest.raises(UserError, match=r"is not a dataset: it has no manifest\.json"):
            verify(folder)
        for earlier in STAGES:
            found = times(folder, f"_work/{earlier}/*.json")
            assert done[earlier].items() <= found.items(), f"{earlier} was done again"
            done[earlier] = found
        # In the midst of the pass, and what stands under its final name is whole.
        assert len(done[stage]) < UNITS if stage in STAGES else not (folder / "_work" / "duplicates.done").exists()
        assert contents(folder, "*").items() <= expected.items()

    finished = [name.removesuffix(".json") for name in done["shards"]]
    shards = {name: at for name, at in times(folder, "*.tfrecord").items() if name[-15:-9] in finished}
    kill_at(lambda folder: (folder / "manifest.json").exists(), corpus, folder)
    assert verify(folder) == []
    assert len(shards) >= len(finished) > 0
    assert shards.items() <= times(folder, "*.tfrecord").items()

    assert main(command(corpus, folder, workers=2)) == 0
    assert contents(folder) == expected
    assert not (folder / "_work").exists()


class StopError(Exception):
    """Stands for the end of the process."""


def stop_at(change: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Lets so many changes of the disk happen and no more; the list tells of those that were asked for."""
    asked: list[str] = []

    def counting(name: str, original: Callable[..., None]) -> Callable[..., None]:
        def counted(*arguments: Any, **settings: Any) -> None:
            asked.append(name)
            if len(asked) > change:
                raise StopError
            original(*arguments, **settings)

        return counted

    for name in ("write_atomically", "remove"):
        monkeypatch.setattr(files, name, counting(name, getattr(files, name)))
    return asked


def test_a_run_that_stops_before_any_change_of_its_folder_can_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(units, "unit_bytes", lambda total_bytes, most: total_bytes // 3)
    for i in range(3):
        lines = [f"call me ishmael {i} {j % 20}" for j in range(40)]
        (tmp_path / f"{i}.txt").write_text("\n".join(lines))
    config = PrepareConfig(
        text=TextConfig(), selection=SelectionConfig(duplicates="drop"), format="lines", keep_dropped=True,
        layout="spans", window=4, validation_percent=30, test_percent=30,
    )  # fmt: skip

    def run(folder: Path, changes: int) -> list[str]:
        with monkeypatch.context() as patch, contextlib.suppress(StopError, RuntimeError):
            asked = stop_at(changes, patch)
            prepare([f"{tmp_path}/*.txt"], str(folder), config)
        return asked

    total = len(run(tmp_path / "whole", sys.maxsize))
    # The first and the last, where the folder is claimed and given over, and some between.
    stops = {2, 3, total - 2, total - 1, *random.Random(SEED).sample(range(4, total - 2), STOPS)}
    for changes in sorted(stops):
        folder = tmp_path / f"stopped-{changes}"
        assert len(run(folder, changes)) > changes
        run(folder, sys.maxsize)
        assert contents(folder) == contents(tmp_path / "whole"), changes
