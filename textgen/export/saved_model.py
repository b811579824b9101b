"""Exports a model as one SavedModel: cleaning, tokenizing, network, sampling and decoding in one graph."""

from pathlib import Path

import tensorflow as tf

from textgen.export.core_operations import with_core_operations
from textgen.export.text_signatures import generate_signature, next_token_signature, score_signature
from textgen.generation.generator import Generator
from textgen.generation.scoring import Scorer
from textgen.model.language_model import LanguageModel
from textgen.text.preprocessor import Preprocessor


def save(model: LanguageModel, preprocessor: Preprocessor, directory: Path, *, boundaries: bool) -> None:
    """Writes a SavedModel with the signatures `generate`, `next_token` and `score`; see `text_signatures`.

    Args:
        model: the network.
        preprocessor: encodes prompts and decodes ids.
        directory: folder of the SavedModel.
        boundaries: whether the documents of the training data begin with [BOS].

    Raises:
        OSError: the folder can't be written.
    """
    generator = Generator(model, preprocessor, boundaries=boundaries)
    signatures = {
        "generate": generate_signature(generator, preprocessor),
        "next_token": next_token_signature(generator, preprocessor),
        "score": score_signature(Scorer(model, preprocessor, boundaries=boundaries), preprocessor),
    }
    saved = tf.Module()
    # Only what graphs refer to: functions of the parts would be saved as well, and traced for that.
    saved.weights = [weight.value for weight in model.weights]
    saved.resources = preprocessor.resources
    for name, signature in signatures.items():
        setattr(saved, name, signature)
    tf.saved_model.save(saved, str(directory), signatures={**signatures, "serving_default": signatures["generate"]})


def save_core(model: LanguageModel, preprocessor: Preprocessor, directory: Path, *, boundaries: bool) -> None:
    """Writes what `save` writes without operations of tensorflow_text; see `with_core_operations`.

    Args:
        model: the network.
        preprocessor: encodes prompts and decodes ids.
        directory: folder of the SavedModel.
        boundaries: whether the documents of the training data begin with [BOS].

    Raises:
        UserError: the tokenizer needs tensorflow_text.
        OSError: the folder can't be written.
    """
    save(model, with_core_operations(preprocessor), directory, boundaries=boundaries)
