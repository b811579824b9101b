"""Measure how well a trained model predicts held-out text, beside n-gram baselines."""

import argparse
import dataclasses
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from textgen.config import SPLITS, STAGES, AdaptationConfig, GeneratedTextConfig, NeuralCacheConfig, build
from textgen.config.options import CommandParser, add_settings, given
from textgen.console import printable, printable_json, show

if TYPE_CHECKING:
    from textgen.training.evaluation_results import AdaptedMetrics, Baseline, Evaluation, NeuralCacheMetrics
    from textgen.training.text_quality.comparison import TextQuality

_SHOWN_COPY = 200
"""Maximum number of characters of a copied text in the table."""


def add_arguments(parser: CommandParser) -> None:
    """Adds the options."""
    parser.usage = "textgen evaluate RUN --data DIR [options]"
    parser.add_argument("model", metavar="RUN", help="folder of a run")
    parser.add_argument(
        "--data", required=True, metavar="DIR",
        help="dataset with the vocabulary and the cleaning of the run: a folder or a URL",
    )  # fmt: skip
    parser.add_argument(
        "--split", default="test",
        help=f"split to score: {', '.join(SPLITS)}, or all for the whole dataset (default: test)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--tune-adaptation", action="store_true",
        help="find the step sizes of --adapt on the validation split, and save them with the run",
    )  # fmt: skip
    add_settings(parser, STAGES["evaluate"])


def run(arguments: argparse.Namespace) -> None:
    """Prints the evaluation, or the search for step sizes."""
    settings = given(arguments, STAGES["evaluate"])
    cache, adaptation = build(NeuralCacheConfig, settings), build(AdaptationConfig, settings)
    generation = build(GeneratedTextConfig, settings)

    from textgen.api.run import load_run

    run = load_run(arguments.model)
    if arguments.tune_adaptation:
        for sizes, loss in run.tune_adaptation(arguments.data, tokens=adaptation.adapt_tokens):
            show(f"rate {sizes.rate:<6g} decay {sizes.decay:<6g} {loss:.4f} nats per token on validation")
        show("saved the last, which are the best")
        return
    result = run.evaluate(
        arguments.data, arguments.split, neural_cache=cache, adaptation=adaptation, generation=generation
    )
    if arguments.json:
        show(printable_json(json.dumps(dataclasses.asdict(result), ensure_ascii=False, indent=1)))
        return
    show(_table(result))
    if result.generation:
        show("\n" + "\n".join(_quality_table(result.generation, result.split)))


def _table(result: "Evaluation") -> str:
    """Returns the figures of a model, of its neural cache and of the baselines, one per row."""
    context = "the document so far"
    if result.context_tokens is not None:
        context = f"up to {result.context_tokens} tokens, {result.mean_context_tokens:.1f} on average"
    rows = [
        f"{result.split}: {result.pairs:,} targets, each once; context {context}",
        f"{'':<15}{'nats per token':>16}{'perplexity':>12}{'bits per character':>20}{'accuracy':>10}",
        _row("model", result, result.accuracy),
    ]
    if result.neural_cache:
        rows.append(_row("with cache", result.neural_cache, result.neural_cache.accuracy))
    for adapted in result.adapted:
        rows.append(_row("adapted, cache" if adapted.tokens else "adapted", adapted, adapted.accuracy))
    rows += [_row(baseline.name, baseline) for baseline in result.baselines]
    return "\n".join([*rows, f"unknown tokens: {result.unknown_rate:.2%}"])


def _row(
    name: str, score: "Evaluation | NeuralCacheMetrics | AdaptedMetrics | Baseline", accuracy: float | None = None
) -> str:
    bits = "-" if score.bits_per_character is None else f"{score.bits_per_character:.3f}"
    last = "" if accuracy is None else f"{accuracy:>10.1%}"
    return f"{name:<15}{score.loss:>16.4f}{score.perplexity:>12.2f}{bits:>20}{last}"


def _quality_table(quality: "TextQuality", split: str) -> Iterator[str]:
    """Yields the figures of written and of held-out texts, one per row."""
    from textgen.training.text_quality.comparison import shown_rows

    written, held_out = quality.written, quality.held_out
    yield (
        f"{written.texts:,} written texts of {written.tokens:,} tokens, and {held_out.texts:,} of {split} of "
        f"{held_out.tokens:,}; seed {quality.settings.generation_seed}"
    )
    yield f"{'':<36}{'written':>12}{split:>12}"
    for name, ours, theirs in shown_rows(quality):
        yield f"{name:<36}{ours:>12}{theirs:>12}"
    for name, figures in (("written", written), (split, held_out)):
        text = printable(figures.longest_copy_text)
        shown = text if len(text) <= _SHOWN_COPY else f"{text[:_SHOWN_COPY]}…"
        yield f"longest copy in {name}: {shown!r}" if text else f"nothing in {name} is copied"
