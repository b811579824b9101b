import pytest
import tensorflow as tf

from textgen.text.cleaning.urls import mask_urls


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see http://a.org/b?c=d#e.", "see xxurl."),
        ("HTTPS://A.ORG", "xxurl"),
        ("ftp://a.org/x www.b.com!", "xxurl xxurl!"),
        ("(http://a.org/b_(c))", "(xxurl))"),
        ('<a href="http://a.org">', '<a href="xxurl">'),
        ("http://a.org\nhttp://b.org\u00a0c", "xxurl\nxxurl\u00a0c"),
        ("http://münchen.de/straße, 見てhttp://a.jp", "xxurl, 見て xxurl"),
        ("seehttp://a.org", "see xxurl"),
        ("http:// www. awww.cute a.org", "http:// www. awww.cute a.org"),
        ("xxurl", "xxurl"),
        ("", ""),
    ],
)
def test_urls_are_masked_without_the_marks_around_them(text, expected):
    assert mask_urls(tf.constant([text]))[0].numpy().decode() == expected
