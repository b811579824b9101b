import tensorflow as tf

from textgen.text.cleaning.rules import CleaningStep, apply_rules


def replace(pattern, by):
    return lambda texts: tf.strings.regex_replace(texts, pattern, by)


def test_steps_follow_one_another():
    texts = apply_rules(tf.constant(["ab", "b"]), [CleaningStep(replace("a", "b")), CleaningStep(replace("b", "c"))])
    assert texts.numpy().tolist() == [b"cc", b"c"]


def test_without_steps_nothing_changes():
    assert apply_rules(tf.constant(["ab"]), []).numpy().tolist() == [b"ab"]


def test_exposed_matches_go_through_all_steps_again():
    steps = [CleaningStep(replace("a", "")), CleaningStep(replace("b", "a"), exposes_matches=True)]
    assert apply_rules(tf.constant(["ab", "c", ""]), steps).numpy().tolist() == [b"", b"c", b""]


def test_a_text_that_never_settles_gets_eight_rounds():
    steps = [CleaningStep(lambda texts: texts + "x", exposes_matches=True)]
    assert apply_rules(tf.constant([""]), steps).numpy().tolist() == [b"x" * 8]


def test_settled_texts_are_left_out_of_later_rounds():
    seen = []

    def count(texts):
        seen.append(int(tf.size(texts)))
        return tf.strings.regex_replace(texts, "a", "", replace_global=False)

    assert apply_rules(
        tf.constant(["aa", "a", "b"]), [CleaningStep(count, exposes_matches=True)]
    ).numpy().tolist() == [b"", b"", b"b"]
    assert seen == [3, 2, 1]
