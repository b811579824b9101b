import dataclasses
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from textgen.config import BOS, EOS, ModelConfig, NeuralCacheConfig, TrainConfig
from textgen.dataset import read_manifest
from textgen.model.neural_cache import NeuralCache
from textgen.training.data import held_out
from textgen.training.evaluator import make_evaluator
from textgen.training.setup import config_for
from textgen.training.strategy import Replicas

ONE = Replicas(tf.distribute.get_strategy())
TEST = [[*range(4, 16), *range(4, 16)], [7, 8, 9, 1], [12], [5, 4, 6, 5, 4]]


@pytest.fixture(scope="module")
def data(make_dataset, tmp_path_factory) -> Path:
    return make_dataset(tmp_path_factory.mktemp("scoring") / "data", train=[[4]], test=TEST, layout="spans")


def _model(data: Path, network: str) -> tuple[keras.Model, object]:
    config = config_for(
        read_manifest(data), model=ModelConfig(network=network, embedding=4, units=4), train=TrainConfig()
    )
    keras.utils.set_random_seed(3)
    model = config.build()
    # Larger than it starts with, so that predictions differ.
    model.set_weights([4 * weight for weight in model.get_weights()])
    return model, config


def _by_hand(model: keras.Model, document: list[int]) -> tuple[float, int]:
    """Returns the loss and the number of correct predictions of a document that is read as one row."""
    ids = [BOS, *document, EOS]
    x = np.array([ids[:-1]])
    embedding, lstm, logits = model.embedding, model.lstms[0], model.head
    scores = logits(lstm(embedding(x))[0])[0].numpy().astype(np.float64)
    log_probabilities = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    targets = np.array(ids[1:])
    loss = -log_probabilities[np.arange(len(targets)), targets].sum()
    return float(loss), int((scores.argmax(axis=1) == targets).sum())


@pytest.mark.parametrize("window", [3, 5, 40])
def test_an_lstm_reads_the_whole_document_before_each_target(data: Path, window: int):
    model, config = _model(data, "lstm")
    narrow = dataclasses.replace(config, window=window)
    built = narrow.build()
    built.set_weights(model.get_weights())
    sums = make_evaluator(ONE, built)(held_out(data, narrow, ONE, split="test", batch_size=64))
    expected = [_by_hand(model, document) for document in TEST]
    assert sums.pairs == sum(len(document) + 1 for document in TEST)
    assert sums.loss == pytest.approx(sum(loss for loss, _ in expected), rel=1e-5)
    assert sums.correct == sum(right for _, right in expected)


def test_the_neural_cache_holds_tokens_of_one_document_only(data: Path):
    model, config = _model(data, "lstm")
    cache = NeuralCacheConfig(tokens=100, sharpness=2.0, weight=0.3)
    batches = held_out(data, config, ONE, split="test", batch_size=64, cached_tokens=cache.tokens)
    sums = make_evaluator(ONE, model, neural_cache=cache)(batches)
    assert sums.pairs == sum(len(document) + 1 for document in TEST)
    embedding, lstm, logits = model.embedding, model.lstms[0], model.head
    expected = 0.0
    for document in TEST:
        ids = [BOS, *document, EOS]
        hidden = lstm(embedding(np.array([ids[:-1]])))[0]
        y = tf.constant([ids[1:]])
        whole = NeuralCache(cache)
        empty = whole.initial_states(1, hidden.shape[-1])
        mixed, _ = whole.mix(logits(hidden), hidden, y, tf.constant([True]), empty)
        expected -= tf.reduce_sum(tf.gather(mixed, y, batch_dims=2)).numpy()
    assert sums.loss == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("batch_size", [1, 4, 1000])
def test_the_batch_size_does_not_change_the_metrics_of_a_bilstm(data: Path, batch_size: int):
    model, config = _model(data, "bilstm")
    evaluate = make_evaluator(ONE, model)
    sums = evaluate(held_out(data, config, ONE, split="test", batch_size=batch_size))
    whole = evaluate(held_out(data, config, ONE, split="test", batch_size=7))
    assert sums.pairs == whole.pairs == 38
    assert sums.loss == pytest.approx(whole.loss, rel=1e-6)


def test_an_evaluator_uses_the_current_weights(data: Path):
    model, config = _model(data, "bilstm")
    evaluate = make_evaluator(ONE, model)
    before = evaluate(held_out(data, config, ONE, split="test", batch_size=8))
    model.set_weights([weight / 2 for weight in model.get_weights()])
    after = evaluate(held_out(data, config, ONE, split="test", batch_size=8))
    assert before.loss != after.loss
    assert before.pairs == after.pairs
