"""What a dataset holds: accounts that close, its vocabulary, and some pairs as text."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textgen.dataset.manifest import Manifest

_HEAD, _TAIL, _PAIRS = 10, 5, 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    parser.add_argument("data", type=Path, metavar="DIR", help="a dataset")
    parser.add_argument("--json", action="store_true", help="as one JSON object")


def run(arguments: argparse.Namespace) -> None:
    """Prints the report."""
    from textgen.dataset import read_manifest
    from textgen.text import vocabulary

    manifest = read_manifest(arguments.data)
    words = vocabulary.load(arguments.data)
    pairs = _some_pairs(arguments.data, manifest, words)
    if arguments.json:
        print(json.dumps(_values(manifest, words, pairs), ensure_ascii=False, indent=1))
        return
    ranked = [f"{token!r} {count:,}" for token, count in zip(words.tokens, words.counts, strict=True)]
    print(accounts(manifest))
    print(f"\nvocabulary  {len(ranked):,} tokens and 4 reserved ids")
    print(f"  most frequent   {', '.join(ranked[:_HEAD])}")
    print(f"  least frequent  {', '.join(ranked[-_TAIL:])}")
    print("\npairs")
    for pair in pairs:
        print(f"  {pair['x']!r} → {pair['y']!r}")


def accounts(manifest: "Manifest") -> str:
    """Bytes in → documents kept and dropped → tokens → pairs, as a table."""
    total = manifest.total
    dropped = ", ".join(f"{count:,} {reason}" for reason, count in total.dropped.items()) or "none"
    lines = [
        f"input       {total.bytes:,} bytes, {total.documents:,} documents: {total.kept:,} kept, dropped: {dropped}",
        f"repaired    {total.repaired:,} documents held invalid UTF-8, now U+FFFD",
        f"{'split':<12}{'documents':>11}{'characters':>14}{'tokens':>14}{'unknown':>9}"
        f"{'pairs':>14}{'bytes':>16}{'a pair':>8}",
    ]
    for split, counts in total.splits.items():
        size = sum(shard.bytes for shard in total.shards if shard.split == split)
        lines.append(
            f"{split:<12}{counts.documents:>11,}{counts.characters:>14,}{counts.tokens:>14,}"
            f"{counts.unknown / max(1, counts.tokens):>9.1%}{counts.pairs:>14,}{size:>16,}"
            f"{size / max(1, counts.pairs):>8.1f}"
        )
    return "\n".join(lines)


def _values(manifest: "Manifest", words: Any, pairs: list[dict[str, str]]) -> dict[str, Any]:
    values = manifest.total.to_json()
    shards = values.pop("shards")
    del values["unit"]
    for split, counts in values["splits"].items():
        counts["unknown_rate"] = counts["unknown"] / max(1, counts["tokens"])
        counts["bytes"] = sum(shard["bytes"] for shard in shards if shard["split"] == split)
    ranked = list(zip(words.tokens, words.counts, strict=True))
    return {
        **values,
        "layout": manifest.config.layout,
        "window": manifest.config.window,
        "vocabulary": {
            "size": len(ranked),
            "most_frequent": ranked[:_HEAD],
            "least_frequent": ranked[-_TAIL:],
        },
        "pairs": pairs,
    }


def _some_pairs(data: Path, manifest: "Manifest", words: Any) -> list[dict[str, str]]:
    """Pairs from the first documents of the training split, evenly over a batch."""
    from textgen.config import PAD
    from textgen.dataset import read_pairs

    separator = "" if manifest.text.tokenizer == "char" else " "
    x, y = next(iter(read_pairs(data, batch_size=manifest.config.window + 2)))
    rows = range(0, len(y), max(1, len(y) // _PAIRS))
    return [
        {
            "x": separator.join(words.texts[i] for i in x[row].numpy() if i != PAD),
            "y": words.texts[int(y[row])],
        }
        for row in rows
    ]
