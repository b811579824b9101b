import pytest
import tensorflow as tf

from textgen.text.cleaning.emails import mask_emails


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mail a.b+c_d@e-f.co.uk!", "mail xxemail!"),
        ("<A@B.COM>, (c@d.org)", "<xxemail>, (xxemail)"),
        ("...a@b.com...", "...xxemail..."),
        ("jürgen@müller.de", "xxemail"),
        ("@a.com a@b a@ b.c", "@a.com a@b a@ b.c"),
        ("xxemail", "xxemail"),
        ("", ""),
    ],
)
def test_e_mail_addresses_are_masked(text, expected):
    assert mask_emails(tf.constant([text]))[0].numpy().decode() == expected
