import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from textgen.config import VOCABULARY_FILE, ModelConfig, NeuralCacheConfig, TextConfig, TrainConfig
from textgen.dataset import read_manifest
from textgen.errors import UserError
from textgen.training.setup import (
    check_neural_cache,
    check_same_text,
    check_vocabulary,
    config_for,
    validation_source,
)

ORIGIN = "s3://runs/a/run.json"
CHAR = TextConfig(tokenizer="char", case="keep", whitespace="keep", punctuation="keep", vocabulary_size=100)
"""The settings of the text of the fixtures' datasets."""


@pytest.fixture
def data(make_dataset, tmp_path: Path) -> Path:
    return make_dataset(tmp_path / "data", train=[[4, 5, 6]], window=7, vocabulary_size=9, boundaries=False)


def _config(data: Path, **settings):
    return config_for(read_manifest(data), model=ModelConfig(), train=TrainConfig(), **settings)


def test_a_run_takes_its_settings_over_from_the_dataset(data: Path):
    config, manifest = _config(data), read_manifest(data)
    assert (config.window, config.vocabulary_size, config.boundaries) == (7, 9, False)
    assert (config.text, config.tokens_sha256) == (manifest.text, manifest.tokens_sha256)


def test_a_given_window_overrides_that_of_the_dataset(data: Path):
    assert _config(data, window=3).window == 3


def test_data_of_the_same_tokens_fits(data: Path, make_dataset, tmp_path: Path):
    other = make_dataset(tmp_path / "other", train=[[8, 8]], vocabulary_size=9)
    for check in (check_vocabulary, check_same_text):
        check(other, read_manifest(other), _config(data), origin=ORIGIN)


@pytest.mark.parametrize("check", [check_vocabulary, check_same_text])
def test_data_of_other_tokens_is_refused(data: Path, make_dataset, tmp_path: Path, check: Callable[..., None]):
    other = make_dataset(tmp_path / "other", train=[[4, 5]], vocabulary_size=10)
    expected = (
        rf"{other} does not fit the model: its vocabulary is another than the model's\. Name the model's own --data, "
        r"or prepare this text again with --vocabulary s3://runs/a/vocabulary\.jsonl\.$"
    )
    with pytest.raises(UserError, match=expected):
        check(other, read_manifest(other), _config(data), origin=ORIGIN)


def test_text_that_was_cleaned_otherwise_does_not_fit_though_its_tokens_do(data: Path, make_dataset, tmp_path: Path):
    text = dataclasses.replace(CHAR, case="fold", vocabulary_size=7)
    other = make_dataset(tmp_path / "other", train=[[4, 5]], vocabulary_size=9, text=text)
    check_vocabulary(other, read_manifest(other), _config(data), origin=ORIGIN)
    expected = (
        r"does not fit the model: case is fold there and keep in the model\. .* again with "
        r"--config s3://runs/a/run\.json --vocabulary s3://runs/a/vocabulary\.jsonl\.$"
    )
    with pytest.raises(UserError, match=expected):
        check_same_text(other, read_manifest(other), _config(data), origin=ORIGIN)


def test_another_tokenizer_model_does_not_fit(data: Path):
    text = dataclasses.replace(CHAR, tokenizer="sentencepiece", tokenizer_model="ab" * 32)
    config = dataclasses.replace(_config(data), text=text)
    expected = (
        r"its tokenizer model is another than the model's, .* --tokenizer-model s3://runs/a/tokenizer\.model\.$"
    )
    with pytest.raises(UserError, match=expected):
        check_same_text(data, read_manifest(data), config, origin=ORIGIN)


def test_a_run_is_validated_on_the_validation_split_of_its_data(data: Path):
    manifests = {data: read_manifest(data)}
    found = validation_source(data, manifests, None, _config(data))
    assert found == (data, "validation", (manifests[data],))
    assert not found.has_targets


@pytest.mark.parametrize(
    ("held_out", "split", "targets"), [([[4, 5]], "validation", "the validation split of"), ([], "all", "all of")]
)
def test_a_dataset_to_validate_on_is_read_whole_if_it_holds_nothing_out(
    data: Path, make_dataset, tmp_path: Path, capsys, held_out: list, split: str, targets: str
):
    other = make_dataset(tmp_path / "other", train=[[4, 5, 6]], validation=held_out, vocabulary_size=9)
    found = validation_source(data, {data: read_manifest(data)}, other, _config(data))
    assert (found.data, found.split, found.has_targets) == (other, split, True)
    assert f"validation: {targets} {other}, {3 if held_out else 4} targets" in capsys.readouterr().err


def test_a_validation_split_without_targets_is_told(data: Path, capsys):
    validation_source(data, {str(data): read_manifest(data)}, None, _config(data))
    errors = capsys.readouterr().err
    assert f"warning: the validation split of {data} has no targets; without validation, early stopping" in errors


def test_a_mixture_is_validated_without_the_dataset_that_has_no_targets(
    data: Path, make_dataset, tmp_path: Path, capsys
):
    other = make_dataset(tmp_path / "other", train=[[4]], validation=[[4, 5]], window=7, vocabulary_size=9)
    manifests = {str(folder): read_manifest(folder) for folder in (data, other)}
    found = validation_source({data: 1, other: 3}, manifests, None, _config(data))
    assert found == ({str(other): 3}, "validation", (manifests[str(other)],))
    assert found.has_targets
    errors = capsys.readouterr().err
    assert f"validation split of {data} has no targets; this mixture is validated on {other} alone. Prep" in errors


def test_a_dataset_to_validate_on_must_have_the_vocabulary(data: Path, make_dataset, tmp_path: Path):
    other = make_dataset(tmp_path / "other", train=[[4, 5]], vocabulary_size=10)
    with pytest.raises(UserError, match=rf"again with --vocabulary {data}/vocabulary\.jsonl\."):
        validation_source(data, {data: read_manifest(data)}, other, _config(data))


def test_a_vocabulary_that_is_not_the_manifests_is_refused(data: Path):
    path = data / VOCABULARY_FILE
    path.write_text(path.read_text().replace('"a"', '"z"'))
    with pytest.raises(UserError, match=r"has a vocabulary that is not its own: .*Run `textgen verify"):
        check_vocabulary(data, read_manifest(data), _config(data), origin=ORIGIN)


def test_only_an_lstm_has_a_neural_cache(data: Path):
    cache = NeuralCacheConfig(tokens=10)
    bilstm = _config(data)
    check_neural_cache(bilstm, NeuralCacheConfig())
    check_neural_cache(dataclasses.replace(bilstm, model=ModelConfig(network="lstm")), cache)
    with pytest.raises(UserError, match=r"has no neural cache\. Leave --neural-cache out, or train --network lstm\."):
        check_neural_cache(bilstm, cache)
