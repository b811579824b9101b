"""Makes HTML in which every text is escaped: the texts of a corpus, a file name or a vocabulary are a stranger's."""

import html
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from textgen.console import printable


class Markup(str):
    """HTML that this module has made; a plain `str` is text, and is escaped where it becomes a part of it."""

    __slots__ = ()


Content: TypeAlias = str | Markup

_EMPTY_ELEMENTS = ("meta", "line", "polyline", "rect", "circle")


def escaped(text: Content) -> Markup:
    """Returns text as HTML; characters that do not print, such as marks of direction, are shown as Python escapes.

    >>> escaped("<b> & \u202e")
    '&lt;b&gt; &amp; \\u202e'
    """
    return text if isinstance(text, Markup) else Markup(html.escape(printable(text, keep="\n\t")))


def join(parts: Iterable[Content], separator: str = "\n") -> Markup:
    """Returns parts one after another."""
    return Markup(separator.join(escaped(part) for part in parts))


def element(name: str, /, *content: Content, **attributes: object) -> Markup:
    """Returns an element.

    Args:
        name: its name.
        content: what it holds.
        attributes: its attributes; `_` in a name stands for `-`, and an underscore at its end is left out.

    >>> element("a", "1 < 2", href="#x", class_="near")
    '<a href="#x" class="near">1 &lt; 2</a>'
    """
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escaped(str(value))}"' for key, value in attributes.items()
    )
    if name in _EMPTY_ELEMENTS:
        return Markup(f"<{name}{given}>" if name == "meta" else f"<{name}{given}/>")
    return Markup(f"<{name}{given}>{join(content, '')}</{name}>")


def paragraph(*content: Content) -> Markup:
    """Returns a paragraph."""
    return element("p", *content)


def note(*content: Content) -> Markup:
    """Returns a paragraph about what is not known, and what to do about it."""
    return element("p", *content, class_="note")


def items(rows: Iterable[Content]) -> Markup:
    """Returns a list."""
    return element("ul", *(element("li", row) for row in rows))


def details(summary: str, *content: Content) -> Markup:
    """Returns content that is shown when its summary is clicked."""
    return element("details", element("summary", summary), *content)


def table(
    caption: str, head: Sequence[str], rows: Iterable[Sequence[Content]], *, texts: Sequence[int] = ()
) -> Markup:
    """Returns a table whose first column names the rows, and which scrolls where the screen is narrower.

    Args:
        caption: what the table shows.
        head: names of the columns.
        rows: cells of each row.
        texts: indices of the other columns that hold text; numbers are aligned at the right.
    """
    names = (
        element("th", name, scope="col", class_="" if i == 0 or i in texts else "n") for i, name in enumerate(head)
    )
    body = (
        element(
            "tr",
            element("th", row[0], scope="row"),
            *(element("td", cell, class_="" if i in texts else "n") for i, cell in enumerate(row[1:], 1)),
        )
        for row in rows
    )
    whole = element(
        "table",
        element("caption", caption),
        element("thead", element("tr", *names)),
        element("tbody", *body),
    )
    return element("div", whole, class_="scroll", tabindex=0, role="region", aria_label=caption)
