import dataclasses
import math
from pathlib import Path

import keras
import numpy as np
import pytest

from textgen.config import BOS, EOS, UNK, ModelConfig, TrainConfig
from textgen.dataset import read_manifest
from textgen.errors import UserError
from textgen.model import networks
from textgen.runs import RunConfig
from textgen.training import baselines
from textgen.training.evaluation import evaluate
from textgen.training.evaluation_results import Evaluation
from textgen.training.setup import config_for

A, B, C = 4, 5, 6
TRAIN = [[A, B, C, A, A], [B, UNK]]
TEST = [[A, B, UNK], [C]]
VOCABULARY = 7


@pytest.fixture(scope="module")
def data(make_dataset, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("evaluation") / "data"
    return make_dataset(folder, train=TRAIN, test=TEST, vocabulary_size=VOCABULARY, window=3)


@pytest.fixture(scope="module")
def model() -> keras.Model:
    keras.utils.set_random_seed(3)
    built = networks.build(ModelConfig(embedding=4, units=4), vocabulary_size=VOCABULARY, window=3)
    # Larger than it starts with, so that predictions differ.
    built.set_weights([4 * weight for weight in built.get_weights()])
    return built


def _evaluate(model: keras.Model, data: Path, **settings) -> Evaluation:
    return evaluate(model, _config(data), data, **settings)


def _config(data: Path) -> RunConfig:
    config = config_for(read_manifest(data), model=ModelConfig(embedding=4, units=4), train=TrainConfig())
    return dataclasses.replace(config, window=3)


@pytest.fixture(scope="module")
def result(model: keras.Model, data: Path) -> Evaluation:
    return _evaluate(model, data, split="test", batch_size=4)


def test_every_target_is_scored_once(result: Evaluation, data: Path):
    assert result.pairs == read_manifest(data).total.splits["test"].pairs == 6
    assert result.split == "test"


def test_the_context_is_counted_without_padding(result: Evaluation):
    # 1, 2, 3 and 3 tokens in one document, 1 and 2 in the other.
    assert (result.context_tokens, result.mean_context_tokens) == (3, 2)


def test_the_loss_is_the_mean_cross_entropy_of_the_pairs_written_out(result: Evaluation, model: keras.Model):
    x = [[BOS, 0, 0], [BOS, A, 0], [BOS, A, B], [A, B, UNK], [BOS, 0, 0], [BOS, C, 0]]
    y = [A, B, UNK, EOS, C, EOS]
    logits = np.array(model(np.array(x)), np.float64)
    log_probabilities = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    assert result.loss == pytest.approx(-log_probabilities[np.arange(6), y].mean(), rel=1e-5)
    assert result.accuracy == pytest.approx(np.mean(logits.argmax(axis=1) == y))


def test_the_batch_size_changes_no_figure(result: Evaluation, model: keras.Model, data: Path):
    other = _evaluate(model, data, split="test", batch_size=1000)
    ours, theirs = dataclasses.asdict(other), dataclasses.asdict(result)
    for exact in ("split", "baselines", "neural_cache", "adapted", "generation"):
        assert ours.pop(exact) == theirs.pop(exact)
    assert ours == pytest.approx(theirs, rel=1e-5)


def test_perplexity_is_e_to_the_loss(result: Evaluation):
    assert result.perplexity == math.exp(result.loss)
    assert [b.perplexity for b in result.baselines] == [math.exp(b.loss) for b in result.baselines]


@pytest.mark.filterwarnings("ignore:overflow")
def test_the_perplexity_of_a_model_that_has_diverged_is_infinite(model: keras.Model, data: Path):
    diverged = keras.models.clone_model(model)
    diverged.set_weights([1e6 * weight for weight in model.get_weights()])
    result = _evaluate(diverged, data, split="test")
    assert math.isfinite(result.loss)
    assert result.perplexity == math.inf


def test_bits_per_character_are_the_bits_of_all_targets_over_the_characters(result: Evaluation):
    # "ab?" and "c" are 4 characters, with 6 targets.
    assert result.bits_per_character == pytest.approx(result.loss * 6 / math.log(2) / 4)
    for baseline in result.baselines:
        assert baseline.bits_per_character == pytest.approx(baseline.loss * 6 / math.log(2) / 4)


def test_the_baselines_are_those_of_the_split(result: Evaluation, data: Path):
    expected = baselines.losses(data, read_manifest(data), split="test")
    assert {baseline.name: baseline.loss for baseline in result.baselines} == expected
    assert list(expected) == ["unigram", "bigram", "trigram"]


def test_the_unknown_rate_is_the_share_of_the_splits_tokens(result: Evaluation):
    assert result.unknown_rate == 1 / 4


def test_a_stride_leaves_targets_out_so_there_are_no_bits_per_character(model, make_dataset, tmp_path: Path):
    strided = make_dataset(tmp_path / "data", train=TRAIN, test=TEST, vocabulary_size=VOCABULARY, window=3, stride=2)
    result = _evaluate(model, strided, split="test")
    assert result.pairs == 3
    assert result.bits_per_character is None
    assert [baseline.bits_per_character for baseline in result.baselines] == [None] * 3


def test_another_vocabulary_is_refused(model, data: Path):
    with pytest.raises(
        UserError, match=r"its vocabulary is another .* again with --vocabulary RUN/vocabulary\.jsonl"
    ):
        evaluate(model, dataclasses.replace(_config(data), tokens_sha256="0" * 64), data, split="test")


def test_a_whole_dataset_is_evaluated_as_one_text_without_baselines(model, make_dataset, tmp_path: Path):
    settings = {"vocabulary_size": VOCABULARY, "window": 3}
    parted = make_dataset(tmp_path / "parted", train=TRAIN[:1], validation=TRAIN[1:], test=TEST, **settings)
    whole = make_dataset(tmp_path / "whole", train=[*TRAIN, *TEST], test=[*TRAIN, *TEST], **settings)
    ours = dataclasses.asdict(_evaluate(model, parted, split="all"))
    theirs = dataclasses.asdict(_evaluate(model, whole, split="test"))
    assert (ours.pop("split"), ours.pop("baselines")) == ("all", ())
    del theirs["split"], theirs["baselines"]
    assert ours.pop("neural_cache") is theirs.pop("neural_cache") is None
    assert ours.pop("generation") is theirs.pop("generation") is None
    assert ours.pop("adapted") == theirs.pop("adapted") == ()
    assert ours == pytest.approx(theirs, rel=1e-5)
    assert ours["pairs"] == 6 + 3 + 4 + 2


def test_another_window_is_refused(model, make_dataset, tmp_path: Path):
    wider = make_dataset(tmp_path / "data", train=TRAIN, test=TEST, vocabulary_size=VOCABULARY, window=4)
    with pytest.raises(UserError, match="window"):
        _evaluate(model, wider, split="test")


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ("dev", "it must be one of: train, validation, test"),
        ("validation", "validation split of this dataset is empty"),
    ],
)
def test_a_split_that_is_unknown_or_empty_is_refused(model, data: Path, split: str, message: str):
    with pytest.raises(UserError, match=message):
        _evaluate(model, data, split=split)
