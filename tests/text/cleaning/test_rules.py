import tensorflow as tf

from textgen.text.cleaning.rules import Step, follow


def replace(pattern, by):
    return lambda texts: tf.strings.regex_replace(texts, pattern, by)


def test_steps_follow_one_another():
    texts = follow(tf.constant(["ab", "b"]), [Step(replace("a", "b")), Step(replace("b", "c"))])
    assert texts.numpy().tolist() == [b"cc", b"c"]


def test_without_steps_nothing_changes():
    assert follow(tf.constant(["ab"]), []).numpy().tolist() == [b"ab"]


def test_what_a_step_lays_bare_goes_through_all_steps_again():
    steps = [Step(replace("a", "")), Step(replace("b", "a"), lays_bare=True)]
    assert follow(tf.constant(["ab", "c", ""]), steps).numpy().tolist() == [b"", b"c", b""]


def test_a_text_that_never_settles_is_left_after_eight_rounds():
    steps = [Step(lambda texts: texts + "x", lays_bare=True)]
    assert follow(tf.constant([""]), steps).numpy().tolist() == [b"x" * 8]


def test_settled_texts_are_left_out_of_later_rounds():
    seen = []

    def count(texts):
        seen.append(int(tf.size(texts)))
        return tf.strings.regex_replace(texts, "a", "", replace_global=False)

    assert follow(tf.constant(["aa", "a", "b"]), [Step(count, lays_bare=True)]).numpy().tolist() == [b"", b"", b"b"]
    assert seen == [3, 2, 1]
