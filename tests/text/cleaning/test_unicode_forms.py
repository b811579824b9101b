import tensorflow as tf

from textgen.text.cleaning.unicode_forms import TENSORFLOW_TEXT_FORMS


def test_the_three_forms():
    texts = tf.constant(["E\u0301 ﬁ\u00ad", ""])
    for form, expected in (("nfc", "É ﬁ\u00ad"), ("nfkc", "É fi\u00ad"), ("folded_nfkc", "é fi")):
        found = getattr(TENSORFLOW_TEXT_FORMS, form)(texts)
        assert [text.decode() for text in found.numpy()] == [expected, ""]
