"""Sections of a dataset's report about its text: lengths, tokens, overlap of splits, and what batches look like."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np

from textgen.config import RESERVED, UNK
from textgen.dataset import Manifest
from textgen.dataset.loading.mixing import first_positions
from textgen.dataset.storage.contamination import GRAM, OverlapReport, measure_contamination
from textgen.reporting.dataset_scan import SplitScan
from textgen.reporting.example_pairs import decoded, vocabulary_and_pairs
from textgen.reporting.markup import Content, details, element, note, paragraph, table
from textgen.reporting.plots import Axis, Series, percent, plot
from textgen.text.vocabulary import Vocabulary

_QUANTILES = (0.0, 0.1, 0.5, 0.9, 0.99, 1.0)
_FREQUENT, _RARE, _POINTS = 20, 10, 300
_PAIRS = 8
_PLOTTED, _MEASURED, _BATCHES = 512, 1 << 16, (32, 128, 1024)
_SEED = 0


def lengths(scans: Mapping[str, SplitScan], unrestorable: str) -> Iterator[Content]:
    """Yields the number of tokens of documents."""
    if unrestorable:
        yield note(f"Not measurable, since {unrestorable}. Prepare with --stride 1 and --layout spans.")
        return
    head = ["split", "documents", "mean", "shortest", "10% up to", "50% up to", "90% up to", "99% up to", "longest"]
    rows = []
    for split, scan in scans.items():
        values, counts = _sorted(scan.lengths)
        total = int(counts.sum())
        # The first length up to which there are so many documents.
        at = np.searchsorted(np.cumsum(counts), [max(1, math.ceil(q * total)) for q in _QUANTILES])
        mean = float(values @ counts / total)
        rows.append([split, f"{total:,}", f"{mean:,.1f}", *(f"{values[i]:,}" for i in at)])
    yield table("Tokens per document, without [BOS] and [EOS]", head, rows)
    series = [Series(split, *_shares_by_length(scan.lengths)) for split, scan in scans.items()]
    x, y = Axis("tokens per document", log=True), Axis("share of documents", low=0, shown=percent)
    yield plot("Documents by length", x, y, series, caption="Each point is all lengths from it up to its double.")


def _sorted(counts: Counter[int]) -> tuple[np.ndarray, np.ndarray]:
    values, numbers = zip(*sorted(counts.items()), strict=True)
    return np.array(values, np.int64), np.array(numbers, np.int64)


def _shares_by_length(counts: Counter[int]) -> tuple[list[float], list[float]]:
    """Returns the powers of two, and the share of documents from each up to its double."""
    total = counts.total()
    doubles = Counter[int]()
    for length, count in counts.items():
        doubles[max(0, length.bit_length() - 1)] += count
    exponents = range(min(doubles), max(doubles) + 1)
    return [2.0**e for e in exponents], [doubles[e] / total for e in exponents]


def tokens_by_rank(words: Vocabulary, manifest: Manifest) -> Iterator[Content]:
    """Yields how often each token occurs, the most frequent first."""
    ranked = sorted(zip(words.tokens, words.counts, strict=True), key=lambda row: -row[1])
    counts = np.array([count for _, count in ranked], np.int64)
    total = int(counts.sum())
    if not total:
        yield note("The vocabulary was given as a text file without counts, so that ranks are not known.")
        return
    half = int(np.searchsorted(np.cumsum(counts), total / 2)) + 1
    unused = int((counts == 0).sum())
    yield paragraph(
        f"{len(ranked):,} tokens. The {half:,} most frequent ones are half of all known tokens of the training text."
        + (f" {unused:,} do not occur in it." if unused else "")
    )
    ranks = np.unique(np.geomspace(1, len(ranked), _POINTS).round().astype(int))
    series = Series("tokens", ranks.tolist(), counts[ranks - 1].tolist())
    x, y = Axis("rank", log=True), Axis("occurrences", log=True)
    yield plot("Occurrences of tokens in the training text by rank", x, y, [series])
    rows = [[repr(token), f"{count:,}", percent(count / total)] for token, count in ranked[:_FREQUENT]]
    yield table("The most frequent tokens", ["token", "occurrences", "of all"], rows)
    rare = [[repr(token), f"{count:,}"] for token, count in ranked[-_RARE:]]
    yield details("The least frequent tokens", table("The least frequent tokens", ["token", "occurrences"], rare))


def unknown(
    directory: str, manifest: Manifest, words: Vocabulary, scans: Mapping[str, SplitScan]
) -> Iterator[Content]:
    """Yields the shares of unknown tokens, and some of them in their sentences."""
    rows = [
        [split, f"{counts.unknown:,}", percent(counts.unknown / counts.tokens)]
        for split, counts in manifest.total.splits.items()
        if counts.tokens
    ]
    yield table("Tokens outside the vocabulary", ["split", "unknown", "of all tokens"], rows)
    examples = manifest.unknown_examples
    if examples:
        named = [[repr(token), f"{count:,}"] for token, count in examples.items()]
        yield table("The most frequent of them in the training text", ["token", "occurrences"], named)
    elif any(counts.unknown for counts in manifest.total.splits.values()):
        yield note(
            "None of them is named here: the manifest names the most frequent ones of the training text, if words or "
            "characters are tokens. A dataset of an earlier version has them when it is prepared again."
        )
    places = [(split, passage) for split, scan in scans.items() for passage in scan.unknown]
    if not places:
        return
    given = [("", [*before, UNK, *after]) for _, (before, after) in places]
    texts = decoded(directory, manifest, words, given)
    yield table(
        f"Where they stand, as {RESERVED[UNK]}",
        ["split", "text around an unknown token"],
        [[split, text] for (split, _), text in zip(places, texts, strict=True)],
        texts=(1,),
    )


def overlap(directory: str, manifest: Manifest) -> Iterator[Content]:
    """Yields how much of the held-out text stands in other splits."""
    found = measure_contamination(directory)
    for name, report in (
        (f"Held-out {GRAM}-grams of tokens that the training split has too", found.grams),
        ("Held-out documents whose tokens another split has too", found.documents),
    ):
        yield (
            _overlap_table(name, report)
            if isinstance(report, OverlapReport)
            else note(f"{name}: not measurable, since {report}.")
        )
    for split, count in manifest.total.shared.items():
        yield paragraph(f"{count:,} documents of {split} have a text that another split has too.")


def _overlap_table(name: str, report: OverlapReport) -> Content:
    rows = [
        [split, f"{one.found:,}", f"{one.shared:,}", percent(one.shared / max(1, one.found))]
        for split, one in report.overlaps.items()
    ]
    sampled = f", in a sample of {percent(report.sampled_fraction)}" if report.sampled_fraction < 1 else ""
    return table(name + sampled, ["split", "compared", "shared", "share"], rows)


def mixing(directory: str, manifest: Manifest) -> Iterator[Content]:
    """Yields where the first pairs of a shuffled epoch come from."""
    found = first_positions(directory, seed=_SEED, count=_MEASURED)
    several = f"{found.blocks:,} block{'s' * (found.blocks != 1)}"
    yield paragraph(
        f"The training split has {found.pairs:,} pairs in {several}, of which "
        f"{min(found.blocks, found.group_blocks):,} from anywhere in the split are permuted together."
    )
    shown = found.positions[:_PLOTTED] / max(1, found.pairs - 1)
    series = Series("pairs", np.arange(len(shown)).tolist(), shown.tolist(), points=True)
    x = Axis("place in the order of training")
    y = Axis("place in the corpus", low=0, high=1, shown=percent)
    caption = (
        f"The first {len(shown):,} pairs with seed {_SEED}. Points all over the height mean that a batch has text "
        "from all over the corpus; a line would be the order of the corpus."
    )
    yield plot("Where the first pairs stand in the corpus", x, y, [series], caption=caption)
    window = manifest.config.window
    rows = [
        [f"{size:,}", percent(share)] for size in _BATCHES if (share := found.near_share(size, window)) is not None
    ]
    if rows:
        name = f"Pairs with another pair of their batch less than {window} tokens away, which shares tokens with it"
        yield table(name, ["batch size", "share", "in random batches"], rows)


def first_pairs(directory: str, manifest: Manifest) -> Iterator[Content]:
    """Yields the first pairs of the training split as text."""
    _, pairs = vocabulary_and_pairs(directory, manifest, _PAIRS)
    rows = [[str(number), pair["x"], repr(pair["y"])] for number, pair in enumerate(pairs, 1)]
    yield table("Some of the first pairs: X, and the token after it", ["", "X", "y"], rows, texts=(1, 2))
    yield element("p", "X is at most ", f"{manifest.config.window:,}", " tokens, and begins at the document's start.")
