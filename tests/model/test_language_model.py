"""What all networks have in common, and that Keras can do with them what it does with any model."""

import warnings
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from textgen.config import ModelConfig
from textgen.model import networks
from textgen.model.language_model import LanguageModel

VOCABULARY, WINDOW = 20, 5
X = np.array([[2, 4, 5, 0, 0], [4, 5, 6, 7, 8], [2, 0, 0, 0, 0]], np.int32)
CONFIGS = {
    "bilstm": ModelConfig(embedding=3, layers=2, units=(4, 5), dropout=0.5),
    "attention, tied": ModelConfig(embedding=3, layers=2, units=4, merge="sum", pooling="attention", tied=True),
    "lstm": ModelConfig(network="lstm", embedding=3, layers=2, units=(4, 5), dropout=0.5),
    "lstm, tied": ModelConfig(network="lstm", embedding=3, units=4, tied=True),
}


@pytest.fixture(scope="module", params=CONFIGS)
def model(request) -> LanguageModel:
    keras.utils.set_random_seed(1)
    return networks.build(CONFIGS[request.param], vocabulary_size=VOCABULARY, window=WINDOW)


def test_the_head_makes_logits_of_the_hidden_vectors(model):
    hidden, _ = model.hidden(X)
    assert hidden.shape[-1] == model.hidden_size
    np.testing.assert_allclose(model.head(hidden), model(X), atol=1e-6)


def test_the_summary_counts_the_weights(model):
    lines: list[str] = []
    model.summary(print_fn=lines.append)
    assert f"Total params: {model.count_params():,}" in "".join(lines)


def test_variables_are_in_the_order_of_the_data_flow():
    networks_variables = {
        name: [
            v.path.rpartition("/")[0].partition("/")[0]
            for v in networks.build(config, vocabulary_size=VOCABULARY, window=WINDOW).trainable_variables
        ]
        for name, config in CONFIGS.items()
    }
    assert list(dict.fromkeys(networks_variables["bilstm"])) == ["embedding", "bilstm_0", "bilstm_1", "logits"]
    assert list(dict.fromkeys(networks_variables["lstm"])) == ["embedding", "lstm_0", "lstm_1", "logits"]
    assert list(dict.fromkeys(networks_variables["attention, tied"])) == [
        "embedding", "bilstm_0", "bilstm_1", "pooling", "projection", "logits",
    ]  # fmt: skip


def test_a_seed_gives_the_same_weights_and_dropout(model):
    def outputs() -> tf.Tensor:
        keras.utils.set_random_seed(3)
        return networks.build(model.config, vocabulary_size=VOCABULARY, window=WINDOW)(X, training=True)

    np.testing.assert_array_equal(outputs(), outputs())


def test_a_saved_model_is_loaded_with_its_weights(model, tmp_path: Path):
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded) is type(model)
    assert loaded.config == model.config
    np.testing.assert_array_equal(loaded(X), model(X))


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_an_exported_model_takes_ids_of_any_size(model, precision: str, tmp_path: Path):
    network = networks.build(model.config, vocabulary_size=VOCABULARY, window=WINDOW, precision=precision)
    network.export(tmp_path / "exported", verbose=False)
    loaded = tf.saved_model.load(str(tmp_path / "exported"))
    for ids in (X, X[:1, :3]):
        np.testing.assert_allclose(loaded.serve(ids), network(ids), atol=1e-5)


@pytest.mark.parametrize(
    "loss",
    [
        "sparse_categorical_crossentropy",
        keras.losses.SparseCategoricalCrossentropy(),
        keras.losses.sparse_categorical_crossentropy,
    ],
)
def test_compile_warns_of_a_loss_that_takes_probabilities(model, loss):
    with pytest.warns(UserWarning, match="from_logits=True"):
        model.compile("adam", loss)


@pytest.mark.parametrize("loss", [keras.losses.SparseCategoricalCrossentropy(from_logits=True), "mse", None])
def test_compile_accepts_a_loss_of_logits_without_a_warning(model, loss):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.compile("adam", loss=loss)
    assert model.compiled


def test_a_config_makes_the_same_network(model):
    again = type(model).from_config(model.get_config())
    assert again.get_config() == model.get_config()
    assert [weight.shape for weight in again.weights] == [weight.shape for weight in model.weights]


def test_a_checkpoint_restores_every_variable(model, tmp_path: Path):
    path = tf.train.Checkpoint(model=model).write(str(tmp_path / "ckpt"))
    again = networks.build(model.config, vocabulary_size=VOCABULARY, window=WINDOW)
    tf.train.Checkpoint(model=again).read(path).assert_existing_objects_matched()
    for one, other in zip(again.trainable_variables, model.trainable_variables, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", CONFIGS)
def test_fit_takes_arrays_and_lowers_the_loss(name: str):
    keras.utils.set_random_seed(1)
    model = networks.build(CONFIGS[name], vocabulary_size=VOCABULARY, window=WINDOW)
    y = X if model.config.causal else X[:, 0]
    model.compile(
        optimizer=keras.optimizers.Adam(0.05),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        # By default Keras compiles for XLA, which takes long, and is tried with one network of each family.
        jit_compile=False if model.config.tied else "auto",
    )
    losses = model.fit(X, y, epochs=8, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert model.predict(X, verbose=0).shape == model(X).shape


def test_padding_counts_nothing_in_fit():
    model = networks.build(CONFIGS["lstm"], vocabulary_size=VOCABULARY, window=WINDOW)
    model.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="sum"))
    y, other = X.copy(), X.copy()
    other[0, 3:] = 7
    assert model.evaluate(X, y, verbose=0) == pytest.approx(model.evaluate(X, other, verbose=0))


def test_logits_stay_float32_under_mixed_precision(model):
    mixed = networks.build(model.config, vocabulary_size=VOCABULARY, window=WINDOW, precision="bfloat16")
    assert mixed(X).dtype == tf.float32
    assert mixed.hidden(X)[0].dtype == tf.bfloat16
