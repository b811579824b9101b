from tests.reporting.reading import check
from textgen.reporting.markup import paragraph
from textgen.reporting.page import MARKER, Section, page

EVIL = "</title></style><script>alert(1)</script>"


def test_a_page_needs_nothing_else_and_escapes_its_texts():
    html = page(EVIL, EVIL, [Section("a", EVIL, [paragraph(EVIL), EVIL]), Section("b", "Second", [])])
    found = check(html)
    assert found.text_of("title") == [EVIL]
    assert found.text_of("h2") == [EVIL, "Second"]
    assert [link["href"] for link in found.named("a")] == ["#a", "#b"]
    metas = {meta.get("name", meta.get("http-equiv")): meta.get("content") for meta in found.named("meta")}
    assert metas["Content-Security-Policy"].startswith("default-src 'none'; style-src 'unsafe-inline'")
    assert metas["viewport"] == "width=device-width, initial-scale=1"
    assert metas["color-scheme"] == "light dark"


def test_a_report_is_known_by_its_beginning():
    assert MARKER in page("title", "lead", [])[:200]
