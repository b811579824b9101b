"""Checks the types and bounds of numbers that are given to reading functions."""

import math
import operator
from typing import Any

from textgen.errors import UserError, require


def check_integer(name: str, value: Any, *, least: int | None = None, none: str = "") -> None:
    """Checks that a value is a whole number, of Python or NumPy.

    Args:
        name: name of the argument.
        value: value of the argument.
        least: lower bound; None for no bound.
        none: meaning of None; empty if None is not allowed.

    Raises:
        UserError: the value is of another type or below the bound.
    """
    if value is None and none:
        return
    bound = "a whole number" if least is None else f"at least {least}"
    rule = f"it must be {bound}." + (f" None stands for {none}." if none else "")
    try:
        number = operator.index(value)
    except TypeError:
        raise UserError(f"{name} is {value!r}; {rule}") from None
    require(not isinstance(value, bool), f"{name} is {value!r}; {rule}")
    require(least is None or number >= least, f"{name} is {value}; {rule}")


def check_weight(name: str, value: Any) -> None:
    """Checks that a value is a finite number above 0.

    Raises:
        UserError: it is not.
    """
    try:
        valid = not isinstance(value, bool) and 0 < value < math.inf
    except TypeError:
        valid = False
    require(valid, f"{name} is {value!r}; it must be above 0. Give a finite number.")


def check_fraction(name: str, value: Any) -> None:
    """Checks that a value is a number above 0 and at most 1.

    Raises:
        UserError: it is not.
    """
    try:
        valid = not isinstance(value, bool) and 0 < value <= 1
    except TypeError:
        valid = False
    require(valid, f"{name} is {value!r}; it must be above 0 and at most 1.")
