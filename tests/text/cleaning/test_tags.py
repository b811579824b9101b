import pytest
import tensorflow as tf

from textgen.text.cleaning.tags import strip_tags


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
    ],
)
def test_a_tag_a_comment_and_a_script_become_a_space(text, expected):
    assert stripped(text) == expected


@pytest.mark.parametrize(
    "text", ["a < b and c > d", "a <- b -> c", "I <3 you > me", "<>", "< b>", "a<b", "<xxnumber people>", "<!-- a"]
)
def test_text_that_is_no_tag_remains(text):
    assert stripped(text) == text


@pytest.mark.parametrize("text", ["<a <b> c>", "<a <br /> c>", "<<b>b>", "<!-<b>- a -->", "<scr<b>ipt>a</script>"])
def test_no_tag_remains_after_removal(text):
    once = stripped(text)
    assert stripped(once) == once


def test_tags_that_break_the_line_become_one_where_lines_are_kept():
    assert stripped("a<br/>b<p>c</p>d<b>e</b><link>", lines=True) == "a\nb\nc\nd e  "
