"""Applies rules in order, and repeats until no rule exposes new matches for an earlier one."""

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from textgen.text.cleaning.rows import CleaningRule

_MAX_ROUNDS = 8


class CleaningStep(NamedTuple):
    """A rule, and whether all rules are applied again to a text that it changes."""

    rule: CleaningRule
    exposes_matches: bool = False


def apply_rules(texts: tf.Tensor, steps: Sequence[CleaningStep]) -> tf.Tensor:
    """Applies all steps, and repeats them for texts in which a step exposed new matches.

    There are at most eight rounds; only a text of more than eight nested references would need more.

    Args:
        texts: string [B].
        steps: the steps, in order.

    Returns:
        string [B].
    """
    if not any(step.exposes_matches for step in steps):
        return _round(texts, steps)[0]

    def again(texts: tf.Tensor, rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        changed, unsettled = _round(tf.gather(texts, rows), steps)
        return tf.tensor_scatter_nd_update(texts, rows[:, None], changed), tf.boolean_mask(rows, unsettled)

    settled, _ = tf.while_loop(
        lambda texts, rows: tf.size(rows) > 0,
        again,
        (texts, tf.range(tf.size(texts))),
        shape_invariants=(texts.shape, tf.TensorShape([None])),
        maximum_iterations=_MAX_ROUNDS,
    )
    return settled


def _round(texts: tf.Tensor, steps: Sequence[CleaningStep]) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the texts after one round, string [B], and whether another one is needed for each, bool [B]."""
    unsettled = tf.zeros(tf.shape(texts), tf.bool)
    for step in steps:
        changed = step.rule(texts)
        if step.exposes_matches:
            unsettled |= tf.not_equal(texts, changed)
        texts = changed
    return texts, unsettled
