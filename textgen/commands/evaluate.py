"""How well a run predicts held-out text: loss, perplexity, bits per character, beside a unigram baseline."""

import argparse
import dataclasses
import json
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    parser.add_argument("model", type=Path, metavar="RUN", help="a run")
    parser.add_argument(
        "--data", required=True, metavar="DIR", help="the dataset that it was trained on: a folder or a URL"
    )
    parser.add_argument("--split", default="test", help="train, validation or test (default)")
    parser.add_argument("--json", action="store_true", help="as one JSON object")


def run(arguments: argparse.Namespace) -> None:
    """Prints the evaluation."""
    from textgen.model.run import load, load_model
    from textgen.training.evaluation import evaluate

    config = load(arguments.model)
    model = load_model(arguments.model, config)
    result = evaluate(model, config, arguments.data, split=arguments.split)
    if arguments.json:
        print(json.dumps(dataclasses.asdict(result), indent=1))
        return

    def bits(value: float | None) -> str:
        return "-" if value is None else f"{value:.3f}"

    print(f"{result.split}: {result.pairs:,} targets, each once; context {result.context_tokens} tokens")
    print(f"{'':<12}{'nats a token':>14}{'perplexity':>12}{'bits a character':>18}{'accuracy':>10}")
    print(
        f"{'model':<12}{result.loss:>14.4f}{result.perplexity:>12.2f}{bits(result.bits_per_character):>18}"
        f"{result.accuracy:>10.1%}"
    )
    print(
        f"{'unigram':<12}{result.unigram_loss:>14.4f}{result.unigram_perplexity:>12.2f}"
        f"{bits(result.unigram_bits_per_character):>18}"
    )
    print(f"unknown tokens: {result.unknown_rate:.2%}")
