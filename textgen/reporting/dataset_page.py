"""The report of a dataset: what it holds, from the manifest, the vocabulary and one pass over the shards."""

from collections.abc import Iterator, Mapping

from textgen.config import to_json
from textgen.dataset import Manifest, read_manifest
from textgen.dataset.storage.restored_text import not_restorable
from textgen.reporting import dataset_text
from textgen.reporting.dataset_scan import SplitScan, scan
from textgen.reporting.dropped_samples import dropped_samples
from textgen.reporting.markup import Content, Markup, details, element, items, note, paragraph, table
from textgen.reporting.page import Section, page
from textgen.reporting.plots import percent
from textgen.text import vocabulary

_SHOWN = 400
"""Maximum number of characters of a sample."""


def dataset_page(directory: str) -> str:
    """Returns the HTML of the report of a dataset.

    Args:
        directory: folder of the dataset, local or a URL.

    Raises:
        UserError: the folder is not a dataset, or it is damaged or of another version.
        OSError: a file cannot be read.
    """
    manifest = read_manifest(directory)
    words = vocabulary.load_own(directory, manifest.vocabulary)
    unrestorable = not_restorable(manifest)
    scans = {} if unrestorable else scan(directory, manifest)
    total = manifest.total
    pairs = sum(counts.pairs for counts in total.splits.values())
    lead = f"{total.kept:,} documents, {pairs:,} pairs of {manifest.config.window} tokens → 1, at {directory}."
    sections = [
        Section("counts", "Counts", [*_counts(manifest)]),
        Section("lengths", "Lengths of documents", [*dataset_text.lengths(scans, unrestorable)]),
        Section("tokens", "Tokens by rank", [*dataset_text.tokens_by_rank(words, manifest)]),
        Section("unknown", "Unknown tokens", [*dataset_text.unknown(directory, manifest, words, scans)]),
        Section("dropped", "Dropped documents", [*_dropped(directory, manifest)]),
        Section("duplicates", "Duplicates", [*_duplicates(manifest, scans)]),
        Section("overlap", "Overlap of splits", [*dataset_text.overlap(directory, manifest)]),
        Section("mixing", "Mixing of batches", [*dataset_text.mixing(directory, manifest)]),
        Section("pairs", "First pairs", [*dataset_text.first_pairs(directory, manifest)]),
        Section("settings", "Settings", [_settings(manifest)]),
    ]
    return page(f"Dataset {directory.rstrip('/').rpartition('/')[2] or directory}", lead, sections)


def _counts(manifest: Manifest) -> Iterator[Markup]:
    total = manifest.total
    if manifest.warnings:
        yield element("div", element("strong", "Before training: "), items(manifest.warnings), class_="note")
    dropped = sum(total.dropped.values())
    yield items(
        [
            f"Files: {manifest.file_accounts()}.",
            f"Input: {total.bytes:,} bytes, {total.documents:,} documents: {total.kept:,} kept, {dropped:,} dropped.",
            f"Characters that were no valid text: {total.replaced_characters:,}, replaced by U+FFFD in "
            f"{total.replaced:,} documents.",
            f"Vocabulary: {manifest.vocabulary_size:,} ids, four of them reserved; tokenizer "
            f"{manifest.text.tokenizer}.",
        ]
    )
    rows = []
    for split, counts in total.splits.items():
        size = sum(shard.bytes for shard in total.shards if shard.split == split)
        numbers = (counts.documents, counts.characters, counts.tokens, counts.unknown, counts.pairs, size)
        shares = percent(counts.unknown / max(1, counts.tokens)), f"{size / max(1, counts.pairs):.1f}"
        rows.append([split, *(f"{number:,}" for number in numbers), *shares])
    head = ["split", "documents", "characters", "tokens", "unknown", "pairs", "bytes", "unknown share", "bytes/pair"]
    yield table("Counts of each split", head, rows)


def _dropped(directory: str, manifest: Manifest) -> Iterator[Content]:
    total = manifest.total
    if not total.dropped:
        yield paragraph("No document was dropped, and no item of the input was rejected.")
        return
    by_count = sorted(total.dropped.items(), key=lambda row: -row[1])
    rows = [[reason, f"{count:,}", percent(count / max(1, total.documents))] for reason, count in by_count]
    yield table("Items of the input that are no documents of the dataset", ["reason", "number", "of all"], rows)
    if not manifest.config.keep_dropped:
        yield note("Their texts were not kept. To see samples here, prepare with --keep-dropped.")
        return
    samples = dropped_samples(directory, manifest)
    for reason, _ in by_count:
        yield element("h3", f"Samples: {reason}")
        texts = samples.get(reason, ())
        yield from (element("div", shortened(text) or "(no text)", class_="text") for text in texts)
        if not texts:
            yield paragraph("None was kept, as of items without content.")


def _duplicates(manifest: Manifest, scans: Mapping[str, SplitScan]) -> Iterator[Content]:
    selection, total = manifest.config.selection, manifest.total
    found = {reason: count for reason, count in total.dropped.items() if "duplicate" in reason}
    searches_near = selection.near_duplicates > 0
    searches = searches_near or selection.duplicates == "drop"
    if not searches:
        yield paragraph("The preparation did not look for exact duplicates; --duplicates drop takes them out.")
    if not searches_near:
        yield paragraph("The preparation did not look for near duplicates; --near-duplicates 0.8 takes them out.")
    if found:
        rows = [[reason, f"{count:,}", percent(count / total.documents)] for reason, count in found.items()]
        yield table("Duplicates that were taken out", ["reason", "documents", "of all"], rows)
    elif searches:
        yield paragraph("None was found.")
    rows = [
        [split, f"{one.compared:,}", f"{one.repeated:,}", percent(one.repeated / one.compared)]
        for split, one in scans.items()
        if one.compared
    ]
    if rows:
        head = ["split", "compared", "repeated", "share"]
        yield table("Documents that are left whose tokens equal those of another one of their split", head, rows)


def _settings(manifest: Manifest) -> Markup:
    rows = [
        (f"{part}.{name}" if part else name, str(value))
        for part, values in _parts(to_json(manifest.config))
        for name, value in values.items()
    ]
    return details("All settings of the preparation", table("Settings", ["setting", "value"], rows, texts=(1,)))


def _parts(values: dict[str, object]) -> Iterator[tuple[str, dict[str, object]]]:
    """Yields the settings outside of parts, and then each part with its name."""
    yield "", {name: value for name, value in values.items() if not isinstance(value, dict)}
    yield from ((name, value) for name, value in values.items() if isinstance(value, dict))


def shortened(text: str) -> str:
    """Returns the beginning of a text."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
