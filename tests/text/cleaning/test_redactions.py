import pytest
import tensorflow as tf

from textgen.text.cleaning.redactions import mask_redactions


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("On XX/XX/2015 XXXX XXXX called", "On xxxx called"),
        ("xxxxxxxx's XXXX, XXXX.", "xxxx's xxxx, xxxx."),
        ("XX/XX/XXXX and XX/XX/15", "xxxx and xxxx"),
        ("XXXX/XXXX/2014", "xxxx"),
        ("XXXX\n\u00a0xxxx", "xxxx"),
        ("Louis XX of XXX, xx, xxx/", "Louis XX of XXX, xx, xxx/"),
        ("axxxx xxxxé XXXX1", "axxxx xxxxé XXXX1"),
        ("XX/5/2015", "XX/5/2015"),
        ("xxurl xxname xxxx", "xxurl xxname xxxx"),
        ("", ""),
    ],
)
def test_runs_of_x_and_dates_of_x_are_one_word(text, expected):
    assert mask_redactions(tf.constant([text]))[0].numpy().decode() == expected
