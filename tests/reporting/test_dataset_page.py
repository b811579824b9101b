import dataclasses
from pathlib import Path

import pytest

from tests.conftest import CHAR, MakeDataset
from tests.reporting.conftest import EVIL
from tests.reporting.reading import Page, check
from textgen.dataset.storage.manifest import FILE_NAME, read_manifest
from textgen.errors import UserError
from textgen.reporting.dataset_page import dataset_page, shortened


@pytest.fixture(scope="module")
def page(reported_data: Path) -> Page:
    return check(dataset_page(str(reported_data)))


def test_every_section_is_there(page: Page):
    assert page.text_of("h2") == [
        "Counts", "Lengths of documents", "Tokens by rank", "Unknown tokens", "Dropped documents", "Duplicates",
        "Overlap of splits", "Mixing of batches", "First pairs", "Settings",
    ]  # fmt: skip
    assert len([1 for svg in page.named("svg") if svg.get("role") == "img"]) == 3


def test_texts_of_the_corpus_are_escaped(page: Page):
    assert repr(EVIL) in page.text_of("th")
    assert any(EVIL in text for text in page.text_of("td"))


def test_counts_are_those_of_the_manifest(page: Page):
    cells = page.text_of("td")
    # Documents, characters, tokens, unknown tokens and pairs of the test split.
    assert ["3", "38", "38", "1", "41"] in [cells[i : i + 5] for i in range(len(cells))]
    assert any(text.startswith("Input: ") and "8 kept, 2 dropped" in text for text in page.text_of("li"))


def test_what_was_not_kept_is_said_with_the_remedy(page: Page):
    notes = [text for tag, text in page.texts if tag == "p"]
    assert "Their texts were not kept. To see samples here, prepare with --keep-dropped." in notes
    assert any("--duplicates drop takes them out" in text for text in notes)


def test_a_repeated_document_is_counted(page: Page):
    cells = page.text_of("td")
    assert ["4", "1", "25%"] in [cells[i : i + 3] for i in range(len(cells))]


@pytest.mark.parametrize("settings", [{"stride": 7}, {"boundaries": False}, {"window": 1}])
def test_a_dataset_whose_text_cannot_be_restored_has_a_report_too(
    make_dataset: MakeDataset, tmp_path: Path, settings: dict
):
    data = make_dataset(tmp_path / "data", train=[[4, 5, 6, 7, 8] * 4] * 3, test=[[4, 5, 6]], text=CHAR, **settings)
    page = check(dataset_page(str(data)))
    assert "not measurable" in page.text.lower()


def test_warnings_come_first(make_dataset: MakeDataset, tmp_path: Path):
    data = make_dataset(tmp_path / "data", train=[[4, 5, 6]])
    manifest = dataclasses.replace(read_manifest(data), warnings=[f"12% of tokens are {EVIL}."])
    (data / FILE_NAME).write_bytes(manifest.to_bytes())
    page = check(dataset_page(str(data)))
    assert page.text_of("li")[0] == f"12% of tokens are {EVIL}."


def test_a_damaged_dataset_has_none(make_dataset: MakeDataset, tmp_path: Path):
    data = make_dataset(tmp_path / "data", train=[[4, 5, 6]], test=[[4]])
    shard = data / "train-000000.tfrecord"
    shard.write_bytes(shard.read_bytes()[:-9] + b"123456789")
    with pytest.raises(UserError, match=r"differs from the manifest.* `textgen repair`"):
        dataset_page(str(data))
    (data / "vocabulary.jsonl").unlink()
    with pytest.raises(UserError, match=r"vocabulary"):
        dataset_page(str(data))


def test_a_long_text_is_shortened():
    assert shortened("x" * 400) == "x" * 400
    assert shortened("x" * 401) == "x" * 400 + "…"
