"""Reads the HTML of a report as a browser would, and checks it."""

from html.parser import HTMLParser

_EMPTY = ("meta",)
_BLOCKS = ("div", "p", "ul", "table", "figure", "details", "h1", "h2", "h3", "section")


class Page(HTMLParser):
    """Elements and texts of a page.

    Attributes:
        elements: name and attributes of each element, in order.
        texts: each text with the name of the element around it.
    """

    def __init__(self, html: str):
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open, self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # A browser would end the paragraph.
        assert not (self._open and self._open[-1] == "p" and tag in _BLOCKS), tag
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in _EMPTY:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self._open[-1] if self._open else "", data))

    def named(self, name: str) -> list[dict[str, str]]:
        """Attributes of the elements with a name."""
        return [attributes for tag, attributes in self.elements if tag == name]

    def text_of(self, name: str) -> list[str]:
        """Texts directly in elements with a name."""
        return [text for tag, text in self.texts if tag == name]

    @property
    def text(self) -> str:
        """All text but the style."""
        return "".join(text for tag, text in self.texts if tag != "style")


def check(html: str) -> Page:
    """Parses a report, and checks that it needs nothing else, runs nothing, and can be read by everyone."""
    page = Page(html)
    names = {name for name, _ in page.elements}
    assert not names & {"script", "link", "img", "iframe", "object", "embed", "base", "form"}
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    # Links lead to sections of the page, all of which are there; ids are unique.
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.elements:
        assert "src" not in attributes and "style" not in attributes
        if "href" in attributes:
            assert attributes["href"].removeprefix("#") in ids
        for name in attributes.get("aria-labelledby", "").split():
            assert name in ids
    (style,) = page.text_of("style")
    assert "prefers-color-scheme: dark" in style and "url(" not in style and "@import" not in style
    assert len(page.named("table")) == len(page.named("caption"))
    assert len(page.named("h1")) == 1
    drawings = [attributes for attributes in page.named("svg") if attributes.get("aria-hidden") != "true"]
    assert all(attributes["role"] == "img" and attributes["aria-labelledby"] for attributes in drawings)
    for name in ("nan", "inf"):
        assert f'="{name}' not in html and f",{name}" not in html and f">{name}<" not in html
    return page
