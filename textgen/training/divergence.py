"""Detection of a training whose loss explodes, before anything of it is saved."""

import math

from textgen.errors import UserError
from textgen.runs import RunConfig
from textgen.training.metrics import MetricSums

_TRAINING_BOUND = 3.0
"""Highest training loss, as a multiple of the loss of a uniform guess, ln V, at which a network begins."""

_VALIDATION_BOUND = 10.0
"""The same for the monitored loss: an overfitted network may be confident and wrong on other text."""


def require_converging(config: RunConfig, sums: MetricSums, *, step: int) -> None:
    """Checks the steps of one graph call.

    Args:
        config: settings of the run.
        sums: sums of these steps.
        step: number of steps taken so far.

    Raises:
        UserError: the loss or the gradient is infinite or NaN, or the loss is far above that of a uniform guess.
    """
    bound = _TRAINING_BOUND * math.log(config.vocabulary_size)
    if not sums.mean_loss <= bound:
        raise UserError(_message(config, "training loss", sums.mean_loss, bound, step))
    if not math.isfinite(sums.norms):
        raise UserError(_message(config, "norm of the gradient", sums.norms, math.inf, step))


def require_sound(config: RunConfig, monitored: float, *, step: int) -> None:
    """Checks the monitored loss of a check, in nats per target.

    Raises:
        UserError: the loss is infinite or NaN, or far above that of a uniform guess.
    """
    bound = _VALIDATION_BOUND * math.log(config.vocabulary_size)
    if not monitored <= bound:
        raise UserError(_message(config, "monitored loss", monitored, bound, step))


def _message(config: RunConfig, what: str, value: float, bound: float, step: int) -> str:
    """Returns an error: the value, the rule and the remedy."""
    rule = "it must stay finite"
    if math.isfinite(value):
        rule = (
            f"a uniform guess has {math.log(config.vocabulary_size):.3g}, and above {bound:.3g} training has diverged"
        )
    clip = config.train.clip_norm
    clipping = "" if 0 < clip <= 1 else f", or --clip-norm 1 (it is {clip:g})"
    rate = config.train.learning_rate
    return (
        f"the {what} is {value:.4g} at step {step:,}; {rule}. Nothing of it is saved. Use a lower --learning-rate "
        f"(it is {rate:g}){clipping}: with --resume from the last checkpoint, or in another folder."
    )
