import numpy as np
import pytest

from textgen.dataset.loading.arguments import check_fraction, check_integer, check_weight
from textgen.errors import UserError


@pytest.mark.parametrize("value", [1, 2**70, np.int32(3), np.array(4)])
def test_whole_numbers_are_accepted(value):
    check_integer("n", value, least=1)


@pytest.mark.parametrize("value", [True, 1.0, "1", None, [1], np.float32(1), np.array([1, 2])])
def test_other_values_are_refused_as_whole_numbers(value):
    with pytest.raises(UserError, match=r"^n is .*; it must be at least 1\.$"):
        check_integer("n", value, least=1)


def test_none_is_accepted_where_it_has_a_meaning():
    check_integer("n", None, none="all")
    with pytest.raises(UserError, match=r"n is -1; it must be at least 0\. None stands for all\."):
        check_integer("n", -1, least=0, none="all")


@pytest.mark.parametrize("value", [0.5, 1, np.float32(0.25), 1e-9])
def test_fractions_are_accepted(value):
    check_fraction("f", value)
    check_weight("w", value)


@pytest.mark.parametrize("value", [0, -0.1, float("nan"), float("inf"), "0.5", None, True])
def test_other_values_are_refused_as_fractions_and_weights(value):
    with pytest.raises(UserError, match=r"f is .*; it must be above 0 and at most 1\."):
        check_fraction("f", value)
    with pytest.raises(UserError, match=r"w is .*; it must be above 0\. Give a finite number\."):
        check_weight("w", value)
