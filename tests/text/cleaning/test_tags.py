import pytest
import tensorflow as tf

from textgen.text.cleaning.tags import open_cdata, strip_tags


def stripped(text, *, lines=False):
    return strip_tags(tf.constant([text]), lines=lines)[0].numpy().decode()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a<br />b", "a b"),
        ("<p class='x'>a</P>", " a "),
        ('<a href="http://a.org/?b=1">c</a>', " c "),
        ("a<!-- b <i> -- c -->d", "a d"),
        ("a<!-- b\nc -->d<!-- e -->f", "a d f"),
        ("a<script type='x'>if (a<b) c()</script>b", "a b"),
        ("a<STYLE>p { }\n</style >b", "a b"),
        ("<script>a</script>b<script>c</script>", " b "),
        ("<!DOCTYPE html><?xml version='1.0'?>a", " " + " a"),
        ("<x>a</x>", " a "),
        ("<scripture>a", " a"),
        ("<img alt='a > b' src=x>after", " after"),
        ("<a t=\"x>y\" u='z>'>b</a>", " b "),
        ("x<y>z", "x z"),
        ('<a href="x>b', " b"),
        ("<a title=Bob's>it's", " it's"),
        ('<div\nclass="a\n>b">c', " c"),
        ("<p>a <b>b", " a  b"),
        ("<!-->a", " a"),
        ("<!--a--!>b", " b"),
        ("<script src='a>b'>c</script>d", " d"),
        ("<style-x>a</style-x>b", " a b"),
        ('<!DOCTYPE html PUBLIC "-//>" "x">a', " a"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]>d", " d"),
        ("<?php if ($a->b > 1) ?>c", " c"),
        ("<![if !IE]>a<![endif]>", " a "),
    ],
)
def test_a_tag_a_comment_and_a_script_become_a_space(text, expected):
    assert stripped(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "a < b and c > d",
        "a <- b -> c",
        "I <3 you > me",
        "<>",
        "< b>",
        "a<b",
        "<xxnumber people>",
        "<!-- a",
        "5 <= 6 > 7",
        "a <b",
    ],
)
def test_text_that_is_no_tag_remains(text):
    assert stripped(text) == text


@pytest.mark.parametrize(
    "text", ["<a <b> c>", "<a <br /> c>", "<<b>b>", "<!-<b>- a -->", "<scr<b>ipt>a</script>", "<a t='< <b u='< '>' >"]
)
def test_no_tag_remains_after_removal(text):
    once = stripped(text)
    assert stripped(once) == once


def test_tags_that_break_the_line_become_one_where_lines_are_kept():
    assert stripped("a<br/>b<p>c</p>d<b>e</b><link>", lines=True) == "a\nb\nc\nd e  "


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<![CDATA[a < b]]>", "a < b"),
        ("x<![cdata[y\n]]>z", "xy\nz"),
        ("<![CDATA[<p>a</p>]]>", "<p>a</p>"),
        ("<![CDATA[a", "<![CDATA[a"),
        ("a[b[0]]>c", "a[b[0]]>c"),
    ],
)
def test_the_content_of_cdata_remains(text, expected):
    assert open_cdata(tf.constant([text]))[0].numpy().decode() == expected
