from tests.reporting.reading import Page
from textgen.reporting.markup import Markup, element, escaped, items, join, table

EVIL = "<script>alert('1')</script>&\"\u202e\ud800\x00"


def test_text_is_escaped_once():
    shown = escaped(EVIL)
    assert shown == ("&lt;script&gt;alert(&#x27;1&#x27;)&lt;/script&gt;&amp;&quot;\\u202e\\ud800\\x00")
    assert escaped(shown) == shown
    assert isinstance(shown, Markup) and not isinstance(EVIL, Markup)
    # It can be written as UTF-8.
    assert shown.encode()


def test_lines_stay():
    assert escaped("a\n\tb\r") == "a\n\tb\\r"


def test_attributes_and_content_are_escaped():
    found = Page(element("p", EVIL, element("b", EVIL), title=EVIL, class_="x"))
    assert [name for name, _ in found.elements] == ["p", "b"]
    assert found.named("p")[0]["class"] == "x"
    assert found.named("p")[0]["title"].startswith("<script>alert('1')</script>&\"")
    assert found.text.count("<script>") == 2


def test_parts_are_joined():
    assert join(["<", element("b", ">")], " ") == "&lt; <b>&gt;</b>"
    assert items(["a", "b"]) == "<ul><li>a</li><li>b</li></ul>"


def test_a_table_names_its_columns_and_rows():
    found = Page(table("What < it shows", ["name", "count", "text"], [["<a>", "1", "<b>"]], texts=(2,)))
    assert [attributes["scope"] for attributes in found.named("th")] == ["col"] * 3 + ["row"]
    assert [attributes["class"] for attributes in found.named("td")] == ["n", ""]
    assert found.text_of("caption") == ["What < it shows"]
    assert found.text_of("td") == ["1", "<b>"]
    # It can be scrolled by keyboard.
    assert found.named("div")[0] == {
        "class": "scroll", "tabindex": "0", "role": "region", "aria-label": "What < it shows"
    }  # fmt: skip
