"""TensorFlow for modules that may never use it: it is imported, in seconds, when it is used for the first time.

    from __future__ import annotations

    from textgen.lazy_tensorflow import tf

Annotations are not evaluated then, so that only a function that runs imports TensorFlow.
"""

import importlib
from typing import TYPE_CHECKING, Any

from textgen.console import import_tensorflow


class _LazyModule:
    def __init__(self, name: str):
        self._name = name

    def __getattr__(self, name: str) -> Any:
        import_tensorflow()
        return getattr(importlib.import_module(self._name), name)


if TYPE_CHECKING:
    import tensorflow as tf
    import tensorflow_text as tf_text
else:
    tf = _LazyModule("tensorflow")
    tf_text = _LazyModule("tensorflow_text")
