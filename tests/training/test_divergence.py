import dataclasses
import math

import pytest

from tests.test_runs import CONFIG
from textgen.errors import UserError
from textgen.training.divergence import require_converging, require_sound
from textgen.training.metrics import MetricSums

UNIFORM = math.log(CONFIG.vocabulary_size)


@pytest.mark.parametrize("loss", [0.0, UNIFORM, 2.9 * UNIFORM])
def test_a_loss_near_that_of_a_uniform_guess_or_below_is_accepted(loss: float):
    require_converging(CONFIG, MetricSums(loss=4 * loss, pairs=4.0, norms=2.0), step=3)
    require_sound(CONFIG, 3 * loss, step=3)


@pytest.mark.parametrize("loss", [3.1 * UNIFORM, 1e27, math.inf, math.nan])
def test_a_training_loss_that_explodes_is_refused(loss: float):
    with pytest.raises(UserError, match=r"the training loss is .* at step 1,003; .*Use a lower --learning-rate"):
        require_converging(CONFIG, MetricSums(loss=4 * loss, pairs=4.0), step=1003)


@pytest.mark.parametrize("norm", [math.inf, math.nan])
def test_a_gradient_that_is_not_finite_is_refused(norm: float):
    with pytest.raises(UserError, match=r"the norm of the gradient is (inf|nan) at step 3; it must stay finite"):
        require_converging(CONFIG, MetricSums(loss=4.0, pairs=4.0, norms=norm), step=3)


@pytest.mark.parametrize("loss", [11 * UNIFORM, 1e27, math.inf, math.nan])
def test_a_monitored_loss_that_explodes_is_refused(loss: float):
    with pytest.raises(UserError, match="the monitored loss is"):
        require_sound(CONFIG, loss, step=3)


def test_clipping_is_a_remedy_only_if_it_is_not_set():
    for clip, is_named in ((0.0, True), (5.0, True), (1.0, False)):
        config = dataclasses.replace(CONFIG, train=dataclasses.replace(CONFIG.train, clip_norm=clip))
        with pytest.raises(UserError) as error:
            require_sound(config, math.nan, step=3)
        assert ("--clip-norm 1" in str(error.value)) == is_named
