"""A preprocessor whose graphs load without tensorflow_text."""

from textgen.errors import require
from textgen.text.cleaning.core_unicode import core_forms
from textgen.text.preprocessor import Preprocessor

TOKENIZERS = ("char", "byte", "word")
"""Tokenizers that have no operations of tensorflow_text; their texts are cleaned with some."""


def with_core_operations(preprocessor: Preprocessor) -> Preprocessor:
    """Returns a preprocessor that gives the same ids by operations of TensorFlow alone.

    Raises:
        UserError: the tokenizer needs tensorflow_text.
    """
    name = preprocessor.config.tokenizer
    require(
        name in TOKENIZERS,
        f"the tokenizer {name} needs operations of tensorflow_text; core_saved_model is for {', '.join(TOKENIZERS)}. "
        "Use saved_model, and import tensorflow_text before loading it.",
    )
    return Preprocessor(preprocessor.config, preprocessor.vocabulary, forms=core_forms())
