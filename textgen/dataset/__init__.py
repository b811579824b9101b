"""Datasets: (X, y) pairs on disk, and streams of batches read from them. Works on ids, not on text.

What serves batches is imported when it is used for the first time, and TensorFlow where its datasets are made.
"""

import importlib
from typing import TYPE_CHECKING, Any

from textgen.dataset.storage.layouts import LAYOUTS
from textgen.dataset.storage.manifest import Manifest, UnitReport, read_manifest
from textgen.dataset.storage.verification import verify

if TYPE_CHECKING:
    from textgen.dataset.loading.loader import read_pairs, read_sequences
    from textgen.dataset.loading.mixture import Data, weights_of
    from textgen.dataset.loading.numpy_batches import numpy_pairs, numpy_sequences
    from textgen.dataset.loading.pytorch import torch_pairs, torch_sequences

__all__ = [
    "LAYOUTS", "Data", "Manifest", "UnitReport",
    "numpy_pairs", "numpy_sequences", "read_manifest", "read_pairs", "read_sequences", "torch_pairs",
    "torch_sequences", "verify", "weights_of",
]  # fmt: skip

_MODULES = {
    **dict.fromkeys(("read_pairs", "read_sequences"), "textgen.dataset.loading.loader"),
    **dict.fromkeys(("Data", "weights_of"), "textgen.dataset.loading.mixture"),
    **dict.fromkeys(("numpy_pairs", "numpy_sequences"), "textgen.dataset.loading.numpy_batches"),
    **dict.fromkeys(("torch_pairs", "torch_sequences"), "textgen.dataset.loading.pytorch"),
}
"""Module of each name that is imported when it is first used."""


def __getattr__(name: str) -> Any:
    """Imports a name when it is first used."""
    if name not in _MODULES:
        raise AttributeError(f"module 'textgen.dataset' has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(_MODULES[name]), name)
    return value
