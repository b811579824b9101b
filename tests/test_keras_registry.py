"""Saved models are loaded after `import textgen` alone, in a process that has imported no network."""

import importlib
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from textgen import keras_registry
from textgen.config import ModelConfig
from textgen.model import networks

ROOT = Path(__file__).parents[1]
X = np.array([[2, 4, 5, 0, 0], [4, 5, 6, 7, 8]], np.int32)
IMPORTS = ("import textgen, keras", "import keras, textgen", "import tensorflow, textgen; keras = tensorflow.keras")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with a saved model of every network, and the weights and logits of each."""
    folder = tmp_path_factory.mktemp("models")
    for network in networks.NETWORKS:
        for tied in (False, True):
            for precision in ("float32", "bfloat16"):
                config = ModelConfig(network=network, embedding=3, units=4, tied=tied)
                model = networks.build(config, vocabulary_size=20, window=5, precision=precision)
                model.save(folder / f"{network}-{tied}-{precision}.keras")
                np.savez(folder / f"{network}-{tied}-{precision}.npz", model(X), *model.get_weights())
    return folder


@pytest.mark.parametrize("imports", IMPORTS)
def test_a_new_process_loads_every_network_with_equal_weights_and_logits(folder: Path, imports: str):
    code = f"""
{imports}
import numpy as np, pathlib, sys
assert not any(name.startswith("textgen.model") for name in sys.modules)
paths = list(pathlib.Path({str(folder)!r}).glob("*.keras"))
assert len(paths) == {4 * len(networks.NETWORKS)}
for path in paths:
    model = keras.models.load_model(path)
    expected = list(np.load(path.with_suffix(".npz")).values())
    found = [model(np.array({X.tolist()}, np.int32)), *model.get_weights()]
    assert len(found) == len(expected) and all(map(np.array_equal, found, expected)), path
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def test_the_table_has_every_class_that_a_module_of_networks_registers():
    for path in (ROOT / "textgen" / "model").glob("*.py"):
        importlib.import_module(f"textgen.model.{path.stem}")
    registered = {
        name.partition(">")[2]: found.__module__
        for name, found in keras.saving.get_custom_objects().items()
        if name.startswith(f"{keras_registry.PACKAGE}>") and found.__module__.startswith("textgen.")
    }
    assert registered == keras_registry.CLASSES


def test_registering_again_keeps_the_classes():
    before = dict(keras.saving.get_custom_objects())
    keras_registry.register()
    assert keras.saving.get_custom_objects() == before
    assert not any(isinstance(finder, keras_registry._KerasFinder) for finder in sys.meta_path)
