"""Show what a dataset holds: its counts, its vocabulary, and some pairs as text."""

import argparse
import json
from typing import TYPE_CHECKING, Any

from textgen.config import ModelConfig
from textgen.config.options import CommandParser, add_sources
from textgen.config.settings_file import collect, train_configs
from textgen.console import import_tensorflow, printable, printable_json, show
from textgen.errors import require

if TYPE_CHECKING:
    from textgen.dataset import Manifest

USES_TENSORFLOW = False
"""Whether TensorFlow is imported before the command runs; some texts, and a measurement, need it later."""

_HEAD, _TAIL, _PAIRS = 10, 5, 3

_BATCH, _SECONDS = 1024, 5.0
_MODELS = ((8, 3, 50), (128, 1, 128), (128, 2, 256), (256, 2, 1024))
"""Sizes of embedding, numbers of layers and of units: a notebook's, the default, and larger ones."""


def add_arguments(parser: CommandParser) -> None:
    """Adds the options."""
    parser.add_argument("data", metavar="DIR", help="dataset: a folder or a URL")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--throughput",
        action="store_true",
        help="measure for some seconds how many pairs per second this machine reads",
    )
    parser.add_argument(
        "--tflops", type=float, default=10.0, metavar="T",
        help="with --throughput: speed of the accelerator that reads the pairs, in 10¹² operations per second "
        "(default: 10)",
    )  # fmt: skip
    parser.add_argument(
        "--check-cudnn", action="store_true",
        help="check whether a network's LSTMs would run in cuDNN on a GPU with this dataset; --preset or --config "
        "names the network (default: the default network); the exit code is 1 if not",
    )  # fmt: skip
    add_sources(parser, "train")


def run(arguments: argparse.Namespace) -> int:
    """Prints the report, and returns the exit code.

    Raises:
        UserError: the dataset cannot be read, or options do not fit together.
    """
    from textgen.dataset import read_manifest
    from textgen.reporting.example_pairs import vocabulary_and_pairs

    manifest = read_manifest(arguments.data)
    if arguments.check_cudnn:
        import_tensorflow(plots=False)
        from textgen.training.cudnn_check import obstacles

        configs = train_configs(collect("train", {}, file=arguments.config, preset=arguments.preset))
        return print_cudnn(obstacles(arguments.data, **configs))
    require(
        not (arguments.preset or arguments.config),
        "--preset and --config name the network of --check-cudnn. Leave them out, or add --check-cudnn.",
    )
    if arguments.throughput:
        import_tensorflow(plots=False)
        _print_throughput(arguments.data, manifest, arguments.tflops)
        return 0
    words, pairs = vocabulary_and_pairs(arguments.data, manifest, _PAIRS)
    if arguments.json:
        show(printable_json(json.dumps(_values(manifest, words, pairs), ensure_ascii=False, indent=1)))
        return 0
    ranked = [f"{token!r} {count:,}" for token, count in _ranked(words)]
    show(accounts(manifest))
    show(f"\nvocabulary  {len(ranked):,} tokens and 4 reserved ids")
    show(f"  most frequent   {', '.join(ranked[:_HEAD])}")
    show(f"  least frequent  {', '.join(ranked[-_TAIL:])}")
    show("\npairs")
    for pair in pairs:
        show(f"  {pair['x']!r} → {pair['y']!r}")
    return 0


def print_cudnn(obstacles: list[str]) -> int:
    """Prints what keeps LSTMs out of cuDNN, or that nothing does; returns the exit code."""
    show("\n".join(obstacles) or "every LSTM runs in cuDNN on a GPU; all masks that were checked are padded right")
    return 1 if obstacles else 0


def _print_throughput(data: str, manifest: "Manifest", tflops: float) -> None:
    """Prints the reading rate, and the rates at which an accelerator would train models of several sizes."""
    from textgen.dataset.loading.throughput import measure
    from textgen.model.flops import training_flops

    require(tflops > 0, f"tflops is {tflops:g}; it must be above 0.")
    config, served = manifest.config, measure(data, batch_size=_BATCH, seconds=_SECONDS)
    show(
        f"served      {served.pairs_per_second:,.0f} pairs/s of {config.layout}, in shuffled batches of {_BATCH:,} "
        f"with X of {config.window}; the first after {served.first_batch_seconds:.1f} s"
    )
    show(f"{'model':<44}{'operations per pair':>20}{f'pairs/s at {tflops:g} TFLOP/s':>24}{'served ÷ that':>15}")
    for embedding, layers, units in _MODELS:
        model = ModelConfig(embedding=embedding, layers=layers, units=(units,))
        flops = training_flops(model, vocabulary_size=manifest.vocabulary_size, window=config.window)
        wanted = tflops * 1e12 / flops
        name = f"Embedding({embedding}) → {layers} × BiLSTM({units}) → {manifest.vocabulary_size:,}"
        show(f"{name:<44}{flops / 1e6:>18,.0f} M{wanted:>24,.0f}{served.pairs_per_second / wanted:>15.1f}")


def accounts(manifest: "Manifest") -> str:
    """Returns a table of the counts: input bytes, documents kept and dropped; per split tokens, pairs and bytes."""
    total = manifest.total
    dropped = ", ".join(f"{count:,} {printable(reason)}" for reason, count in total.dropped.items()) or "none"
    lines = [
        f"files       {printable(manifest.file_accounts())}",
        f"input       {total.bytes:,} bytes, {total.documents:,} documents: {total.kept:,} kept, dropped: {dropped}",
        f"replaced    {total.replaced_characters:,} invalid characters by U+FFFD, in {total.replaced:,} documents",
        f"{'split':<12}{'documents':>11}{'characters':>14}{'tokens':>14}{'unknown':>9}"
        f"{'pairs':>14}{'bytes':>16}{'per pair':>10}",
    ]
    for split, counts in total.splits.items():
        size = sum(shard.bytes for shard in total.shards if shard.split == split)
        lines.append(
            f"{printable(split):<12}{counts.documents:>11,}{counts.characters:>14,}{counts.tokens:>14,}"
            f"{counts.unknown / max(1, counts.tokens):>9.1%}{counts.pairs:>14,}{size:>16,}"
            f"{size / max(1, counts.pairs):>10.1f}"
        )
    if total.shared:
        lines.append(_shared(manifest))
    lines += [f"warning     {printable(warning)}" for warning in manifest.warnings]
    return "\n".join(lines)


def _shared(manifest: "Manifest") -> str:
    """Returns a line about the held-out documents whose text another split has too."""
    total = manifest.total
    counts = [
        f"{count:,} of {total.splits[split].documents:,} in {printable(split)}"
        for split, count in total.shared.items()
    ]
    line = f"shared      {', '.join(counts)}: held-out documents whose text another split has too"
    if manifest.config.held_out_duplicates == "keep":
        line += "; --held-out-duplicates drop takes them out of training"
    return line


def _values(manifest: "Manifest", words: Any, pairs: list[dict[str, str]]) -> dict[str, Any]:
    values = manifest.total.to_json()
    shards = values.pop("shards")
    del values["unit"], values["dropped_sha256"]
    for split, counts in values["splits"].items():
        counts["unknown_rate"] = counts["unknown"] / max(1, counts["tokens"])
        counts["bytes"] = sum(shard["bytes"] for shard in shards if shard["split"] == split)
    ranked = _ranked(words)
    return {
        "files": {"read": manifest.files, "passed_over": manifest.passed_over},
        **values,
        "warnings": manifest.warnings,
        "layout": manifest.config.layout,
        "window": manifest.config.window,
        "vocabulary": {
            "size": len(ranked),
            "most_frequent": ranked[:_HEAD],
            "least_frequent": ranked[-_TAIL:],
        },
        "pairs": pairs,
    }


def _ranked(words: Any) -> list[tuple[str, int]]:
    """Returns the tokens of a vocabulary and their counts, the most frequent first."""
    # Stable, so that tokens in the order of their counts stay where they are.
    return sorted(zip(words.tokens, words.counts, strict=True), key=lambda row: -row[1])
