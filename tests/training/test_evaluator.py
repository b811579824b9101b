from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from textgen.config import BOS, EOS, NO_NEURAL_CACHE, ModelConfig, NeuralCacheConfig, TrainConfig
from textgen.dataset import read_manifest
from textgen.dataset.loading.document_batches import read_documents
from textgen.model.language_model import LanguageModel
from textgen.runs import RunConfig
from textgen.training.data import HeldOutDocuments, held_out
from textgen.training.evaluator import Evaluator, make_evaluator
from textgen.training.setup import config_for
from textgen.training.strategy import Replicas

ONE = Replicas(tf.distribute.get_strategy())
TEST = [[*range(4, 16), *range(4, 16)], [7, 8, 9, 1], [12], [5, 4, 6, 5, 4]]
PAIRS = sum(len(document) + 1 for document in TEST)


@pytest.fixture(scope="module")
def data(make_dataset, tmp_path_factory) -> Path:
    return make_dataset(tmp_path_factory.mktemp("scoring") / "data", train=[[4]], test=TEST, layout="spans")


def _config(data: Path, network: str, *, tied: bool = False) -> RunConfig:
    model = ModelConfig(network=network, embedding=4, layers=2, units=(5, 4), tied=tied)
    return config_for(read_manifest(data), model=model, train=TrainConfig())


def _model(data: Path, network: str, *, tied: bool = False) -> tuple[LanguageModel, RunConfig]:
    config = _config(data, network, tied=tied)
    keras.utils.set_random_seed(3)
    model = config.build()
    # Larger than it starts with, so that predictions differ.
    model.set_weights([4 * weight for weight in model.get_weights()])
    return model, config


def _hidden(model: LanguageModel, ids: list[int]) -> np.ndarray:
    """Returns float64 [T, D], the hidden vector after each id, by a loop over one document from zero states."""
    sequence = model.embedding.embeddings.numpy().astype(np.float64)[ids]
    for layer in model.lstms:
        kernel, recurrent, bias = (np.array(weight, np.float64) for weight in layer.get_weights())
        h, c, outputs = np.zeros(layer.units), np.zeros(layer.units), []
        for x in sequence:
            i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4)
            c = c / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
            h = np.tanh(c) / (1 + np.exp(-o))
            outputs.append(h)
        sequence = np.array(outputs)
    return sequence


def _probabilities(model: LanguageModel, hidden: np.ndarray) -> np.ndarray:
    """Returns float64 [T, V] for hidden vectors [T, D]."""
    scores = hidden @ np.array(model.head.table, np.float64).T + np.array(model.head.bias, np.float64)
    exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def _expected(
    model: LanguageModel, documents: list[list[int]], cache: NeuralCacheConfig = NO_NEURAL_CACHE
) -> tuple[float, int]:
    """Returns the loss and the number of correct predictions of documents, one after another, by the formulas."""
    loss, correct = 0.0, 0
    for ids in documents:
        hidden, targets = _hidden(model, ids[:-1]), ids[1:]
        probabilities = _probabilities(model, hidden)
        unit = hidden / np.linalg.norm(hidden, axis=1, keepdims=True)
        for t, target in enumerate(targets):
            p, cached = probabilities[t], range(max(0, t - cache.tokens), t)
            if cached:
                weights = np.exp([cache.sharpness * unit[t] @ unit[j] for j in cached])
                votes = np.bincount([targets[j] for j in cached], weights / weights.sum(), len(p))
                p = (1 - cache.weight) * p + cache.weight * votes
            loss -= np.log(p[target])
            correct += int(p.argmax() == target)
    return float(loss), correct


def _whole(document: list[int]) -> list[int]:
    return [BOS, *document, EOS]


@pytest.fixture(scope="module")
def evaluators(data: Path) -> tuple[LanguageModel, dict[NeuralCacheConfig, Evaluator]]:
    """A network and its evaluator for each size of the neural cache, traced once for all datasets and batch sizes."""
    model, _ = _model(data, "lstm")
    caches = [NeuralCacheConfig(tokens=tokens, sharpness=2.0, weight=0.3) for tokens in (0, 3, 100)]
    return model, {cache: make_evaluator(ONE, model, neural_cache=cache) for cache in caches}


@pytest.mark.parametrize("layout", ["pairs", "spans"])
@pytest.mark.parametrize("boundaries", [True, False])
@pytest.mark.parametrize(("window", "batch_size"), [(3, 1), (3, 2), (40, 64)])
def test_an_lstm_reads_each_document_from_its_beginning(
    make_dataset, evaluators, tmp_path: Path, layout: str, boundaries: bool, window: int, batch_size: int
):
    folder = make_dataset(
        tmp_path / "data", train=[[4, 5]], test=TEST, window=window, layout=layout, boundaries=boundaries
    )
    (model, evaluate_with), config = evaluators, _config(folder, "lstm")
    for cache, evaluate in evaluate_with.items():
        documents = [_whole(ids) if boundaries else ids for ids in TEST if boundaries or len(ids) > 1]
        loss, correct = _expected(model, documents, cache)
        batches = held_out(folder, config, ONE, split="test", batch_size=batch_size, cached_tokens=cache.tokens)
        sums = evaluate(batches)
        assert sums.pairs == sum(len(ids) - 1 for ids in documents)
        assert sums.loss == pytest.approx(loss, rel=1e-6)
        assert sums.correct == correct


@pytest.mark.parametrize("cached", [0, 7])
def test_the_figures_depend_neither_on_rows_nor_on_positions_nor_on_groups(
    make_dataset, tmp_path: Path, monkeypatch, cached: int
):
    random = np.random.RandomState(0)
    documents = [random.randint(4, 20, length).tolist() for length in (700, 90, 3, 41, 40, 1, 12, 300)]
    folder = make_dataset(tmp_path / "data", train=[[4]], test=documents, layout="spans")
    model, config = _model(folder, "lstm")
    cache = NeuralCacheConfig(tokens=cached)
    loss, correct = _expected(model, [_whole(document) for document in documents], cache)
    evaluate = make_evaluator(ONE, model, neural_cache=cache)
    for rows, positions, group_ids in ((1, 5, 1 << 23), (3, 64, 100), (8, 1000, 1 << 23), (256, 1 << 14, 200)):
        batches = read_documents(folder, split="test", rows=rows, positions=positions, group_ids=group_ids)
        sums = evaluate([HeldOutDocuments(batches)])
        assert sums.loss == pytest.approx(loss, rel=1e-6)
        assert (sums.correct, sums.pairs) == (correct, sum(map(len, documents)) + len(documents))


def test_the_weight_of_documents_scales_their_sums(data: Path):
    model, config = _model(data, "lstm", tied=True)
    evaluate = make_evaluator(ONE, model)
    (documents,) = held_out(data, config, ONE, split="test", batch_size=9)
    (twice,) = held_out(data, config, ONE, split="test", batch_size=9)
    sums, doubled = evaluate([documents]), evaluate([twice._replace(weight=2.0)])
    assert np.array(doubled).tolist() == (2 * np.array(sums)).tolist()
    loss, _ = _expected(model, [_whole(document) for document in TEST])
    assert sums.loss == pytest.approx(loss, rel=1e-6)


def test_the_batch_size_does_not_change_the_metrics_of_a_bilstm(data: Path):
    model, config = _model(data, "bilstm")
    evaluate = make_evaluator(ONE, model)
    whole = evaluate(held_out(data, config, ONE, split="test", batch_size=7))
    for batch_size in (1, 4, 1000):
        sums = evaluate(held_out(data, config, ONE, split="test", batch_size=batch_size))
        assert sums.pairs == whole.pairs == PAIRS == 38
        assert sums.loss == pytest.approx(whole.loss, rel=1e-6)


def test_an_evaluator_uses_the_current_weights(data: Path):
    model, config = _model(data, "bilstm")
    evaluate = make_evaluator(ONE, model)
    before = evaluate(held_out(data, config, ONE, split="test", batch_size=8))
    model.set_weights([weight / 2 for weight in model.get_weights()])
    after = evaluate(held_out(data, config, ONE, split="test", batch_size=8))
    assert before.loss != after.loss
    assert before.pairs == after.pairs


@pytest.mark.parametrize("network", ["lstm", "bilstm"])
def test_the_pace_changes_no_sum_and_may_end_the_evaluation(data: Path, network: str):
    model, config = _model(data, network)

    def batches():
        return held_out(data, config, ONE, split="test", batch_size=2)

    steps = []

    def pace(done: int, seconds: float) -> int:
        steps.append(done)
        return 3

    whole, paced = make_evaluator(ONE, model)(batches()), make_evaluator(ONE, model, pace=pace)(batches())
    assert paced._replace(waited=0.0) == whole._replace(waited=0.0)
    # Documents are read batch by batch, since their states are carried from one to the next.
    assert steps[:2] == ([1, 1] if config.model.causal else [1, 3])

    def stop(done: int, seconds: float) -> int:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_evaluator(ONE, model, pace=stop)(batches())
