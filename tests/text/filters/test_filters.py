import numpy as np
import pytest
import tensorflow as tf

from textgen.config import SelectionConfig
from textgen.text.filters import CleanedTexts, drop_reasons, make_filters

EVERY_FILTER = SelectionConfig(min_tokens=2, max_tokens=900, min_letters_percent=50, repetition="drop")
TEXTS = ["a", "12 34 56", "buy now " * 40, "word " * 1000, "a good text", ""]


def documents(texts):
    cleaned = tf.convert_to_tensor(texts, tf.string)
    return CleanedTexts(cleaned, tf.strings.length(cleaned, "UTF8_CHAR"), tf.strings.split(cleaned).row_lengths())


def test_only_filters_that_the_settings_ask_for_are_made():
    assert make_filters(SelectionConfig()) == []
    assert [filter.reason for filter in make_filters(SelectionConfig(max_tokens=5))] == ["too long"]


def test_filters_have_the_order_of_the_table():
    reasons = [filter.reason for filter in make_filters(EVERY_FILTER)]
    assert reasons == ["too short", "too long", "mostly not letters", "too repetitive"]


@pytest.mark.parametrize("filter", make_filters(EVERY_FILTER), ids=lambda filter: filter.reason)
def test_a_filter_has_the_declared_shapes_and_dtypes(filter):
    statistics = filter.measure(documents(TEXTS))
    assert statistics.dtype == tf.float64
    assert statistics.shape == (len(TEXTS), filter.width)
    dropped = filter.drops(statistics.numpy())
    assert dropped.dtype == bool
    assert dropped.shape == (len(TEXTS),)
    assert filter.measure(documents([])).shape == (0, filter.width)


@pytest.mark.parametrize("filter", make_filters(EVERY_FILTER), ids=lambda filter: filter.reason)
def test_statistics_do_not_depend_on_the_batch_or_the_route(filter):
    together = filter.measure(documents(TEXTS)).numpy().tolist()
    assert [filter.measure(documents([text])).numpy().tolist()[0] for text in TEXTS] == together
    measure = tf.function(lambda texts: filter.measure(documents(texts)))
    assert measure(tf.constant(TEXTS)).numpy().tolist() == together
    dataset = tf.data.Dataset.from_tensor_slices(TEXTS).batch(4).map(lambda texts: filter.measure(documents(texts)))
    assert [statistics for batch in dataset for statistics in batch.numpy().tolist()] == together


def test_the_first_filter_that_drops_gives_the_reason():
    filters = make_filters(EVERY_FILTER)
    statistics = np.concatenate([filter.measure(documents(TEXTS)).numpy() for filter in filters], axis=1)
    found = ["too short", "mostly not letters", "too repetitive", "too long", "", "too short"]
    assert drop_reasons(filters, statistics).tolist() == found


def test_without_filters_nothing_is_dropped():
    assert drop_reasons([], np.empty([2, 0])).tolist() == ["", ""]
