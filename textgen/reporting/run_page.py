"""The report of a run: its curves and samples, and with a dataset what the model does on held-out text."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from textgen import runs
from textgen.config import to_json
from textgen.reporting import held_out_sections, run_curves
from textgen.reporting.held_out_figures import measure_held_out
from textgen.reporting.markup import Content, details, element, items, note, paragraph, table
from textgen.reporting.page import Section, page
from textgen.runs.run_vocabulary import load_preprocessor
from textgen.training.callbacks.history import History, HistoryRow
from textgen.training.callbacks.samples import Sample, read_samples

_SAMPLES = 10
"""Maximum number of samples that are shown, evenly spaced over the training."""


def run_page(run: Path, *, data: str | None, split: str) -> str:
    """Returns the HTML of the report of a run.

    Args:
        run: folder of the run.
        data: folder or URL of its dataset; None to leave out what needs held-out text.
        split: "validation" or "test".

    Raises:
        UserError: the folder is not a run, has no checkpoint yet, is damaged or of another version, or the dataset
            does not fit it.
        OSError: a file cannot be read.
    """
    config = runs.load(run)
    rows = History(run / "history.csv", until_step=sys.maxsize).rows
    samples = read_samples(run / "samples.jsonl")
    preprocessor, model = load_preprocessor(run, config), runs.load_model(run, config)
    sections = [
        Section("summary", "Summary", [*_summary(config, rows, model.count_params())]),
        Section("curves", "Curves", [*run_curves.curves(rows, run)]),
        Section("rates", "Learning rate and gradient", [*run_curves.rates(rows)]),
        Section("samples", "Samples over time", [*_samples(samples)]),
    ]
    if data is None:
        missing = "the loss by position and by token frequency, held-out documents, calibration and what is copied"
        told = note(f"Not shown: {missing}. They need held-out text: add --data with the dataset of this run.")
        sections.append(Section("held-out", "Held-out text", [told]))
    else:
        sections += held_out_sections.sections(measure_held_out(run, config, model, preprocessor, data, split))
    sections.append(Section("settings", "Settings", [_settings(config)]))
    lead = f"{config.model.network}, {config.vocabulary_size:,} ids of {config.text.tokenizer}, at {run}."
    return page(f"Run {run.resolve().name}", lead, sections)


def _summary(config: runs.RunConfig, rows: Sequence[HistoryRow], weights: int) -> Iterator[Content]:
    known = [f"{weights:,} weights, windows of {config.window:,} tokens."]
    if rows:
        last, best = rows[-1], min(rows, key=lambda row: row.monitored)
        seconds = sum(row.seconds for row in rows)
        of = "training" if best.validation_loss is None else "validation"
        known += [
            f"Lowest {of} loss: {best.monitored:.4f} nats per token, at step {best.step:,}; these weights are used.",
            f"Trained {last.step:,} steps, {last.epoch:.2f} epochs, in {seconds:,.0f} seconds: "
            f"{last.pairs_per_second:,.0f} targets per second at the end, {last.bottleneck}.",
        ]
    yield items(known)
    if not rows:
        yield note("There is no history.csv, or it is empty, so there are no curves.")


def _samples(samples: Sequence[Sample]) -> Iterator[Content]:
    if not samples:
        yield note("There is no samples.jsonl, or it is empty: training writes one sample at each check.")
        return
    count = min(_SAMPLES, len(samples))
    indices = sorted({round(i * (len(samples) - 1) / max(1, count - 1)) for i in range(count)})
    sample = samples[-1]
    yield paragraph(
        f"{len(indices):,} of {len(samples):,}, at temperature {sample.temperature:g}, after the prompt "
        f"{sample.prompt!r}."
    )
    for index in reversed(indices):
        yield element("h3", f"Step {samples[index].step:,}")
        yield element("div", samples[index].text, class_="text")


def _settings(config: runs.RunConfig) -> Content:
    rows = [
        [f"{part}.{name}", str(value)]
        for part, values in to_json(config).items()
        if isinstance(values, dict)
        for name, value in values.items()
    ]
    return details("All settings of the run", table("Settings", ["setting", "value"], rows, texts=(1,)))
