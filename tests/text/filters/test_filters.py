import numpy as np
import pytest
import tensorflow as tf

from textgen.config import SelectionConfig
from textgen.text.filters import Documents, make_rules, reasons

EVERY_RULE = SelectionConfig(min_tokens=2, max_tokens=900, min_letters_percent=50, repetition="drop")
TEXTS = ["a", "12 34 56", "buy now " * 40, "word " * 1000, "a good text", ""]


def documents(texts):
    cleaned = tf.convert_to_tensor(texts, tf.string)
    return Documents(cleaned, tf.strings.length(cleaned, "UTF8_CHAR"), tf.strings.split(cleaned).row_lengths())


def test_no_rule_is_made_that_is_not_asked_for():
    assert make_rules(SelectionConfig()) == []
    assert [rule.reason for rule in make_rules(SelectionConfig(max_tokens=5))] == ["too long"]


def test_rules_come_in_their_order():
    reasons = [rule.reason for rule in make_rules(EVERY_RULE)]
    assert reasons == ["too short", "too long", "mostly not letters", "too repetitive"]


@pytest.mark.parametrize("rule", make_rules(EVERY_RULE), ids=lambda rule: rule.reason)
def test_a_rule_gives_the_sums_that_it_says_and_judges_each_document(rule):
    sums = rule.measure(documents(TEXTS))
    assert sums.dtype == tf.float64
    assert sums.shape == (len(TEXTS), rule.width)
    refused = rule.refuses(sums.numpy())
    assert refused.dtype == bool
    assert refused.shape == (len(TEXTS),)
    assert rule.measure(documents([])).shape == (0, rule.width)


@pytest.mark.parametrize("rule", make_rules(EVERY_RULE), ids=lambda rule: rule.reason)
def test_a_document_is_measured_alike_in_any_batch_and_in_a_graph(rule):
    together = rule.measure(documents(TEXTS)).numpy().tolist()
    assert [rule.measure(documents([text])).numpy().tolist()[0] for text in TEXTS] == together
    measure = tf.function(lambda texts: rule.measure(documents(texts)))
    assert measure(tf.constant(TEXTS)).numpy().tolist() == together
    dataset = tf.data.Dataset.from_tensor_slices(TEXTS).batch(4).map(lambda texts: rule.measure(documents(texts)))
    assert [sums for batch in dataset for sums in batch.numpy().tolist()] == together


def test_the_first_rule_that_refuses_names_the_reason():
    rules = make_rules(EVERY_RULE)
    sums = np.concatenate([rule.measure(documents(TEXTS)).numpy() for rule in rules], axis=1)
    found = ["too short", "mostly not letters", "too repetitive", "too long", "", "too short"]
    assert reasons(rules, sums).tolist() == found


def test_without_rules_nothing_is_refused():
    assert reasons([], np.empty([2, 0])).tolist() == ["", ""]
