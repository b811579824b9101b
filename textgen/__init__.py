"""Streams every (window, next token) pair of a text corpus to a language model, and writes new text.

    import textgen

    textgen.prepare("reviews.csv", "data", text_field="text")
    run = textgen.train("data", "run", max_minutes=5)
    print(run.generate("The film", tokens=40))

TensorFlow and Apache Beam are imported when they are needed for the first time.
"""

import importlib
import sys
from typing import TYPE_CHECKING, Any

from textgen import keras_registry

if TYPE_CHECKING:
    from textgen.api.datasets import estimate, prepare, repair
    from textgen.api.run import Continuation, NextToken, Run, Score, load_run
    from textgen.api.train import train
    from textgen.block_cache import BlockCache
    from textgen.config import (
        GeneratedTextConfig,
        GenerationConfig,
        ModelConfig,
        NeuralCacheConfig,
        PrepareConfig,
        SelectionConfig,
        TextConfig,
        TrainConfig,
    )
    from textgen.dataset import (
        numpy_pairs,
        numpy_sequences,
        read_manifest,
        read_pairs,
        read_sequences,
        torch_pairs,
        torch_sequences,
        verify,
    )
    from textgen.errors import UserError
    from textgen.reporting.reports import report

__version__ = "0.4.0"

__all__ = [
    "BlockCache", "Continuation", "GeneratedTextConfig", "GenerationConfig", "ModelConfig", "NeuralCacheConfig",
    "NextToken", "PrepareConfig", "Run", "Score", "SelectionConfig", "TextConfig", "TrainConfig", "UserError",
    "__version__", "estimate", "load_run", "numpy_pairs", "numpy_sequences", "prepare", "read_manifest", "read_pairs",
    "read_sequences", "repair", "report", "torch_pairs", "torch_sequences", "train", "verify",
]  # fmt: skip

_MODULES = {
    **dict.fromkeys(("estimate", "prepare", "repair"), "textgen.api.datasets"),
    **dict.fromkeys(("Continuation", "NextToken", "Run", "Score", "load_run"), "textgen.api.run"),
    "train": "textgen.api.train",
    "BlockCache": "textgen.block_cache",
    **dict.fromkeys(
        (
            "numpy_pairs",
            "numpy_sequences",
            "read_manifest",
            "read_pairs",
            "read_sequences",
            "torch_pairs",
            "torch_sequences",
            "verify",
        ),
        "textgen.dataset",
    ),
    **dict.fromkeys(
        (
            "GeneratedTextConfig",
            "GenerationConfig",
            "ModelConfig",
            "NeuralCacheConfig",
            "PrepareConfig",
            "SelectionConfig",
            "TextConfig",
            "TrainConfig",
        ),
        "textgen.config",
    ),
    "UserError": "textgen.errors",
    "report": "textgen.reporting.reports",
}
"""Module of each public name."""

_WITH_TENSORFLOW = ("Continuation", "NextToken", "Run", "Score", "load_run", "train")
"""Names whose modules import TensorFlow."""


keras_registry.register()


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first used."""
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module 'textgen' has no attribute {name!r}")
    from textgen.console import import_tensorflow, quiet_logging

    if name in _WITH_TENSORFLOW and "tensorflow" not in sys.modules:
        # TensorFlow greets on standard error when it is imported plainly.
        import_tensorflow()
    with quiet_logging():
        value = getattr(importlib.import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
