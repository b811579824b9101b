"""What a preparation will make and take, told from a sample that goes through its own passes."""

import dataclasses
import io
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, NamedTuple

from pipelines import count_tokens, tokenize, write_shards
from pipelines.jobs import UnitWork
from pipelines.plan import Plan, make_plan, read_options
from pipelines.workspace import Workspace
from textgen import files
from textgen.config import VOCABULARY_FILE, PrepareConfig
from textgen.corpus import units
from textgen.corpus.block_files import BLOCK_BYTES
from textgen.corpus.compression import is_compressed, open_decompressed
from textgen.corpus.encodings import is_ascii_compatible
from textgen.corpus.readers.base import FileRange
from textgen.corpus.units import Unit
from textgen.dataset import LAYOUTS, UnitReport
from textgen.errors import require

_SAMPLE_RANGE_BYTES = 1 << 19
_SAMPLE_RANGES = 16
"""The sample: so many pieces of such a size, evenly over the corpus."""

_HEAD_BYTES = 16 * BLOCK_BYTES
"""What is taken of a file that can't be read from its middle; whole blocks, so that none is unpacked beyond it."""

_BITE = 1 << 14

_START_SECONDS = 8.0
"""Imports, graphs and pipelines, on the machine that the README names."""


class LayoutEstimate(NamedTuple):
    """What one layout takes.

    Attributes:
        bytes: on disk.
        seconds: on this machine, all its cores, from start to end.
        worker_hours: hours of one core.
    """

    bytes: int
    seconds: float
    worker_hours: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a corpus will give.

    Attributes:
        input_bytes: as the files are on disk.
        sampled_bytes: those of them that were read.
        documents: found, of which those in `dropped` are dropped, by reason; duplicates can't be told from a sample.
        dropped: documents by reason.
        tokens: of the documents kept.
        pairs: of all splits.
        layouts: by name.
    """

    input_bytes: int
    sampled_bytes: int
    documents: int
    dropped: dict[str, int]
    tokens: int
    pairs: int
    layouts: dict[str, LayoutEstimate]


class _Sample(NamedTuple):
    """A unit to read, and how many bytes of the corpus it is."""

    unit: Unit
    corpus_bytes: float


def estimate(
    inputs: Sequence[str],
    config: PrepareConfig,
    *,
    vocabulary: str | None = None,
    tokenizer_model: str | None = None,
) -> Estimate:
    """Reads a sample of the corpus and tells what `prepare` of all of it would make and take.

    Raises:
        UserError: the input cannot be read as asked, or the sample has no text.
    """
    plan = make_plan(inputs, config, vocabulary=vocabulary, tokenizer_model=tokenizer_model)
    with tempfile.TemporaryDirectory() as folder:
        samples = list(_samples(plan, Path(folder)))
        sampled = sum(sample.corpus_bytes for sample in samples)
        reports, seconds = _run(plan, [sample.unit for sample in samples], Path(folder))
    scale = plan.total_bytes / sampled
    # The accounts are the same in every layout.
    total = next(iter(reports.values()))
    found = _documents(plan, total.documents, scale)
    workers = os.cpu_count() or 1
    return Estimate(
        input_bytes=plan.total_bytes,
        sampled_bytes=round(sampled),
        documents=found,
        dropped={reason: round(found * count / total.documents) for reason, count in total.dropped.items()},
        tokens=round(scale * sum(counts.tokens for counts in total.splits.values())),
        pairs=round(scale * sum(counts.pairs for counts in total.splits.values())),
        layouts={
            layout: LayoutEstimate(
                bytes=round(scale * sum(shard.bytes for shard in report.shards)),
                seconds=_START_SECONDS + scale * seconds[layout],
                worker_hours=workers * scale * seconds[layout] / 3600,
            )
            for layout, report in reports.items()
        },
    )


def _documents(plan: Plan, sampled: int, scale: float) -> int:
    """Where a file is a document they are counted, not estimated."""
    if all(file.format == "document" for file in plan.files):
        return len(plan.files)
    return round(sampled * scale)


def _samples(plan: Plan, folder: Path) -> Iterator[_Sample]:
    """Pieces from all over the corpus."""
    file_ranges = [file_range for unit in _small_units(plan) for file_range in unit.file_ranges]
    step = -(-len(file_ranges) // _SAMPLE_RANGES)
    for i, file_range in enumerate(file_ranges[step // 2 :: step]):
        if (
            file_range.end - file_range.start <= 2 * _SAMPLE_RANGE_BYTES
            and not is_compressed(file_range.path)
            or file_range.format == "parquet"
        ):
            yield _Sample(Unit(i, (file_range,)), file_range.end - file_range.start)
        else:
            yield _head(i, file_range, folder, plan.config.encoding)


def _small_units(plan: Plan) -> list[Unit]:
    return units.plan_units(
        plan.files,
        unit_bytes=max(_SAMPLE_RANGE_BYTES, plan.total_bytes // 4096),
        open_file=files.open_file,
        options=read_options(plan.config),
    )


def _head(index: int, file_range: FileRange, folder: Path, encoding: str) -> _Sample:
    """The beginning of a file as a file of its own, and how many bytes of the file on disk it came from."""
    path = folder / f"head-{index}"
    with files.open_file(file_range.path) as file:
        sips = _Sips(file)
        text = open_decompressed(file_range.path, sips.open) if is_compressed(file_range.path) else file
        content = text.read(_HEAD_BYTES)
        read = sips.taken or file.tell()
        whole = not text.read(1)
    if not whole and is_ascii_compatible(encoding):
        content = content[: content.rfind(b"\n") + 1] or content
    path.write_bytes(content)
    corpus_bytes = (file_range.end if whole else min(read, file_range.end)) - file_range.start
    return _Sample(Unit(index, (FileRange(str(path), 0, len(content), file_range.format),)), corpus_bytes)


class _Sips(io.RawIOBase):
    """A file read in small bites, so that little more of it is taken than its reader has used."""

    def __init__(self, file: BinaryIO):
        super().__init__()
        self._file, self.taken = file, 0

    def open(self, path: str) -> BinaryIO:
        """Takes the place of opening the file."""
        return self  # type: ignore[return-value]

    def readable(self) -> bool:
        """It is."""
        return True

    def read(self, size: int = -1) -> bytes:
        """At most a bite."""
        data = self._file.read(_BITE if size < 0 else min(size, _BITE))
        self.taken += len(data)
        return data


def _run(plan: Plan, sample: list[Unit], folder: Path) -> tuple[dict[str, UnitReport], dict[str, float]]:
    """The passes over the sample: what each layout reports, and the seconds that its passes take."""
    shared, reports, seconds = 0.0, {}, {}
    workspace = Workspace(str(folder / "dataset"))
    workspace.claim(dataclasses.replace(plan, files=()))
    # Of a sample a split may be empty, and the vocabulary needs text.
    config = dataclasses.replace(plan.config, validation_percent=0, test_percent=0)
    shared += _pass(tokenize.TokenizeUnit(config, workspace), sample, workspace)
    counting = count_tokens.CountUnit(config, workspace)
    shared += _pass(counting, sample, workspace)
    counts = count_tokens.add(counting.counts(unit.index) for unit in sample)
    require(counts.num_rows > 0, "the sample has no document with text. Check the input and the cleaning options.")
    learned = count_tokens.learn(count_tokens.by_token(counts, config, workspace), config, workspace)
    workspace.commit(VOCABULARY_FILE, learned.to_bytes())
    for layout in LAYOUTS:
        work = write_shards.WriteUnit(dataclasses.replace(config, layout=layout), workspace)
        workspace.forget(work.stage)
        seconds[layout] = shared + _pass(work, sample, workspace)
        results = [workspace.recorded(work.stage, unit.index) or {} for unit in sample]
        reports[layout] = UnitReport.total(UnitReport.from_json(result) for result in results)
    return reports, seconds


def _pass(work: UnitWork, sample: list[Unit], workspace: Workspace) -> float:
    """Does a pass with as many threads as there are cores; the seconds that it took, its preparation apart."""
    files.make_directory(workspace.work_path(work.stage))
    work.setup()

    def do(unit: Unit) -> None:
        workspace.record(work.stage, unit.index, work.process(unit))

    # Once beforehand, since the first call of a graph makes it.
    do(sample[0])
    start = time.perf_counter()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(do, sample))
    return time.perf_counter() - start
