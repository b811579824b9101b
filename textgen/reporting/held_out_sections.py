"""Sections of a run's report about held-out text: where the model is right, where it is wrong, what it copies."""

from collections.abc import Iterator, Sequence

from textgen.reporting import held_out_scores, tinted_text
from textgen.reporting.held_out_figures import HeldOutFigures
from textgen.reporting.held_out_scores import ScoredDocument, TargetGroup
from textgen.reporting.markup import Content, details, element, paragraph, table
from textgen.reporting.page import Section
from textgen.reporting.plots import Axis, Series, percent, plot
from textgen.text.preprocessor import Preprocessor
from textgen.training.text_quality.comparison import TextQuality, shown_rows

_DOCUMENTS = 3
_FEWEST_TOKENS = 20
"""Number of tokens below which a document is not among the best and the worst, unless all are shorter."""


def sections(figures: HeldOutFigures) -> Iterator[Section]:
    """Yields the sections about what was measured."""
    documents = figures.documents
    yield Section("position", "Loss by position", [*_by_position(documents, figures.window, figures.split)])
    yield Section("frequency", "Loss by token frequency", [*_by_frequency(documents, figures.counts)])
    yield Section("calibration", "Calibration", [*_calibration(documents)])
    yield Section("documents", "Best and worst held-out documents", [*_documents(documents, figures.preprocessor)])
    yield Section("copies", "Written text and what it copies", [*_quality(figures.quality, figures.split)])


def _by_position(documents: Sequence[ScoredDocument], window: int | None, split: str) -> Iterator[Content]:
    tokens = sum(len(one.ids) for one in documents)
    losses = sum(one.loss * len(one.ids) for one in documents) / tokens
    yield paragraph(
        f"Scored: the first tokens of {len(documents):,} of the documents of {split}, drawn at random: {tokens:,} "
        f"tokens, {losses:.4f} nats per token. ",
        element("code", "textgen evaluate"),
        " scores the whole split.",
    )
    groups = held_out_scores.loss_by_context(documents, window=window)
    series = Series("loss", [group.at for group in groups], [group.loss for group in groups])
    label = "tokens before it, [BOS] included" if window is None else "tokens before it in the window"
    x = Axis(label, log=window is None, low=1)
    yield plot("Loss by position", x, Axis("nats per token"), [series], has_table=False)
    yield details("Figures as a table", _group_table("Loss by the number of tokens before a token", "before", groups))


def _by_frequency(documents: Sequence[ScoredDocument], counts: Sequence[int]) -> Iterator[Content]:
    groups = held_out_scores.loss_by_frequency(documents, counts)
    known = [group for group in groups if group.at >= 0]
    series = Series("loss", [10**group.at for group in known], [group.loss for group in known])
    x = Axis("occurrences in the training text, from", log=True)
    yield plot("Loss by token frequency", x, Axis("nats per token"), [series], has_table=False)
    yield _group_table("Loss of tokens by their occurrences in the training text", "occurrences", groups)


def _group_table(caption: str, name: str, groups: Sequence[TargetGroup]) -> Content:
    rows = [[group.name, f"{group.tokens:,}", f"{group.loss:.3f}"] for group in groups]
    return table(caption, [name, "tokens", "nats per token"], rows)


def _calibration(documents: Sequence[ScoredDocument]) -> Iterator[Content]:
    found = held_out_scores.calibration(documents)
    yield paragraph(
        f"Expected calibration error: {found.error:.3f}. Where the curve is below the diagonal, the model is surer "
        "of its most likely token than it should be."
    )
    share = Axis("probability of the most likely token", low=0, high=1, shown=percent)
    hits = Axis("how often it is right", low=0, high=1, shown=percent)
    curves = [Series("model", found.confidences, found.accuracies), Series("as it should be", [0, 1], [0, 1])]
    yield plot("Calibration", share, hits, curves, has_table=False)
    rows = [
        [percent(confidence), percent(accuracy), f"{tokens:,}"]
        for confidence, accuracy, tokens in zip(found.confidences, found.accuracies, found.tokens, strict=True)
    ]
    head = ["mean probability", "how often right", "tokens"]
    yield details("Figures as a table", table("Most likely tokens by their probability", head, rows))


def _documents(documents: Sequence[ScoredDocument], preprocessor: Preprocessor) -> Iterator[Content]:
    long = [one for one in documents if len(one.ids) >= _FEWEST_TOKENS] or list(documents)
    best, worst = long[:_DOCUMENTS], long[_DOCUMENTS:][-_DOCUMENTS:][::-1]
    yield tinted_text.legend()
    for name, some in (("Best", best), ("Worst", worst)):
        for number, one in enumerate(some, 1):
            yield element("h3", f"{name} {number}: {one.loss:.3f} nats per token, {len(one.ids):,} tokens")
            yield tinted_text.tinted(one, preprocessor)


def _quality(quality: TextQuality, split: str) -> Iterator[Content]:
    settings = quality.settings
    yield paragraph(
        f"The model wrote {quality.written.texts:,} texts without a prompt, of at most "
        f"{settings.generation_tokens:,} tokens, at temperature {settings.generation_temperature:g} with seed "
        f"{settings.generation_seed}. Beside them stands as much text of {split}. ",
        element("code", "textgen evaluate --generation"),
        " measures with other settings, and its guide (docs/guide/generate.md) explains the figures.",
    )
    yield table("Written and held-out text", ["", "written", split], list(shown_rows(quality)))
    for name, figures in (("written", quality.written), (split, quality.held_out)):
        if figures.longest_copy:
            yield element("h3", f"Longest run of tokens in {name} text that the training text has too")
            yield element("div", figures.longest_copy_text, class_="text")
