"""Puts sections together to one HTML file that needs nothing else: no script, no font and no style from elsewhere."""

import datetime
import sys
from collections.abc import Iterator, Sequence
from importlib import resources
from typing import NamedTuple

from textgen.reporting.markup import Content, Markup, element, join

_GENERATOR = "textgen report"

MARKER = f'<meta name="generator" content="{_GENERATOR}'
"""Beginning of the element by which a report is known; the version of textgen follows."""

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""Content Security Policy: even if a text became markup, no script would run and nothing would be loaded."""


class Section(NamedTuple):
    """A section of a page.

    Attributes:
        anchor: its id, to which the contents at the top link.
        title: its heading.
        content: what it shows.
    """

    anchor: str
    title: str
    content: Sequence[Content]


def page(title: str, lead: Content, sections: Sequence[Section]) -> str:
    """Returns the HTML of a report.

    Args:
        title: heading of the page.
        lead: what it is about.
        sections: its sections, in order.
    """
    style = resources.files("textgen.reporting").joinpath("report.css").read_text(encoding="utf-8")
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="generator", content=f"{_GENERATOR} {_version()}"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", Markup(style)),
    )
    links = [element("a", section.title, href=f"#{section.anchor}") for section in sections]
    written = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    body = element(
        "body",
        element("header", element("h1", title), element("p", lead)),
        element("nav", join(links, " "), aria_label="Contents"),
        element("main", *_sections(sections)),
        element("footer", element("p", f"Written by textgen {_version()} at {written}.")),
    )
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def _sections(sections: Sequence[Section]) -> Iterator[Markup]:
    for anchor, title, content in sections:
        heading = element("h2", title, id=f"{anchor}-title")
        yield element("section", heading, *content, id=anchor, aria_labelledby=f"{anchor}-title")


def _version() -> str:
    # To import the package above would be a circle.
    return str(sys.modules["textgen"].__version__)
