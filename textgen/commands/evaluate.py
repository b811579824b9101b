"""How well a run predicts held-out text: loss, perplexity, bits per character, beside n-gram baselines."""

import argparse
import dataclasses
import json

from textgen.config import MemoryConfig


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    parser.add_argument("model", metavar="RUN", help="a run")
    parser.add_argument(
        "--data", required=True, metavar="DIR", help="the dataset that it was trained on: a folder or a URL"
    )
    parser.add_argument("--split", default="test", help="train, validation or test (default)")
    parser.add_argument(
        "--memory",
        type=int,
        default=0,
        metavar="TOKENS",
        help="also score an lstm that remembers so much of the text",
    )
    for name, told in (("sharpness", "how much more like places count"), ("share", "of the memory in predictions")):
        default = getattr(MemoryConfig, name)
        parser.add_argument(f"--memory-{name}", type=float, default=default, help=f"{told} (default: {default})")
    parser.add_argument("--json", action="store_true", help="as one JSON object")


def run(arguments: argparse.Namespace) -> None:
    """Prints the evaluation."""
    from textgen.runs import load, load_model, run_folder
    from textgen.training.evaluation import Baseline, Evaluation, Remembering, evaluate

    memory = MemoryConfig(tokens=arguments.memory, sharpness=arguments.memory_sharpness, share=arguments.memory_share)
    directory = run_folder(arguments.model)
    config = load(directory)
    model = load_model(directory, config)
    result = evaluate(model, config, arguments.data, split=arguments.split, memory=memory)
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
        print(row("with memory", result.remembering))
    for baseline in result.baselines:
        print(row(baseline.name, baseline))
    print(f"unknown tokens: {result.unknown_rate:.2%}")
