import html

import pytest
import tensorflow as tf

from textgen.text.cleaning.entities import decode_entities


def decoded(text, *, fold=False):
    return decode_entities(tf.constant([text]), fold=fold)[0].numpy().decode()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a &lt; b &amp; c", "a < b & c"),
        ("&quot;&apos;&nbsp;", "\"'\u00a0"),
        ("&eacute;&#233;&#xE9;&#Xe9;", "éééé"),
        ("&#128512;&#x1F600;", "😀😀"),
        ("&#0039;", "'"),
        ("AT&T &; && &", "AT&T &; && &"),
        ("&nosuch; &copy &#; &#x; &#12345678;", "&nosuch; &copy &#; &#x; &#12345678;"),
        ("lt; &lt;lt;", "lt; <lt;"),
        ("é&é&" + "é" * 40, "é&é&" + "é" * 40),
        ("", ""),
    ],
)
def test_references_become_characters(text, expected):
    assert decoded(text) == expected


def test_every_name_of_html_is_known():
    names = [name for name in html.entities.html5 if name.endswith(";")]
    texts = decode_entities(tf.constant(["&" + name for name in names]), fold=False)
    assert [text.decode() for text in texts.numpy()] == [html.entities.html5[name] for name in names]


def test_every_number_is_known():
    numbers = [*range(1, 0x250), *range(0x250, 0x110000, 97), 0xD800, 0x110000, 9999999]
    expected = [html.unescape(f"&#{number};") for number in numbers]
    # Python removes what HTML calls an error and keeps.
    kept = [(number, text) for number, text in zip(numbers, expected, strict=True) if text]
    texts = decode_entities(tf.constant([f"&#{number};" for number, _ in kept]), fold=False)
    assert [text.decode() for text in texts.numpy()] == [text for _, text in kept]


def test_windows_quotation_marks_are_read_as_browsers_do():
    assert decoded("&#147;hi&#148; &#150; &#146;") == "“hi” – ’"


@pytest.mark.parametrize("text", ["&amp;lt;", "&amp;amp;lt;", "&amp;amp;amp;amp;amp;amp;amp;amp;amp;lt;"])
def test_ampersands_that_were_escaped_again_are_undone(text):
    assert decoded(text) == "<"


def test_names_are_folded_with_the_text():
    assert decoded("&NBSP;") == "&NBSP;"
    assert decoded("&rarr; &eacute; &dagger; &emptyset;", fold=True) == "→ é † ∅"


def test_texts_without_references_stay_as_they_are():
    texts = ["a", "", "&", "&lt;", "b"]
    assert decode_entities(tf.constant(texts), fold=False).numpy().tolist() == [b"a", b"", b"&", b"<", b"b"]
    assert decode_entities(tf.constant([], tf.string), fold=False).shape == (0,)
