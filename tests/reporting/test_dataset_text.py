from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import MakeDataset
from tests.reporting.reading import Page
from textgen.dataset import read_manifest
from textgen.reporting import dataset_text
from textgen.reporting.dataset_scan import Passage, SplitScan
from textgen.reporting.markup import join
from textgen.text.vocabulary import Vocabulary


def _rows(page: Page) -> list[list[str]]:
    """Cells of the tables that are not in details, by rows of as many cells as the first table has columns."""
    width = len([th for th in page.named("th") if th["scope"] == "col"])
    cells = [text for tag, text in page.texts if tag in ("th", "td")]
    return [cells[i : i + width] for i in range(0, len(cells), width)]


def test_lengths_are_counted_up_to_each_share():
    scan = SplitScan(Counter({1: 10, 5: 80, 9: 9, 1000: 1}), [])
    table, _ = dataset_text.lengths({"train": scan}, "")
    _, row = _rows(Page(table))
    assert row == ["train", "100", "14.9", "1", "1", "5", "5", "9", "1,000"]


def test_a_dataset_that_leaves_out_tokens_has_no_lengths():
    (note,) = dataset_text.lengths({}, "the stride leaves out tokens")
    assert "Not measurable, since the stride leaves out tokens. Prepare with --stride 1" in note


def test_tokens_are_ranked_by_their_counts(make_dataset: MakeDataset, tmp_path: Path):
    manifest = read_manifest(make_dataset(tmp_path / "data", train=[[4]]))
    words = Vocabulary(("a", "b", "c", "d"), (1, 6, 3, 0))
    told, *_ = dataset_text.tokens_by_rank(words, manifest)
    assert "4 tokens. The 1 most frequent ones are half" in told
    assert "1 do not occur in it" in told
    page = Page(join(dataset_text.tokens_by_rank(words, manifest)))
    assert page.text_of("figcaption") == ["Occurrences of tokens in the training text by rank"]
    (note,) = dataset_text.tokens_by_rank(words._replace(counts=(0, 0, 0, 0)), manifest)
    assert "without counts" in note


def test_unknown_tokens_are_shown_in_their_places(make_dataset: MakeDataset, tmp_path: Path):
    data = make_dataset(tmp_path / "data", train=[[4, 5, 1, 6]])
    manifest = read_manifest(data)
    words = Vocabulary(tuple("abcdefghijklmnop"), (1,) * 16)
    scans = {"train": SplitScan(Counter({4: 1}), [Passage([4, 5], [6])])}
    page = Page(join(dataset_text.unknown(str(data), manifest, words, scans)))
    assert "ab[UNK]c" in page.text_of("td")
    assert "25%" in page.text_of("td")


def test_overlap_and_mixing_are_measured(make_dataset: MakeDataset, tmp_path: Path):
    text = list(range(4, 20))
    data = str(make_dataset(tmp_path / "data", train=[text] * 9, test=[text], layout="spans"))
    page = Page(join(dataset_text.overlap(data, read_manifest(data))))
    assert page.text_of("td").count("100%") == 2
    page = Page(join(dataset_text.mixing(data, read_manifest(data))))
    assert "153 pairs in 1 block," in page.text
    assert len(page.named("circle")) == 153


@pytest.mark.parametrize("layout", ["pairs", "spans"])
def test_pairs_are_shown_as_text(make_dataset: MakeDataset, tmp_path: Path, layout: str):
    data = str(make_dataset(tmp_path / "data", train=[[4, 5, 6]], layout=layout))
    page = Page(join(dataset_text.first_pairs(data, read_manifest(data))))
    assert page.text_of("td")[:4] == ["[BOS]", "'a'", "[BOS]a", "'b'"]
