"""Loads exported SavedModels in a process that has TensorFlow alone, and compares what they write."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from absl import flags
from absl.testing import flagsaver
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow.python.tools import saved_model_cli

from textgen.config import GenerationConfig
from textgen.export import exporters
from textgen.generation.scoring import Scorer
from textgen.generation.writer import Writer

# -I: without PYTHONPATH, the working folder and user's packages; textgen itself may not be found.
SCRIPT = """
import json, sys
sys.modules.update(textgen=None, tensorflow_text=None)
import numpy as np, tensorflow as tf
# Optimizing the graphs would take longer than running them.
tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
model = tf.saved_model.load(sys.argv[1])
def text(values): return [value.decode() for value in values.numpy().tolist()]
def refused(**settings):
    try: model.generate(tf.constant(["ab"]), **settings)
    except tf.errors.InvalidArgumentError as error: return str(error)
    return ""
prompts = tf.constant(["ab", "cd e\u0301", "ab", ""])
plain = model.generate(prompts)
more = model.generate(
    prompts, max_tokens=tf.constant(30), temperature=tf.constant([1.5, 0.5]), top_p=tf.constant(0.9),
    top_k=tf.constant(7), stop=tf.constant(["e", "zz"]), seed=tf.constant(5, tf.int64), echo=tf.constant(False),
    may_end=tf.constant(True), no_repeat_ngram=tf.constant(2), bias_ids=tf.constant([4]), biases=tf.constant([1.5]),
)
best = model.signatures["next_token"](prompt=prompts, top=tf.constant(3))
scored = model.signatures["score"](text=prompts)
print(json.dumps({
    "plain": text(plain["text"]), "more": text(more["text"]),
    "reason": text(more["reason"]), "lengths": more["lengths"].numpy().tolist(),
    "tokens": [text(row)[:length] for row, length in zip(more["tokens"], more["lengths"].numpy())],
    "next": text(best["tokens"][0]), "probabilities": np.exp(best["log_probabilities"][0]).tolist(),
    "scores": scored["log_probabilities"].numpy().tolist(), "scored": scored["lengths"].numpy().tolist(),
    "none": model.generate(tf.constant([], tf.string))["text"].shape[0],
    "invalid": text(model.generate(tf.constant([b"ab\\xff"]), max_tokens=tf.constant(1))["text"]),
    "inputs": sorted(model.signatures["serving_default"].structured_input_signature[1]),
    "refused": [
        refused(temperature=tf.constant([-1.0])), refused(temperature=tf.constant([float("nan")])),
        refused(top_p=tf.constant(0.0)), refused(top_k=tf.constant(-1)), refused(max_tokens=tf.constant(0)),
        refused(min_tokens=tf.constant(200)), refused(stop=tf.constant([""])),
        refused(seed=tf.constant(-1, tf.int64)),
        refused(bias_ids=tf.constant([99]), biases=tf.constant([1.0])), refused(bias_ids=tf.constant([5])),
    ],
}))
"""


WITH_TENSORFLOW_TEXT = """
import json, sys
sys.modules["textgen"] = None
import tensorflow as tf, tensorflow_text
# Kept, since its functions do not keep its variables.
model = tf.saved_model.load(sys.argv[1])
found = model.generate(tf.constant(json.loads(sys.argv[2])))
print(json.dumps([text.decode(errors="replace") for text in found["text"].numpy().tolist()]))
"""


@pytest.fixture(scope="module")
def saved(lstm, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SavedModel of the network `lstm`, of operations of TensorFlow alone."""
    folder = tmp_path_factory.mktemp("saved") / "model"
    exporters.export(*lstm, folder, format="core_saved_model", boundaries=True)
    return folder


@pytest.fixture(scope="module")
def found(saved: Path) -> dict:
    done = subprocess.run(
        [sys.executable, "-I", "-c", SCRIPT, saved], cwd=saved.parent, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def test_it_writes_the_same_text_as_textgen(writer: Writer, found: dict):
    prompts = ["ab", "cd e\u0301", "ab", ""]
    settings = GenerationConfig(
        tokens=30, temperature=(1.5, 0.5), top_p=0.9, top_k=7, stop=("e", "zz"), seed=5, echo=False, may_end=True,
        no_repeat_ngram=2, logit_bias={"a": 1.5},
    )  # fmt: skip
    expected = writer.write(prompts, settings)
    assert found["more"] == [text.text for text in expected]
    assert found["reason"] == [text.reason for text in expected]
    assert found["tokens"] == [list(text.tokens) for text in expected]
    assert found["plain"] == [text.text for text in writer.write(prompts, GenerationConfig())]
    assert found["plain"][0] != found["plain"][2]


def test_next_tokens_and_scores_are_those_of_textgen(lstm, writer: Writer, found: dict):
    expected = writer.next_tokens("ab", top=3)
    assert found["next"] == [token for token, _ in expected]
    assert found["probabilities"] == pytest.approx([probability for _, probability in expected], abs=1e-5)
    scores = Scorer(lstm.model, lstm.preprocessor).scores(["cd é"])[0]
    assert found["scored"] == [2, 4, 2, 0]
    assert found["scores"][1] == pytest.approx(list(scores.log_probabilities), abs=1e-4)


def test_no_prompts_and_invalid_text_are_read_as_by_textgen(found: dict):
    assert found["none"] == 0
    assert found["invalid"][0].startswith("ab\ufffd")


def test_what_textgen_refuses_is_refused_with_the_rule(found: dict):
    rules = (
        "temperature must be at least 0", "temperature must be finite", "top_p must be above 0",
        "top_k must be at least 0", "max_tokens must be at least 1", "min_tokens must be at most max_tokens",
        "a stop string must have at least one character", "seed must be at least 0", "bias_ids must be from 0 to 31",
        "bias_ids and biases must have the same length",
    )  # fmt: skip
    for message, rule in zip(found["refused"], rules, strict=True):
        assert rule in message


def test_servers_and_saved_model_cli_see_all_inputs_with_their_defaults(saved: Path, capfd):
    flags.FLAGS.mark_as_parsed()
    content = saved_model_pb2.SavedModel.FromString((saved / "saved_model.pb").read_bytes())
    generate = content.meta_graphs[0].signature_def["generate"]
    assert set(generate.inputs) - set(generate.defaults) == {"prompt"}
    assert list(generate.defaults["max_tokens"].int_val) == [100]
    for signature, inputs, outputs in (
        ("generate", set(generate.inputs), {"text", "tokens", "ids", "log_probabilities", "lengths", "reason"}),
        ("next_token", {"prompt", "top"}, {"tokens", "ids", "log_probabilities"}),
        ("score", {"text"}, {"tokens", "ids", "log_probabilities", "lengths"}),
    ):
        capfd.readouterr()
        with flagsaver.flagsaver(dir=str(saved), tag_set="serve", signature_def=signature):
            saved_model_cli.show()
        shown = capfd.readouterr().out
        assert set(re.findall(r"inputs\['(\w+)'\]", shown)) == inputs
        assert set(re.findall(r"outputs\['(\w+)'\]", shown)) == outputs
        assert "Method name is: tensorflow/serving/predict" in shown


@pytest.mark.system
@pytest.mark.parametrize("network", ["lstm", "subwords"])
def test_with_tensorflow_text_the_other_format_writes_the_same_text(
    network: str, request: pytest.FixtureRequest, tmp_path: Path
):
    trained = request.getfixturevalue(network)
    writer = Writer(*trained, boundaries=True)
    exporters.export(*trained, tmp_path / "model", format="saved_model", boundaries=True)
    prompts = ["ab", "cd e\u0301", ""]
    done = subprocess.run(
        [sys.executable, "-I", "-c", WITH_TENSORFLOW_TEXT, tmp_path / "model", json.dumps(prompts)],
        cwd=tmp_path, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout) == [found.text for found in writer.write(prompts, GenerationConfig())]
