import dataclasses
import json
from pathlib import Path

import keras
import pytest
import tensorflow as tf

from tests.conftest import MakeDataset
from textgen import runs
from textgen.config import VOCABULARY_FILE, ModelConfig, TextConfig, TrainConfig
from textgen.dataset import read_manifest
from textgen.training.callbacks.history import History, HistoryRow
from textgen.training.callbacks.samples import Sample
from textgen.training.setup import config_for

EVIL = "<script>alert(1)</script>"
WORDS = (EVIL, "the", "&amp;", '"><b', "whale", "'ship'", "</style>", "sea")
TRAIN = [[4, 5, 6, 7, 8, 1, 9, 10, 11] * 3, [4, 5, 6, 7], [4, 5, 6, 7], [8, 9, 10, 11, 8, 9]]
TEST = [[4, 5, 6, 7, 8, 1, 9], [10, 11, 4, 4, 4] * 6, [8]]


@pytest.fixture(scope="session")
def reported_data(make_dataset: MakeDataset, tmp_path_factory) -> Path:
    """A dataset whose tokens are hostile."""
    folder = tmp_path_factory.mktemp("reported") / "data"
    return make_dataset(
        folder, train=TRAIN, validation=[[5, 6]], test=TEST, tokens=WORDS, text=TextConfig(), dropped=2
    )


@pytest.fixture(scope="session")
def reported_run(reported_data: Path, tmp_path_factory) -> Path:
    """A run that was never trained, with the files of one that was; its settings, history and samples are made up."""
    folder = tmp_path_factory.mktemp("reported") / "run"
    folder.mkdir()
    (folder / VOCABULARY_FILE).write_bytes((reported_data / VOCABULARY_FILE).read_bytes())
    model = ModelConfig(network="lstm", embedding=4, units=(4,))
    config = config_for(read_manifest(reported_data), model=model, train=TrainConfig(sample_prompt=EVIL))
    runs.save(config, folder)
    keras.utils.set_random_seed(1)
    (folder / "best").mkdir()
    tf.train.Checkpoint(model=config.build()).write(str(folder / "best" / "ckpt-20"))
    row = HistoryRow(
        step=10, epoch=0.5, seconds=2.0, pairs_per_second=900.0, waited=0.01, learning_rate=0.001, gradient_norm=2.5,
        loss=3.0, accuracy=0.2, validation_loss=3.2, validation_accuracy=0.1, validation_bits_per_character=1.5,
    )  # fmt: skip
    later = dataclasses.replace(row, step=20, loss=2.0, gradient_norm=float("inf"), validation_loss=2.9)
    History(folder / "history.csv", rows=[row, later]).write()
    samples = [Sample(step=step, prompt=EVIL, temperature=0.8, seed=0, text=f"{EVIL} {step}") for step in (10, 20)]
    lines = [json.dumps(dataclasses.asdict(sample)) + "\n" for sample in samples]
    (folder / "samples.jsonl").write_text("".join(lines))
    (folder / "baselines.json").write_text('{"unigram": 3.5, "bigram": 3.1}')
    return folder
