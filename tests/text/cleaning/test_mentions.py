import pytest
import tensorflow as tf

from textgen.text.cleaning.mentions import mask_mentions


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("thanks @ann_b!", "thanks xxname!"),
        ("@a @b@c,@d", "xxname xxname@c,xxname"),
        (".@a @@b @é1", ".xxname xxname xxname"),
        ("a@b 5 @ 6 @", "a@b 5 @ 6 @"),
        ("xxname", "xxname"),
        ("", ""),
    ],
)
def test_mentions_are_masked(text, expected):
    assert mask_mentions(tf.constant([text]))[0].numpy().decode() == expected
