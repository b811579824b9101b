from pathlib import Path

import keras
import pytest
import tensorflow as tf

from textgen.config import NO_ADAPTATION, ModelConfig, NeuralCacheConfig, TrainConfig
from textgen.dataset import read_manifest
from textgen.errors import UserError
from textgen.model.adaptation import Adaptation
from textgen.model.language_model import LanguageModel
from textgen.model.neural_cache import NeuralCache
from textgen.runs.adaptation_file import step_sizes
from textgen.training.data import held_out
from textgen.training.dynamic_evaluation import evaluate_adapting, tune
from textgen.training.evaluator import make_evaluator
from textgen.training.setup import config_for
from textgen.training.strategy import Replicas

REPEATED = [[4, 5, 6, 7] * 10, [7, 8, 9, 1], [12]]


@pytest.fixture(scope="module")
def data(make_dataset, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("adapting") / "data"
    return make_dataset(folder, train=[[4]], validation=REPEATED, test=REPEATED, layout="spans")


@pytest.fixture(scope="module")
def model(data: Path) -> LanguageModel:
    keras.utils.set_random_seed(3)
    model = ModelConfig(network="lstm", embedding=4, units=5)
    return config_for(read_manifest(data), model=model, train=TrainConfig()).build()


@pytest.mark.parametrize("cache", [NeuralCacheConfig(), NeuralCacheConfig(tokens=5)])
def test_without_a_step_it_is_the_plain_evaluation(data: Path, model: LanguageModel, cache: NeuralCacheConfig):
    config = config_for(read_manifest(data), model=model.config, train=TrainConfig())
    replicas = Replicas(tf.distribute.get_strategy())
    batches = held_out(data, config, replicas, split="test", batch_size=64, cached_tokens=cache.tokens)
    expected = make_evaluator(replicas, model, neural_cache=cache)(batches)
    adaptation = Adaptation(model, rate=1e-12, decay=0.0, cache=NeuralCache(cache) if cache.tokens else None)
    found = evaluate_adapting(adaptation, data, split="test", tokens=7)
    assert found.pairs == expected.pairs and found.correct == expected.correct
    assert found.loss == pytest.approx(expected.loss, rel=1e-5)


def test_weights_that_follow_predict_a_repeating_text_better_and_come_back(data: Path, model: LanguageModel):
    before = [variable.numpy() for variable in model.trainable_variables]
    adaptation, losses = Adaptation(model, rate=1e-12, decay=0.0), []
    for rate in (1e-12, 1.0):
        adaptation.rate = rate
        losses.append(evaluate_adapting(adaptation, data, split="test", tokens=4).mean_loss)
    assert losses[1] < losses[0] - 0.1
    for variable, value in zip(model.trainable_variables, before, strict=True):
        assert (variable.numpy() == value).all()


def test_the_best_step_sizes_come_last_and_are_saved(data: Path, model: LanguageModel, tmp_path: Path):
    config = config_for(read_manifest(data), model=model.config, train=TrainConfig())
    *tried, (best, loss) = tune(model, config, tmp_path, data, tokens=4, max_targets=30)
    assert len(tried) == 7
    assert loss == min(loss for _, loss in tried) and (best, loss) in tried
    assert step_sizes(tmp_path, NO_ADAPTATION) == best
    adaptation = Adaptation(model, rate=best.rate, decay=best.decay)
    found = evaluate_adapting(adaptation, data, split="validation", tokens=4, max_targets=30)
    assert found.mean_loss == pytest.approx(loss) and 30 <= found.pairs < 36


def test_step_sizes_need_a_validation_split(make_dataset, tmp_path: Path, model: LanguageModel):
    folder = make_dataset(tmp_path / "data", train=[[4]], layout="spans")
    config = config_for(read_manifest(folder), model=model.config, train=TrainConfig())
    with pytest.raises(UserError, match="has no validation split, on which step sizes are found"):
        next(tune(model, config, tmp_path, folder, tokens=4, max_targets=30))
