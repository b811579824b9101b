from pathlib import Path

import pytest

from tests.reporting.conftest import EVIL
from tests.reporting.reading import Page, check
from textgen.reporting.run_page import run_page


@pytest.fixture(scope="module")
def page(reported_run: Path, reported_data: Path) -> Page:
    return check(run_page(reported_run, data=str(reported_data), split="test"))


def test_held_out_text_has_its_sections(page: Page):
    assert page.text_of("h2")[4:-1] == [
        "Loss by position", "Loss by token frequency", "Calibration", "Best and worst held-out documents",
        "Written text and what it copies",
    ]  # fmt: skip


def test_documents_are_shown_token_by_token(page: Page):
    # Of three documents, one is shorter than 20 tokens twice over; the best and worst are of those that are left.
    headings = [text for text in page.text_of("h3") if text.startswith(("Best", "Worst"))]
    assert len(headings) == 1 and headings[0].endswith("30 tokens")
    marks = [mark for mark in page.named("mark") if "title" in mark]
    assert len(marks) == 30
    assert any(EVIL in text for text in page.text_of("mark"))


def test_what_was_written_is_compared(page: Page):
    rows = page.text_of("th")
    assert "distinct 1-grams" in rows and "longest copy, tokens" in rows
    assert any("texts without a prompt, of at most 200 tokens" in text for text in page.text_of("p"))
