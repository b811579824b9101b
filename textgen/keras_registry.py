"""Registers the networks with Keras without importing Keras, so that `keras.models.load_model` finds them.

Keras looks up the classes of a saved model in a table, and does not import their modules. `import textgen` must be
fast, so it imports neither Keras nor the networks: the table gets a stand-in for each class, which imports it when a
model is loaded. Each class registers itself in place of its stand-in when it is imported.
"""

import contextlib
import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

PACKAGE = "textgen"
"""Package under which the classes are registered with Keras."""

CLASSES = {
    "BiLSTM": "textgen.model.bilstm",
    "Bidirectional": "textgen.model.lstm",
    "CausalLSTM": "textgen.model.causal_lstm",
    "LSTM": "textgen.model.lstm",
}
"""Module of each class that a saved model may name."""


def register() -> None:
    """Registers the classes now if Keras is imported, and otherwise as soon as it is."""
    keras = sys.modules.get("keras")
    if keras is None:
        sys.meta_path.insert(0, _KerasFinder())
    else:
        _add_stand_ins(keras)


class _StandIn:
    """Stands for a class in the table of Keras, which calls only `from_config`."""

    def __init__(self, name: str):
        self._name = name

    def from_config(self, config: dict[str, Any]) -> Any:
        """Imports the class and returns the object that a saved model describes."""
        return getattr(importlib.import_module(CLASSES[self._name]), self._name).from_config(config)


class _KerasFinder(MetaPathFinder):
    """Finds Keras once, as the other finders do, and has the stand-ins added when it has been imported."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Returns None for all modules but Keras."""
        if name != "keras":
            return None
        with contextlib.suppress(ValueError):
            sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            _call_after_import(spec.loader)
        return spec


def _call_after_import(loader: Any) -> None:
    execute = loader.exec_module

    def execute_and_add(module: ModuleType) -> None:
        execute(module)
        _add_stand_ins(module)

    loader.exec_module = execute_and_add


def _add_stand_ins(keras: Any) -> None:
    table = keras.saving.get_custom_objects()
    for name in CLASSES:
        table.setdefault(f"{PACKAGE}>{name}", _StandIn(name))
