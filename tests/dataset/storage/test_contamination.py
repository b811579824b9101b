import dataclasses
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dataset.block_contents import content_of
from textgen.config import SPLITS
from textgen.dataset.storage.contamination import (
    ComparisonSize,
    Contamination,
    Overlap,
    OverlapReport,
    measure_contamination,
)
from textgen.dataset.storage.layouts.spans import Spans
from textgen.dataset.storage.manifest import FILE_NAME, read_manifest
from textgen.dataset.storage.records import RecordFormat
from textgen.dataset.storage.sequencer import DocumentChunks, Sequencer
from textgen.dataset.storage.split_counts import SplitCounts
from textgen.dataset.storage.splits import SplitRanges

HELD_OUT = ("validation", "test")
LONG = list(range(10, 40))
NOVEL = [*range(50, 75)]

# Few distinct ids, so that texts repeat each other; 1 is an unknown token.
documents = st.lists(st.lists(st.sampled_from([1, 4, 5]), max_size=12), max_size=4)
corpora = st.lists(st.fixed_dictionaries(dict.fromkeys(SPLITS, documents)), min_size=1, max_size=3)


def overlaps(validation, test):
    return dict(zip(HELD_OUT, (Overlap(*validation), Overlap(*test)), strict=True))


def naive(units, *, size, held):
    """Returns the overlaps, found by comparing all texts.

    Args:
        units: documents by split, per unit.
        size: number of tokens in a gram.
        held: returns the ids of a document that are in the shards.
    """
    texts = {split: [held(document) for unit in units for document in unit[split]] for split in SPLITS}
    grams = {
        split: [tuple(text[i : i + size]) for text in texts[split] for i in range(len(text) - size + 1)]
        for split in SPLITS
    }
    whole = {
        split: [tuple(d) for unit in units for d in unit[split] if sum(i > 3 for i in d) >= size] for split in SPLITS
    }
    found = {}
    for split in HELD_OUT:
        others = {document for other in SPLITS if other != split for document in whole[other]}
        found[split] = (
            Overlap(len(grams[split]), sum(gram in set(grams["train"]) for gram in grams[split])),
            Overlap(len(whole[split]), sum(document in others for document in whole[split])),
        )
    return {split: both[0] for split, both in found.items()}, {split: both[1] for split, both in found.items()}


def last_target(length, stride):
    """Returns the number of tokens up to the last target of [BOS] t1 … tn [EOS]."""
    return min(length, length // stride * stride + 1)


@given(
    corpora,
    st.sampled_from(["pairs", "spans"]),
    st.integers(2, 5),
    st.integers(1, 5),
    st.integers(1, 4),
    st.sampled_from([1, 8]),
)
@settings(max_examples=120, deadline=None)
def test_overlaps_are_those_found_by_comparing_all_texts(
    build_dataset, units, layout, window, stride, size, block_pairs
):
    stride = min(stride, window)
    if not any(unit[split] for unit in units for split in HELD_OUT):
        return
    by_split = [{split: texts for split, texts in unit.items() if texts} for unit in units]
    with tempfile.TemporaryDirectory() as folder:
        writer = Spans(max_targets=5, min_context=3) if layout == "spans" else None
        found = measure_contamination(
            build_dataset(
                Path(folder) / "data",
                by_split,
                layout=layout,
                window=window,
                stride=stride,
                block_pairs=block_pairs,
                writer=writer,
            ),
            ComparisonSize(gram=size, hashes_at_once=4),
        )
    held = (lambda text: text[: last_target(len(text), stride)]) if layout == "pairs" else (lambda text: text)
    grams, whole = naive(units, size=size, held=held)
    assert found.grams == OverlapReport(grams, 1.0)
    assert found.documents == (
        OverlapReport(whole, 1.0)
        if stride == 1
        else "with a stride above 1 the last tokens of a document may be in no pair"
    )


@pytest.mark.parametrize("layout", ["pairs", "spans"])
def test_a_common_run_of_13_tokens_is_counted_and_one_of_12_is_not(build_dataset, tmp_path, layout):
    units = [{"train": [LONG], "validation": [[4, *LONG[5:18], 5]], "test": [LONG[:12], NOVEL]}]
    found = measure_contamination(build_dataset(tmp_path / "data", units, layout=layout))
    assert found == Contamination(
        OverlapReport(overlaps((3, 1), (13, 0)), 1.0),
        OverlapReport(overlaps((1, 0), (1, 0)), 1.0),
    )


@pytest.mark.parametrize("layout", ["pairs", "spans"])
def test_a_document_of_13_known_tokens_in_another_split_is_counted(build_dataset, tmp_path, layout):
    short, masked = LONG[:12], [*LONG[:12], 1]
    units = [
        {"train": [NOVEL, short, masked], "test": [LONG, short, masked]},
        {"train": [LONG], "validation": [NOVEL[:13], LONG]},
    ]
    found = measure_contamination(build_dataset(tmp_path / "data", units, layout=layout))
    assert found.documents == OverlapReport(overlaps((2, 1), (1, 1)), 1.0)


def test_a_document_in_both_held_out_splits_is_counted_for_each(build_dataset, tmp_path):
    units = [{"train": [NOVEL], "validation": [LONG], "test": [LONG]}]
    assert measure_contamination(build_dataset(tmp_path / "data", units)).documents == OverlapReport(
        overlaps((1, 1), (1, 1)), 1.0
    )


def test_a_sample_is_compared_if_there_are_too_many_hashes(build_dataset, tmp_path):
    random = np.random.default_rng(0)
    held_out = random.integers(4, 900, (2, 3000)).tolist()
    units = [{"train": [held_out[0][:1500]], "validation": held_out[:1], "test": held_out[1:]}]
    folder = build_dataset(tmp_path / "data", units, layout="spans")
    grams = measure_contamination(folder, ComparisonSize(max_hashes=1500)).grams
    assert grams.sampled_fraction == 0.25
    # Four standard deviations of a sample of a quarter of about 3,000.
    assert abs(grams.overlaps["validation"].found - 750) < 95
    assert abs(grams.overlaps["validation"].shared - 372) < 67
    assert grams.overlaps["test"].shared == 0


@pytest.mark.parametrize("stride", [1, 2, 3, 7])
@pytest.mark.parametrize("cuts", [[], [2], [1, 2, 3], [5, 6, 13, 14], [7, 20], [25, 27]])
def test_a_document_written_in_chunks_is_restored_whole(stride, cuts):
    layout, written = Spans(max_targets=4, min_context=8), RecordFormat(8, stride, 100)
    sequencer = Sequencer("train", boundaries=True, stride=stride, context=8)
    contents = [
        content_of(made, offset=begin)
        for begin, end in zip([0, *cuts], [*cuts, len(LONG)], strict=True)
        for made in layout.encode(sequencer.sequences(_chunk(LONG, begin, end)), written)
        if len(made.ends)
    ]
    texts = [token for restored in layout.restore(contents, written) for token in restored.ids.tolist()]
    whole = [2, *LONG, 3]
    assert texts == whole[: len(texts)]
    assert len(whole) - len(texts) < stride


def _chunk(document, begin, end):
    none, length = np.zeros(1, int), np.array([len(document)])
    return DocumentChunks(
        ids=np.array([*document[begin:end], 2, 3]),
        edges=np.array([0, end - begin]),
        id_edges=None,
        offsets=np.array([begin]),
        totals=length,
        characters=length,
        split_ranges=SplitRanges(np.zeros((3, 1), int), np.stack([length, none, none])),
    )


@pytest.mark.parametrize(
    ("settings", "grams", "whole"),
    [
        ({"window": 2, "stride": 3}, "the stride, 3, leaves out tokens, as it is above the window, 2", None),
        ({"window": 1}, "windows of 1 token do not tell where documents begin", None),
        ({"split_by": "tail"}, None, "every document is in all splits, a part in each"),
        ({"boundaries": False}, None, "the shards do not tell where documents end, as there is no [EOS]"),
    ],
)
def test_the_report_says_why_an_overlap_cannot_be_measured(build_dataset, tmp_path, settings, grams, whole):
    of_shards = {name: settings[name] for name in ("window", "stride", "boundaries") if name in settings}
    folder = build_dataset(tmp_path / "data", [{"train": [LONG], "test": [LONG]}], **of_shards)
    manifest = read_manifest(folder)
    changed = dataclasses.replace(manifest, config=dataclasses.replace(manifest.config, **settings))
    (folder / FILE_NAME).write_bytes(changed.to_bytes())
    found = measure_contamination(folder)
    assert found.grams == (grams or OverlapReport(overlaps((0, 0), (18, 18)), 1.0))
    assert found.documents == (whole or grams)


def test_the_report_says_that_nothing_is_held_out(build_dataset, tmp_path):
    folder = build_dataset(tmp_path / "data", [{"train": [LONG]}])
    assert read_manifest(folder).total.splits["test"] == SplitCounts()
    assert measure_contamination(folder) == Contamination("nothing is held out", "nothing is held out")
