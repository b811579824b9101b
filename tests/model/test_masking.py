import tensorflow as tf

from textgen.model.masking import MASKED_LOGIT


def test_a_masked_logit_has_probability_zero_at_any_temperature():
    for temperature in (1e-6, 1.0, 1e6):
        logits = tf.constant([MASKED_LOGIT, 0.0, -10.0]) / temperature
        assert tf.reduce_all(tf.math.is_finite(logits))
        assert temperature > 1 or tf.nn.softmax(logits)[0] == 0


def test_a_row_that_is_masked_throughout_has_no_nan():
    assert tf.nn.softmax([MASKED_LOGIT, MASKED_LOGIT]).numpy().tolist() == [0.5, 0.5]
