import dataclasses
from pathlib import Path

import pytest

from textgen.config import TOKENIZER_FILE, VOCABULARY_FILE, ModelConfig, NeuralCacheConfig, TrainConfig
from textgen.dataset import read_manifest
from textgen.errors import UserError
from textgen.training.setup import check_data, check_neural_cache, config_for, make_folder


@pytest.fixture
def data(make_dataset, tmp_path: Path) -> Path:
    return make_dataset(tmp_path / "data", train=[[4, 5, 6]], window=7, vocabulary_size=9, boundaries=False)


def _config(data: Path, **settings):
    return config_for(read_manifest(data), model=ModelConfig(), train=TrainConfig(), **settings)


def test_a_run_takes_its_settings_over_from_the_dataset(data: Path):
    config, manifest = _config(data), read_manifest(data)
    assert (config.window, config.vocabulary_size, config.boundaries) == (7, 9, False)
    assert (config.text, config.tokens_sha256) == (manifest.text, manifest.tokens_sha256)


def test_a_window_of_its_own_goes_first(data: Path):
    assert _config(data, window=3).window == 3


@pytest.mark.parametrize("brought", [b"", b"a tokenizer's model"])
def test_a_runs_folder_has_the_datasets_vocabulary_and_tokenizer(data: Path, tmp_path: Path, brought: bytes):
    if brought:
        (data / TOKENIZER_FILE).write_bytes(brought)
    output = tmp_path / "runs" / "new"
    make_folder(output, data=data)
    expected = {VOCABULARY_FILE: (data / VOCABULARY_FILE).read_bytes()} | (
        {TOKENIZER_FILE: brought} if brought else {}
    )
    assert {path.name: path.read_bytes() for path in output.iterdir()} == expected


def test_data_of_the_same_tokens_fits(data: Path, make_dataset, tmp_path: Path):
    other = make_dataset(tmp_path / "other", train=[[8, 8]], vocabulary_size=9)
    check_data(other, read_manifest(other), _config(data))


def test_data_of_other_tokens_is_refused(data: Path, make_dataset, tmp_path: Path):
    other = make_dataset(tmp_path / "other", train=[[4, 5]], vocabulary_size=10)
    with pytest.raises(
        UserError, match=r"was trained on another vocabulary than that of .*other\. Name its own --data"
    ):
        check_data(other, read_manifest(other), _config(data))


def test_a_vocabulary_that_is_not_the_manifests_is_refused(data: Path):
    path = data / VOCABULARY_FILE
    path.write_text(path.read_text().replace('"a"', '"z"'))
    with pytest.raises(UserError, match=r"has a vocabulary that is not its own\. Run `textgen verify"):
        check_data(data, read_manifest(data), _config(data))


def test_only_an_lstm_has_a_neural_cache(data: Path):
    cache = NeuralCacheConfig(tokens=10)
    bilstm = _config(data)
    check_neural_cache(bilstm, NeuralCacheConfig())
    check_neural_cache(dataclasses.replace(bilstm, model=ModelConfig(network="lstm")), cache)
    with pytest.raises(UserError, match=r"has no neural cache\. Leave --neural-cache out, or train --network lstm\."):
        check_neural_cache(bilstm, cache)
