"""Our layers beside those of Keras: the same variables, and the same results by another way."""

import re
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.config import ModelConfig
from textgen.model import fused_lstm, kernel, lstm, networks

BATCH, STEPS, INPUTS, UNITS = 4, 6, 3, 5


@pytest.fixture
def kernel_calls(monkeypatch) -> list[bool]:
    """The directions that our kernel has read."""
    calls = []
    run = kernel.run

    def counted(*args, backwards: bool):
        calls.append(backwards)
        return run(*args, backwards=backwards)

    monkeypatch.setattr(kernel, "run", counted)
    return calls


def _numbers(*shape: int, seed: int = 0) -> tf.Tensor:
    return tf.constant(np.random.RandomState(seed).randn(*shape), tf.float32)


def _pair(*, both: bool, inputs: int = INPUTS, units: int = UNITS, merge_mode="concat", **options):
    """A layer of Keras and one of ours with the same weights."""
    kinds = ((keras.layers.LSTM, keras.layers.Bidirectional), (lstm.LSTM, lstm.Bidirectional))
    layers = []
    for kind, wrapper in kinds:
        layer = kind(units, bias_initializer="random_normal", **options)
        layers.append(wrapper(layer, merge_mode=merge_mode) if both else layer)
        layers[-1].build((None, None, inputs))
    layers[1].set_weights(layers[0].get_weights())
    return layers


def _states(both: bool, batch: int = BATCH, units: int = UNITS) -> list[tf.Tensor]:
    return [0.5 * _numbers(batch, units, seed=seed) for seed in range(4 if both else 2)]


def _results(layer, x, mask, states=None, *, training=True):
    """What the layer gives, and the gradient of a loss of all of it: by x, the states, and the weights."""
    given = {} if states is None else {"initial_state": states}
    with tf.GradientTape() as tape:
        tape.watch([x, *(states or [])])
        results = tf.nest.flatten(layer(x, mask=mask, training=training, **given))
        loss = 0.0
        for result in results:
            if mask is not None and result.shape.rank == 3:
                result = tf.where(mask[..., tf.newaxis], result, 0.0)
            loss += tf.reduce_sum(tf.sin(result + 0.3))
    return results, tape.gradient(loss, [x, *(states or []), *(v.value for v in layer.trainable_variables)])


def _assert_same(theirs, ours, x, mask, states=None, *, training=True):
    (expected, expected_gradients), (found, gradients) = (
        _results(layer, x, mask, states, training=training) for layer in (theirs, ours)
    )
    for a, b in zip(expected, found, strict=True):
        if mask is not None and a.shape.rank == 3:
            assert np.isfinite(b.numpy()).all()
            a, b = a[mask], b[mask]
        np.testing.assert_allclose(b, a, rtol=1e-5, atol=1e-6)
    for a, b in zip(expected_gradients, gradients, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-5 * max(1.0, np.abs(a).max()))


@pytest.mark.parametrize(("training", "few"), [(True, 0), (False, 0), (False, lstm._FEW_PRODUCTS)])
@pytest.mark.parametrize("initial", [False, True])
@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize("both", [False, True])
def test_results_and_gradients_are_those_of_keras(
    kernel_calls, monkeypatch, both, return_sequences, padded, initial, training, few
):
    monkeypatch.setattr(lstm, "_FEW_PRODUCTS", few)
    pair = _pair(both=both, return_sequences=return_sequences, return_state=True)
    mask = tf.sequence_mask([6, 1, 4, 6], STEPS) if padded else None
    states = _states(both) if initial else None
    _assert_same(*pair, _numbers(BATCH, STEPS, INPUTS), mask, states, training=training)
    assert kernel_calls == [False, True][: 1 + both] * training


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("merge_mode", ["sum", "mul", "ave", None])
@pytest.mark.parametrize("return_sequences", [False, True])
def test_directions_merge_as_in_keras(kernel_calls, merge_mode, return_sequences, training):
    pair = _pair(both=True, return_sequences=return_sequences, merge_mode=merge_mode)
    mask = tf.sequence_mask([3, 6, 1, 2], STEPS)
    _assert_same(*pair, _numbers(BATCH, STEPS, INPUTS), mask, training=training)
    assert bool(kernel_calls) == training


@pytest.mark.parametrize("training", [True, False])
def test_a_layer_that_goes_backwards_gives_its_outputs_in_the_order_of_reading(kernel_calls, training):
    pair = _pair(both=False, return_sequences=True, go_backwards=True)
    _assert_same(*pair, _numbers(BATCH, STEPS, INPUTS), None, training=training)
    assert kernel_calls == [True] * training


@settings(max_examples=4, deadline=None)
@given(st.data())
def test_any_sizes_and_widths(data):
    steps, inputs, units = (data.draw(st.integers(1, 5), label=name) for name in ("steps", "inputs", "units"))
    widths = data.draw(st.lists(st.integers(1, steps), min_size=1, max_size=4), label="widths")
    pair = _pair(both=True, inputs=inputs, units=units, return_sequences=data.draw(st.booleans()), return_state=True)
    x = _numbers(len(widths), steps, inputs)
    training = data.draw(st.booleans(), label="training")
    _assert_same(*pair, x, tf.sequence_mask(widths, steps), _states(True, len(widths), units), training=training)


def test_padding_that_is_not_hidden_at_the_output_changes_no_gradient():
    _, layer = _pair(both=True, return_sequences=True)
    x, mask = _numbers(1, STEPS, INPUTS), tf.sequence_mask([3], STEPS)
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tf.reduce_sum(layer(x, mask=mask, training=True))
    np.testing.assert_array_equal(tape.gradient(loss, x)[0, 3:], tf.zeros([3, INPUTS]))


def test_one_trace_serves_every_batch_and_length():
    theirs, ours = _pair(both=True)
    traces = []

    @tf.function(input_signature=[tf.TensorSpec([None, None, INPUTS]), tf.TensorSpec([None, None], tf.bool)])
    def gradients(x, mask):
        traces.append(x)
        return _results(ours, x, mask)

    for batch, steps in ((2, 3), (4, 1), (1, 7)):
        x, mask = _numbers(batch, steps, INPUTS), tf.sequence_mask(range(1, batch + 1), steps)
        mask = mask | tf.sequence_mask([1] * batch, steps)
        found = tf.nest.flatten(gradients(x, mask))
        for a, b in zip(tf.nest.flatten(_results(theirs, x, mask)), found, strict=True):
            np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-5)
    assert len(traces) == 1


def test_a_state_is_carried_through_a_while_loop():
    theirs, ours = _pair(both=False, return_sequences=True, return_state=True)
    x = _numbers(BATCH, 3 * STEPS, INPUTS)

    @tf.function
    def last_states():
        h = c = tf.zeros([BATCH, UNITS])
        for i in tf.range(3):
            part = tf.ensure_shape(x[:, i * STEPS : (i + 1) * STEPS], [BATCH, STEPS, INPUTS])
            _, h, c = ours(part, initial_state=[h, c], training=True)
        return h, c

    for a, b in zip(theirs(x)[1:], last_states(), strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-5, atol=1e-6)


def test_a_stateful_layer_goes_on_where_it_stopped():
    _, whole = _pair(both=False)
    layer = lstm.LSTM(UNITS, stateful=True)
    layer.build((BATCH, STEPS, INPUTS))
    layer.set_weights(whole.get_weights())
    x = _numbers(BATCH, 2 * STEPS, INPUTS)
    layer(x[:, :STEPS], training=True)
    np.testing.assert_allclose(layer(x[:, STEPS:], training=True), whole(x), rtol=1e-5, atol=1e-6)


def test_variables_are_those_of_keras():
    theirs, ours = _pair(both=True)
    # Keras numbers the layers of a kind.
    paths = [[re.sub(r"_\d+", "", v.path) for v in layer.variables] for layer in (theirs, ours)]
    assert paths[0] == paths[1]
    assert [v.shape for v in theirs.variables] == [v.shape for v in ours.variables]


@pytest.mark.parametrize("there", [True, False])
def test_a_checkpoint_of_either_is_read_by_the_other(tmp_path: Path, there: bool):
    theirs, ours = _pair(both=True)
    source, target = (theirs, ours) if there else (ours, theirs)
    target.set_weights([np.zeros_like(w) for w in target.get_weights()])
    path = tf.train.Checkpoint(layer=source).save(str(tmp_path / "checkpoint"))
    tf.train.Checkpoint(layer=target).restore(path).assert_consumed()
    for a, b in zip(source.get_weights(), target.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_model_is_saved_and_read_as_any_keras_model(tmp_path: Path):
    model = keras.Sequential([keras.Input((STEPS, INPUTS)), lstm.Bidirectional(lstm.LSTM(UNITS))])
    model.save(tmp_path / "model.keras")
    read = keras.models.load_model(tmp_path / "model.keras")
    assert type(read.layers[0].forward_layer) is lstm.LSTM
    x = _numbers(BATCH, STEPS, INPUTS)
    np.testing.assert_array_equal(read(x), model(x))


def test_a_saved_model_holds_no_compiled_loop(tmp_path: Path):
    """So that every server runs it; also when it has been trained before."""
    module = tf.Module()
    _, module.layer = _pair(both=True)
    x = _numbers(BATCH, STEPS, INPUTS)
    trained = module.layer(x, training=True)
    module.serve = tf.function(
        lambda x: module.layer(x, training=False), input_signature=[tf.TensorSpec([None, None, INPUTS])]
    )
    tf.saved_model.save(module, str(tmp_path), signatures=module.serve)
    assert b"_XlaMustCompile" not in (tmp_path / "saved_model.pb").read_bytes()
    served = tf.saved_model.load(str(tmp_path)).signatures["serving_default"](x)
    np.testing.assert_allclose(next(iter(served.values())), trained, rtol=1e-5, atol=1e-6)


def test_measuring_and_training_agree():
    model = networks.build(ModelConfig(embedding=4, units=4, layers=2), vocabulary_size=9, window=5)
    x = tf.constant([[4, 5, 6, 7, 8], [2, 4, 0, 0, 0], [2, 0, 0, 0, 0]])
    np.testing.assert_allclose(model(x, training=True), model(x, training=False), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("both", [True, False])
def test_no_rows_have_gradients_of_zero(both, training):
    _, layer = _pair(both=both)

    @tf.function(input_signature=[tf.TensorSpec([None, STEPS, INPUTS])])
    def gradients(x):
        return _results(layer, x, None, training=training)[1]

    for _ in range(20):
        # Other numbers in the memory that gradients get.
        _ = [variable.value + 1e30 for variable in layer.trainable_variables]
        for gradient in gradients(tf.zeros([0, STEPS, INPUTS])):
            np.testing.assert_array_equal(gradient, tf.zeros_like(gradient))


@pytest.mark.parametrize("network", ["bilstm", "lstm"])
def test_xla_compiles_a_network_outside_of_training(network: str):
    model = networks.build(ModelConfig(network=network, embedding=4, units=4), vocabulary_size=9, window=5)
    x = tf.constant([[4, 5, 6, 7, 8], [2, 4, 0, 0, 0]])
    found, expected = tf.function(lambda x: model(x, training=False), jit_compile=True)(x), model(x, training=False)
    rows = x[:, 0] > 0 if network == "bilstm" else x > 0
    np.testing.assert_allclose(found[rows], expected[rows], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "options",
    [
        {"activation": "relu"},
        {"recurrent_activation": "hard_sigmoid"},
        {"recurrent_dropout": 0.5},
        {"dropout": 0.5},
        {"use_bias": False},
        {"unroll": True},
        {"dtype": "mixed_bfloat16"},
        {"dtype": "float64"},
    ],
)
def test_what_our_code_cannot_do_keras_does(kernel_calls, monkeypatch, options):
    monkeypatch.setattr(fused_lstm, "read", None)
    layer = lstm.Bidirectional(lstm.LSTM(UNITS, **options), dtype=options.get("dtype"))
    for training in (True, False):
        assert layer(_numbers(BATCH, STEPS, INPUTS), training=training).shape == (BATCH, 2 * UNITS)
    assert not kernel_calls


def test_outside_of_training_nothing_is_compiled(kernel_calls):
    _, layer = _pair(both=True)
    layer(_numbers(BATCH, STEPS, INPUTS))
    assert not kernel_calls


def test_where_there_is_a_gpu_cudnn_is_asked(kernel_calls, monkeypatch):
    """With what cuDNN takes; that there is none here stops it only after that."""
    asked = []

    def cudnn_ok(activation, recurrent_activation, unroll, use_bias):
        asked.append((activation.__name__, recurrent_activation.__name__, unroll, use_bias))
        return False

    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind=None: ["a GPU"])
    monkeypatch.setattr(sys.modules["keras.src.backend.tensorflow.rnn"], "cudnn_ok", cudnn_ok)
    model = networks.build(ModelConfig(embedding=4, units=4), vocabulary_size=9, window=5)
    asked.clear()
    model(tf.constant([[4, 5, 6, 0, 0]]), training=True)
    assert asked == [("tanh", "sigmoid", False, True)] * 2
    assert not kernel_calls
