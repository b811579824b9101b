"""Measure how well a trained model predicts held-out text, beside n-gram baselines."""

import argparse
import dataclasses
import json

from textgen.config import SPLITS, STAGES, NeuralCacheConfig, build
from textgen.config.options import CommandParser, add_settings, given


def add_arguments(parser: CommandParser) -> None:
    """Adds the options."""
    parser.usage = "textgen evaluate RUN --data DIR [options]"
    parser.add_argument("model", metavar="RUN", help="folder of a run")
    parser.add_argument(
        "--data", required=True, metavar="DIR", help="dataset with the run's vocabulary: a folder or a URL"
    )
    parser.add_argument("--split", default="test", help=f"split to score: {', '.join(SPLITS)} (default: test)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_settings(parser, STAGES["evaluate"])


def run(arguments: argparse.Namespace) -> None:
    """Prints the evaluation."""
    cache = build(NeuralCacheConfig, given(arguments, STAGES["evaluate"]))

    from textgen.runs import load, load_model, run_folder
    from textgen.training.evaluation import Baseline, Evaluation, Remembering, evaluate

    directory = run_folder(arguments.model)
    config = load(directory)
    model = load_model(directory, config)
    result = evaluate(model, config, arguments.data, split=arguments.split, memory=cache)
    if arguments.json:
        print(json.dumps(dataclasses.asdict(result), indent=1))
        return

    def row(name: str, score: Evaluation | Remembering | Baseline) -> str:
        bits = "-" if score.bits_per_character is None else f"{score.bits_per_character:.3f}"
        accuracy = "" if isinstance(score, Baseline) else f"{score.accuracy:>10.1%}"
        return f"{name:<12}{score.loss:>14.4f}{score.perplexity:>12.2f}{bits:>18}{accuracy}"

    context = "the document so far"
    if result.context_tokens is not None:
        context = f"up to {result.context_tokens} tokens, {result.mean_context_tokens:.1f} on average"
    print(f"{result.split}: {result.pairs:,} targets, each once; context {context}")
    print(f"{'':<12}{'nats a token':>14}{'perplexity':>12}{'bits a character':>18}{'accuracy':>10}")
    print(row("model", result))
    if result.remembering:
        print(row("with cache", result.remembering))
    for baseline in result.baselines:
        print(row(baseline.name, baseline))
    print(f"unknown tokens: {result.unknown_rate:.2%}")
