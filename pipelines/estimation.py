"""Estimates the output and the time of a preparation by running its passes over a sample of the corpus."""

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pipelines import claims, count_tokens, tokenize, write_shards
from pipelines.corpus_sample import SampledUnit, SampleSize, sample_folder, take_samples
from pipelines.jobs import run_in_threads
from pipelines.plan import Plan, make_plan
from pipelines.sample_warnings import learn_vocabulary, sample_warnings
from textgen.config import PrepareConfig
from textgen.dataset import LAYOUTS, UnitReport

_START_SECONDS = 8.0
"""Time for imports and for building graphs and pipelines, on the machine that the README names."""


class LayoutEstimate(NamedTuple):
    """Estimated size and time of a dataset in one layout.

    Attributes:
        bytes: size of the shards, in bytes.
        seconds: total time on all cores of this machine.
        worker_hours: total time on one core, in hours, without start-up.
    """

    bytes: int
    seconds: float
    worker_hours: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Estimate:
    """Estimated output and time of a preparation.

    Attributes:
        files: number of input files.
        passed_over: number of files that were found and are not read, by reason.
        input_bytes: size of the input files, compressed files as they are.
        sampled_bytes: number of input bytes that the sample covers.
        documents: number of documents found, including dropped ones.
        dropped: number of dropped documents by reason, without duplicates, which a sample cannot show.
        tokens: number of tokens of the kept documents.
        pairs: number of pairs in all splits.
        layouts: estimate for each layout, by its name.
        warnings: what the sample shows that a person should know before the preparation, one sentence each.
    """

    files: int
    passed_over: dict[str, int]
    input_bytes: int
    sampled_bytes: int
    documents: int
    dropped: dict[str, int]
    tokens: int
    pairs: int
    layouts: dict[str, LayoutEstimate]
    warnings: list[str] = dataclasses.field(default_factory=list)


def estimate(
    inputs: Sequence[str],
    config: PrepareConfig,
    *,
    validation_input: Sequence[str] = (),
    test_input: Sequence[str] = (),
    vocabulary: str | None = None,
    tokenizer_model: str | None = None,
    sample_size: SampleSize | None = None,
) -> Estimate:
    """Estimates the output and the time of `prepare` from a sample of the corpus.

    Args:
        inputs: files, folders and globs, as paths or URLs.
        config: the settings of the preparation.
        validation_input: files of the validation split, named as the inputs are; empty to hold out some of these.
        test_input: files of the test split, likewise.
        vocabulary: path or URL of a file of tokens to use; None to learn the vocabulary.
        tokenizer_model: path or URL of the tokenizer's model file; None for a tokenizer without one.
        sample_size: size of the sample; None for the default.

    Returns:
        The estimate.

    Raises:
        UserError: the input cannot be read with these settings, or the sample has no text.
    """
    plan = make_plan(
        inputs,
        config,
        validation_input=validation_input,
        test_input=test_input,
        vocabulary=vocabulary,
        tokenizer_model=tokenizer_model,
    )
    with sample_folder() as folder:
        samples = list(take_samples(plan, folder, sample_size or SampleSize()))
        sampled = sum(sample.corpus_bytes for sample in samples)
        reports, seconds, found_warnings = _run(plan, samples, folder)
    scale = plan.total_bytes / sampled
    # The counts of documents, tokens and pairs are the same in every layout.
    total = next(iter(reports.values()))
    found = _documents(plan, total.documents, scale)
    return Estimate(
        files=len(plan.files),
        passed_over=plan.passed_over_reasons(),
        input_bytes=plan.total_bytes,
        sampled_bytes=round(sampled),
        documents=found,
        dropped={reason: round(found * count / total.documents) for reason, count in total.dropped.items()},
        tokens=round(scale * sum(counts.tokens for counts in total.splits.values())),
        pairs=round(scale * sum(counts.pairs for counts in total.splits.values())),
        layouts={layout: _layout(report, seconds[layout], scale) for layout, report in reports.items()},
        warnings=found_warnings,
    )


def _documents(plan: Plan, sampled: int, scale: float) -> int:
    """Returns the number of documents: exact if every file is one document, else estimated."""
    separated = plan.config.document_separator or plan.config.document_separator_regex
    if not separated and all(file.format == "document" for file in plan.files):
        return len(plan.files)
    return round(sampled * scale)


def _layout(report: UnitReport, seconds: float, scale: float) -> LayoutEstimate:
    """Returns the estimate for a layout.

    Args:
        report: total of the units of the sample.
        seconds: time of the passes over the sample.
        scale: size of the corpus, in sizes of the sample.
    """
    return LayoutEstimate(
        bytes=round(scale * sum(shard.bytes for shard in report.shards)),
        seconds=_START_SECONDS + scale * seconds,
        worker_hours=(os.cpu_count() or 1) * scale * seconds / 3600,
    )


def _run(
    plan: Plan, samples: Sequence[SampledUnit], folder: Path
) -> tuple[dict[str, UnitReport], dict[str, float], list[str]]:
    """Runs the passes over the sample.

    Args:
        plan: the plan of the whole corpus.
        samples: the units of the sample.
        folder: local folder for the sample's dataset.

    Returns:
        The total report for each layout, the time of the passes for each layout, in seconds, and warnings.
    """
    shared, reports, seconds = 0.0, {}, {}
    sample = [one.unit for one in samples]
    workspace = claims.claim(str(folder / "dataset"), dataclasses.replace(plan, files=(), passed_over=()))
    # All text goes to the training split, since a small sample might otherwise leave none for the vocabulary.
    config = dataclasses.replace(
        plan.config, validation_percent=0, test_percent=0, given_splits="", split_field=None, group_field=None
    )
    sample = [unit.without_split() for unit in sample]
    shared += run_in_threads(tokenize.TokenizeUnit(config, workspace), sample, workspace)
    counting = count_tokens.CountUnit(config, workspace)
    shared += run_in_threads(counting, sample, workspace)
    counts = learn_vocabulary(counting, config, workspace, sample)
    for layout in LAYOUTS:
        work = write_shards.WriteUnit(dataclasses.replace(config, layout=layout), workspace)
        workspace.forget(work.stage)
        seconds[layout] = shared + run_in_threads(work, sample, workspace)
        results = [workspace.recorded(work.stage, unit.index) or {} for unit in sample]
        reports[layout] = UnitReport.total(UnitReport.from_json(result) for result in results)
    total = next(iter(reports.values()))
    return reports, seconds, sample_warnings(plan.config, workspace, sample, counts, total)
